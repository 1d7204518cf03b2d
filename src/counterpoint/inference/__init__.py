"""Posteriors q, one a file."""

from counterpoint.inference.dtsbn_d_recognition import DTSBNDRecognition, DTSBNDRecognitionConfig
from counterpoint.inference.filtering import Filtering, FilteringConfig
from counterpoint.inference.forward_backward import ForwardBackward, ForwardBackwardConfig
from counterpoint.inference.kalman import Kalman, KalmanConfig
from counterpoint.inference.prior import Prior, PriorConfig
from counterpoint.inference.recognition import TSBNRecognition, TSBNRecognitionConfig

__all__ = [
    "DTSBNDRecognition",
    "DTSBNDRecognitionConfig",
    "Filtering",
    "FilteringConfig",
    "ForwardBackward",
    "ForwardBackwardConfig",
    "Kalman",
    "KalmanConfig",
    "Prior",
    "PriorConfig",
    "TSBNRecognition",
    "TSBNRecognitionConfig",
]
