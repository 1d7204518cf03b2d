"""What a trained pair is worth: likelihood bounds, one-step prediction, and what it generates."""

from counterpoint.evaluation.annealed import AIS, Sandwich, check_ais, sandwich
from counterpoint.evaluation.generation import activity, generate, reconstruct
from counterpoint.evaluation.likelihood import (
    Comparison,
    Score,
    compare,
    evaluate,
    side_of,
    standard_bounds,
    titled,
    write_csv,
)
from counterpoint.evaluation.partition import (
    Partition,
    annealed_partition,
    exact_partition,
    log_partition,
    log_partitions,
)
from counterpoint.evaluation.parzen import Windows, parzen, parzen_width, parzen_windows
from counterpoint.evaluation.prediction import Prediction, PredictionError, error, predict
from counterpoint.evaluation.units import active_units, unit_variances
from counterpoint.evaluation.weights import Spread, evidence_upper_estimate, resampling_entropy, weight_spread
from counterpoint.evaluation.words import WordPrediction, held_out_words, mean_precision, word_baselines

__all__ = [
    "AIS",
    "Comparison",
    "Partition",
    "Prediction",
    "PredictionError",
    "Sandwich",
    "Score",
    "Spread",
    "Windows",
    "WordPrediction",
    "active_units",
    "activity",
    "annealed_partition",
    "check_ais",
    "compare",
    "error",
    "evaluate",
    "evidence_upper_estimate",
    "exact_partition",
    "generate",
    "held_out_words",
    "log_partition",
    "log_partitions",
    "mean_precision",
    "parzen",
    "parzen_width",
    "parzen_windows",
    "predict",
    "reconstruct",
    "resampling_entropy",
    "sandwich",
    "side_of",
    "standard_bounds",
    "titled",
    "unit_variances",
    "weight_spread",
    "word_baselines",
    "write_csv",
]
