"""JSB chorales on the 2012 grid, where the published numbers were measured."""

from counterpoint.bounds import ELBO, Warmup
from counterpoint.estimators import Pathwise
from counterpoint.inference import FilteringConfig
from counterpoint.models import VRNNConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

RECIPES = [
    Recipe(
        name="jsb-vrnn",
        about="VRNN with amortised filtering; AVF's SRNN reports 6.92 as a free energy",
        data="jsb_chorales",
        p=VRNNConfig(latent=32, hidden=200, width=200),
        q=FilteringConfig(width=200),
        bound=ELBO(kl_weight=Warmup(steps=1000)),
        estimator=Pathwise(),
        fit=FitConfig(epochs=200, patience=25, buckets=3, optimiser=OptimiserConfig(p=1e-3, decay=0.3)),
    ),
]
