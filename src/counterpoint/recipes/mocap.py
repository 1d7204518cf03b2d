"""Motion capture: table 2 of Gan et al. 2015 and its supplement."""

from dataclasses import replace

from counterpoint.inference import DTSBNDRecognitionConfig, TSBNRecognitionConfig
from counterpoint.models import DTSBNDConfig, TSBNConfig
from counterpoint.recipes.gan import network, regression
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

FIT = FitConfig(epochs=2000, patience=20, validate=10, buckets=1, batch_size=8)


def recipes(name: str, corpus: str, decay: float, residual: bool) -> list[Recipe]:
    """Four networks of 100 units a layer and linear regression on the last frame."""
    q, fit = TSBNRecognitionConfig(), replace(FIT, optimiser=OptimiserConfig(p=1e-3, decay=decay))
    voices = {
        "tsbn": (TSBNConfig(residual=residual), q),
        "dtsbn-s": (TSBNConfig(units=(100, 100), residual=residual), q),
        "dtsbn-d": (DTSBNDConfig(residual=residual), DTSBNDRecognitionConfig()),
        "hmsbn": (TSBNConfig(sees=False), q),
    }
    about = "{} of order 1, 100 units a layer, as in Gan et al. 2015"
    found = [network(f"{name}-{k}", about.format(k.upper()), corpus, p, q, fit) for k, (p, q) in voices.items()]
    alone = "The baseline without latent variables: linear regression on the last frame, each with its own scale"
    return [*found, regression(f"{name}-ar", alone, corpus, fit, residual=residual)]


RECIPES = [
    *recipes("mit", "mocap_mit", 0.1, False),
    # the runs of CMU's subject 35 are few, and unlike its walks: started at zero, W4 does not learn even to copy a run
    *recipes("cmu", "mocap_cmu35", 1.0, True),
    # but what such a network makes by itself stays in bounds, where additions to the last frame add up
    *recipes("cmu-zero", "mocap_cmu35", 0.1, False),
]
