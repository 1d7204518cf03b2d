"""Posteriors q, one a file."""

from counterpoint.inference.bottom_up import BottomUp, BottomUpConfig
from counterpoint.inference.dtsbn_d_recognition import DTSBNDRecognition, DTSBNDRecognitionConfig
from counterpoint.inference.filtering import Filtering, FilteringConfig
from counterpoint.inference.forward_backward import ForwardBackward, ForwardBackwardConfig
from counterpoint.inference.gibbs import Gibbs, GibbsConfig
from counterpoint.inference.iterative import Iterative, IterativeConfig
from counterpoint.inference.kalman import Kalman, KalmanConfig
from counterpoint.inference.noising import Noising, NoisingConfig
from counterpoint.inference.prior import Prior, PriorConfig
from counterpoint.inference.recognition import TSBNRecognition, TSBNRecognitionConfig
from counterpoint.inference.recurrent import RecurrentFiltering, RecurrentFilteringConfig
from counterpoint.inference.smoothing import Smoothing, SmoothingConfig

__all__ = [
    "BottomUp",
    "BottomUpConfig",
    "DTSBNDRecognition",
    "DTSBNDRecognitionConfig",
    "Filtering",
    "FilteringConfig",
    "ForwardBackward",
    "ForwardBackwardConfig",
    "Gibbs",
    "GibbsConfig",
    "Iterative",
    "IterativeConfig",
    "Kalman",
    "KalmanConfig",
    "Noising",
    "NoisingConfig",
    "Prior",
    "PriorConfig",
    "RecurrentFiltering",
    "RecurrentFilteringConfig",
    "Smoothing",
    "SmoothingConfig",
    "TSBNRecognition",
    "TSBNRecognitionConfig",
]
