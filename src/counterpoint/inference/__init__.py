"""Posteriors q, one a file."""

from counterpoint.inference.bottom_up import BottomUp, BottomUpConfig
from counterpoint.inference.convolutional import Convolutional, ConvolutionalConfig
from counterpoint.inference.dbn_recognition import DBNRecognition, DBNRecognitionConfig
from counterpoint.inference.dtsbn_d_recognition import DTSBNDRecognition, DTSBNDRecognitionConfig
from counterpoint.inference.filtering import Filtering, FilteringConfig
from counterpoint.inference.forward_backward import ForwardBackward, ForwardBackwardConfig
from counterpoint.inference.gaussian_noise import GaussianNoise, GaussianNoiseConfig
from counterpoint.inference.gibbs import Gibbs, GibbsConfig
from counterpoint.inference.iterative import Iterative, IterativeConfig
from counterpoint.inference.kalman import Kalman, KalmanConfig
from counterpoint.inference.learned_corruption import LearnedCorruption, LearnedCorruptionConfig
from counterpoint.inference.mean_field import MeanField, MeanFieldConfig
from counterpoint.inference.mean_field_vb import MeanFieldVB, MeanFieldVBConfig
from counterpoint.inference.noising import Noising, NoisingConfig
from counterpoint.inference.optimised import Optimised, OptimisedConfig
from counterpoint.inference.polya_gamma import PolyaGamma, PolyaGammaConfig
from counterpoint.inference.prior import Prior, PriorConfig
from counterpoint.inference.recognition import TSBNRecognition, TSBNRecognitionConfig
from counterpoint.inference.recurrent import RecurrentFiltering, RecurrentFilteringConfig
from counterpoint.inference.salt_and_pepper import SaltAndPepperConfig, SaltAndPepperNoise
from counterpoint.inference.smoothing import Smoothing, SmoothingConfig

__all__ = [
    "BottomUp",
    "BottomUpConfig",
    "Convolutional",
    "ConvolutionalConfig",
    "DBNRecognition",
    "DBNRecognitionConfig",
    "DTSBNDRecognition",
    "DTSBNDRecognitionConfig",
    "Filtering",
    "FilteringConfig",
    "ForwardBackward",
    "ForwardBackwardConfig",
    "GaussianNoise",
    "GaussianNoiseConfig",
    "Gibbs",
    "GibbsConfig",
    "Iterative",
    "IterativeConfig",
    "Kalman",
    "KalmanConfig",
    "LearnedCorruption",
    "LearnedCorruptionConfig",
    "MeanField",
    "MeanFieldConfig",
    "MeanFieldVB",
    "MeanFieldVBConfig",
    "Noising",
    "NoisingConfig",
    "Optimised",
    "OptimisedConfig",
    "PolyaGamma",
    "PolyaGammaConfig",
    "Prior",
    "PriorConfig",
    "RecurrentFiltering",
    "RecurrentFilteringConfig",
    "SaltAndPepperConfig",
    "SaltAndPepperNoise",
    "Smoothing",
    "SmoothingConfig",
    "TSBNRecognition",
    "TSBNRecognitionConfig",
]
