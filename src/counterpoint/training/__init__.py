"""Training: fit, its checkpoints and its optimiser; expectation maximisation."""

from counterpoint.training.em import Maximised, em
from counterpoint.training.fit import FitConfig, Fitted, Progress, fit
from counterpoint.training.optimiser import OptimiserConfig

__all__ = ["FitConfig", "Fitted", "Maximised", "OptimiserConfig", "Progress", "em", "fit"]
