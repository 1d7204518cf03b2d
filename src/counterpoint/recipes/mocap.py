"""Motion capture: table 2 of Gan et al. 2015 and its supplement."""

from typing import Literal

from counterpoint.inference import DTSBNDRecognitionConfig, TSBNRecognitionConfig
from counterpoint.models import DTSBNDConfig, TSBNConfig
from counterpoint.recipes.gan import network, regression
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

ABOUT = "{} of order 1, 100 units a layer, as in Gan et al. 2015"
ALONE = "The baseline without latent variables: linear regression on the last frame, each with its own scale"


def fit(decay: float, rate: float = 3e-3, select: Literal["bound", "prediction"] = "prediction") -> FitConfig:
    """What the tables compare is the error of prediction, so that selects: the scales of a Gaussian overfit first."""
    rule = OptimiserConfig(p=rate, decay=decay)
    return FitConfig(epochs=2000, patience=20, validate=10, select=select, buckets=1, batch_size=8, optimiser=rule)


def recipes(name: str, corpus: str, settings: FitConfig, residual: bool) -> list[Recipe]:
    """Three networks of 100 units a layer and linear regression on the last frame."""
    q = TSBNRecognitionConfig()
    voices = {
        "tsbn": (TSBNConfig(residual=residual), q),
        "dtsbn-s": (TSBNConfig(units=(100, 100), residual=residual), q),
        "dtsbn-d": (DTSBNDConfig(residual=residual), DTSBNDRecognitionConfig()),
    }
    added = "; predicts what changes from frame to frame" * residual
    made = [
        network(f"{name}-{k}", ABOUT.format(k.upper()) + added, corpus, p, q, settings) for k, (p, q) in voices.items()
    ]
    return [*made, regression(f"{name}-ar", ALONE + added, corpus, settings, residual=residual)]


def forgetful(name: str, corpus: str) -> Recipe:
    """The HMSBN, which has no W4 to be drawn anywhere."""
    p = TSBNConfig(sees=False)
    return network(f"{name}-hmsbn", ABOUT.format("HMSBN"), corpus, p, TSBNRecognitionConfig(), fit(0.1, 1e-2))


RECIPES = [
    *recipes("mit", "mocap_mit", fit(0.1), False),
    forgetful("mit", "mocap_mit"),
    # the runs of CMU's subject 35 are few, and unlike its walks: started at zero, W4 does not learn even to copy a run
    *recipes("cmu", "mocap_cmu35", fit(1.0), True),
    forgetful("cmu", "mocap_cmu35"),
    # but what such a network makes by itself stays in bounds, where additions to the last frame add up
    *recipes("cmu-zero", "mocap_cmu35", fit(0.1, 1e-3, "bound"), False),
]
