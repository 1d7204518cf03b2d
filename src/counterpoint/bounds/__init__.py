"""Bounds, one a file. A bound is its own configuration."""

from counterpoint.bounds.annealed import Annealed
from counterpoint.bounds.denoising import Denoising
from counterpoint.bounds.elbo import ELBO
from counterpoint.bounds.fivo import FIVO
from counterpoint.bounds.iwae import IWAE
from counterpoint.bounds.score import score
from counterpoint.bounds.trajectory_kl import TrajectoryKL
from counterpoint.bounds.warmup import Warmup

__all__ = ["ELBO", "FIVO", "IWAE", "Annealed", "Denoising", "TrajectoryKL", "Warmup", "score"]
