"""Denoising auto-encoders and generative stochastic networks on grey digits, after Bengio et al. 2013 and 2014.

Sizes, corruption, noise and moves are those of the papers' code. It trains by gradient descent with momentum, and has
sigmoid units in the auto-encoder; here are Adam, and tanh. The papers keep no validation set; here the last 10000 of
the training digits validate, by what the first move reconstructs.
"""

from typing import Any

from counterpoint.bounds import Denoising
from counterpoint.estimators import WalkbackConfig
from counterpoint.inference import SaltAndPepperConfig
from counterpoint.models import DAEConfig, GSNConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig


def denoiser(name: str, about: str, p: Any, moves: int) -> Recipe:
    """On grey digits, whose entries are lost with probability 0.4."""
    rule = OptimiserConfig(p=1e-3, schedule="exponential", floor=0.1, clip=0.0)
    return Recipe(
        name=name,
        about=about,
        data="mnist_grey",
        p=p,
        q=SaltAndPepperConfig(0.4),
        bound=Denoising(information=False),  # the corruption is fixed
        estimator=WalkbackConfig(moves),
        fit=FitConfig(epochs=200, batch_size=100, buckets=1, patience=30, optimiser=rule),
        particles=0,
    )


RECIPES = [
    denoiser("mnist-dae", "Denoising auto-encoder of 2000 units on grey digits, walkback 5", DAEConfig(2000), 5),
    denoiser(
        "mnist-gsn",
        "Generative stochastic network of 1500-1500 units on grey digits, walkback 4 (Parzen 214 ± 1.1, quoted)",
        GSNConfig(),
        4,
    ),
]
