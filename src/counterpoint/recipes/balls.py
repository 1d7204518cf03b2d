"""Bouncing balls: supplementary table 1 of Gan et al. 2015."""

from counterpoint.bounds import ELBO
from counterpoint.estimators import Pathwise, VIMCOConfig
from counterpoint.inference import DTSBNDRecognitionConfig, PriorConfig, TSBNRecognitionConfig
from counterpoint.models import AutoregressiveConfig, DTSBNDConfig, TSBNConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

FIT = FitConfig(epochs=40, patience=5, buckets=1, batch_size=16, optimiser=OptimiserConfig(p=1e-3, schedule="cosine"))


def learned(name: str, about: str, p, q) -> Recipe:
    return Recipe(
        name=f"balls-{name}",
        about=about,
        data="bouncing_balls",
        p=p,
        q=q,
        bound=ELBO(particles=2, closed_form=False),
        estimator=VIMCOConfig(signal="local"),
        fit=FIT,
        particles=0,
    )


def counted(order: int) -> Recipe:
    return Recipe(
        name=f"balls-ar-{order}",
        about=f"The baseline without latent variables: logistic regression on the last {order} frames",
        data="bouncing_balls",
        p=AutoregressiveConfig(order=order),
        q=PriorConfig(),
        bound=ELBO(),
        estimator=Pathwise(),
        fit=FIT,
        particles=0,
    )


deep, q = (100, 100), TSBNRecognitionConfig()
RECIPES = [
    learned("dtsbn-s-2", "DTSBN-S 100-100 of order 2 (error 2.79)", TSBNConfig(units=deep, order=2), q),
    learned("dtsbn-d-2", "DTSBN-D of order 2 (error 2.99)", DTSBNDConfig(order=2), DTSBNDRecognitionConfig()),
    learned("dtsbn-s-1", "DTSBN-S 100-100 of order 1 (error 10.39)", TSBNConfig(units=deep), q),
    *(
        learned(f"tsbn-{order}", f"TSBN of order {order}, 100 units (error {error})", TSBNConfig(order=order), q)
        for order, error in ((1, 9.48), (2, 4.00), (4, 3.07))
    ),
    learned("hmsbn", "HMSBN, 100 units (error 23.94)", TSBNConfig(sees=False), q),
    counted(1),
    counted(2),
]
