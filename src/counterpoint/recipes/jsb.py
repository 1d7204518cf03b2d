"""JSB chorales on the 2012 grid, where the published numbers were measured."""

from counterpoint.bounds import ELBO, Warmup
from counterpoint.estimators import Pathwise, ScoreFunctionConfig
from counterpoint.inference import FilteringConfig, PriorConfig, TSBNRecognitionConfig
from counterpoint.models import AutoregressiveConfig, TSBNConfig, VRNNConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

RECIPES = [
    Recipe(
        name="jsb-tsbn",
        about="TSBN of order 1, 100 units, as in Gan et al. 2015 (test bound -7.48)",
        data="jsb_chorales",
        p=TSBNConfig(units=(100,), order=1),
        q=TSBNRecognitionConfig(),
        bound=ELBO(particles=4, closed_form=False),
        estimator=ScoreFunctionConfig(signal="local"),  # biased, and ahead of the unbiased reward_to_go here
        fit=FitConfig(epochs=1000, patience=100, buckets=3, optimiser=OptimiserConfig(p=3e-3, schedule="cosine")),
    ),
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
    Recipe(
        name="jsb-ar",
        about="The baseline without latent variables: logistic regression on the last frame",
        data="jsb_chorales",
        p=AutoregressiveConfig(order=1),
        q=PriorConfig(),
        bound=ELBO(),
        estimator=Pathwise(),
        fit=FitConfig(epochs=400, patience=20, buckets=2, optimiser=OptimiserConfig(p=1e-2)),
    ),
]
