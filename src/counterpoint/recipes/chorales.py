"""The default: a variational recurrent network on the chorales that the package carries."""

from counterpoint.bounds import ELBO, Warmup
from counterpoint.estimators import Pathwise
from counterpoint.inference import FilteringConfig
from counterpoint.models import VRNNConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

RECIPES = [
    Recipe(
        name="chorales",
        about="VRNN on the Bach chorales that come with the package; trains in two to three minutes",
        data="chorales",
        p=VRNNConfig(latent=16, hidden=128, width=128, cell="gru"),
        q=FilteringConfig(width=128),
        bound=ELBO(kl_weight=Warmup(steps=500)),
        estimator=Pathwise(),
        fit=FitConfig(epochs=60, patience=10, batch_size=16, buckets=2, optimiser=OptimiserConfig(p=2e-3)),
    )
]
