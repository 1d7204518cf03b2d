"""What a trained pair is worth: likelihood bounds, one-step prediction, and what it generates."""

from counterpoint.evaluation.generation import generate, reconstruct
from counterpoint.evaluation.likelihood import Comparison, Score, compare, evaluate, write_csv
from counterpoint.evaluation.prediction import Prediction, PredictionError, error, predict

__all__ = [
    "Comparison",
    "Prediction",
    "PredictionError",
    "Score",
    "compare",
    "error",
    "evaluate",
    "generate",
    "predict",
    "reconstruct",
    "write_csv",
]
