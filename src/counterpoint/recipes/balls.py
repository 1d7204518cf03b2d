"""Bouncing balls: supplementary table 1 of Gan et al. 2015."""

from dataclasses import replace
from typing import Any

from counterpoint.inference import DTSBNDRecognitionConfig, TSBNRecognitionConfig
from counterpoint.models import DTSBNDConfig, TSBNConfig
from counterpoint.recipes.gan import network, regression
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

DATA, SBN = "bouncing_balls", TSBNRecognitionConfig()
FIT = FitConfig(epochs=40, patience=5, buckets=1, batch_size=16, optimiser=OptimiserConfig(p=1e-3, schedule="cosine"))


def learned(name: str, about: str, p: Any, q: Any = SBN, epochs: int = 40, rate: float = 1e-3) -> Recipe:
    fit = replace(FIT, epochs=epochs, optimiser=replace(FIT.optimiser, p=rate))
    return network(f"balls-{name}", about, DATA, p, q, fit, draws=2, particles=0)


def counted(order: int) -> Recipe:
    about = f"The baseline without latent variables: logistic regression on the last {order} frames"
    return regression(f"balls-ar-{order}", about, DATA, replace(FIT, epochs=10), order, particles=0)


deep = (100, 100)
RECIPES = [
    learned("dtsbn-s-2", "DTSBN-S 100-100 of order 2 (error 2.79)", TSBNConfig(units=deep, order=2)),
    learned("dtsbn-d-2", "DTSBN-D of order 2 (error 2.99)", DTSBNDConfig(order=2), DTSBNDRecognitionConfig(), 20),
    learned("dtsbn-s-1", "DTSBN-S 100-100 of order 1 (error 10.39)", TSBNConfig(units=deep), epochs=30, rate=1e-2),
    *(
        learned(f"tsbn-{n}", f"TSBN of order {n}, 100 units (error {error})", TSBNConfig(order=n), SBN, epochs, rate)
        for n, error, epochs, rate in ((1, 9.48, 24, 1e-2), (2, 4.00, 20, 1e-3), (4, 3.07, 25, 1e-3))
    ),
    learned("hmsbn", "HMSBN, 100 units (error 23.94)", TSBNConfig(sees=False), epochs=60, rate=1e-2),
    counted(1),
    counted(2),
]
