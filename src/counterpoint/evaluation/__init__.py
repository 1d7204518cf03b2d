"""What a trained pair is worth: likelihood bounds, one-step prediction, and what it generates."""

from counterpoint.evaluation.generation import activity, generate, reconstruct
from counterpoint.evaluation.likelihood import Comparison, Score, compare, evaluate, standard_bounds, write_csv
from counterpoint.evaluation.partition import Partition, annealed_partition, exact_partition, log_partition
from counterpoint.evaluation.prediction import Prediction, PredictionError, error, predict
from counterpoint.evaluation.words import WordPrediction, held_out_words, mean_precision, word_baselines

__all__ = [
    "Comparison",
    "Partition",
    "Prediction",
    "PredictionError",
    "Score",
    "WordPrediction",
    "activity",
    "annealed_partition",
    "compare",
    "error",
    "evaluate",
    "exact_partition",
    "generate",
    "held_out_words",
    "log_partition",
    "mean_precision",
    "predict",
    "reconstruct",
    "standard_bounds",
    "word_baselines",
    "write_csv",
]
