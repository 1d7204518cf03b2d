"""Training: fit, its checkpoints and its optimiser."""

from counterpoint.training.fit import FitConfig, Fitted, Progress, fit
from counterpoint.training.optimiser import OptimiserConfig

__all__ = ["FitConfig", "Fitted", "OptimiserConfig", "Progress", "fit"]
