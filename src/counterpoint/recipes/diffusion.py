"""Learned reversals of noising chains, after Sohl-Dickstein et al. 2015."""

from counterpoint.bounds import ELBO
from counterpoint.estimators import MonteCarloEM, Pathwise
from counterpoint.inference import NoisingConfig
from counterpoint.models import DiffusionConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

RECIPES = [
    Recipe(
        name="swiss-roll-diffusion",
        about="A Gaussian noising chain of 40 steps on a spiral, and its learned reversal (Sohl-Dickstein et al. 2015)",
        data="swiss_roll",
        p=DiffusionConfig(),
        q=NoisingConfig(),
        bound=ELBO(),
        estimator=Pathwise(),
        fit=FitConfig(
            epochs=60, patience=15, batch_size=200, buckets=1, optimiser=OptimiserConfig(p=3e-3, schedule="cosine")
        ),
    ),
    Recipe(
        name="mnist-diffusion",
        about="A binomial noising chain of 40 steps on binarised digits, and its learned reversal by one network",
        data="mnist",
        p=DiffusionConfig(width=1000),
        q=NoisingConfig(),
        bound=ELBO(),
        estimator=MonteCarloEM(),  # q has nothing to learn
        fit=FitConfig(
            epochs=200, patience=15, batch_size=100, buckets=1, optimiser=OptimiserConfig(p=1e-3, schedule="cosine")
        ),
    ),
]
