"""Motion capture: table 2 of Gan et al. 2015 and its supplement."""

from counterpoint.inference import DTSBNDRecognitionConfig, TSBNRecognitionConfig
from counterpoint.models import DTSBNDConfig, TSBNConfig
from counterpoint.recipes.gan import network, regression
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

OPTIMISER = OptimiserConfig(p=1e-3, decay=0.1)
FIT = FitConfig(epochs=2000, patience=20, validate=10, buckets=1, batch_size=8, optimiser=OPTIMISER)


def recipes(name: str, corpus: str) -> list[Recipe]:
    """Four networks of 100 units a layer and linear regression on the last frame."""
    q = TSBNRecognitionConfig()
    voices = {
        "tsbn": (TSBNConfig(), q),
        "dtsbn-s": (TSBNConfig(units=(100, 100)), q),
        "dtsbn-d": (DTSBNDConfig(), DTSBNDRecognitionConfig()),
        "hmsbn": (TSBNConfig(sees=False), q),
    }
    about = "{} of order 1, 100 units a layer, as in Gan et al. 2015"
    found = [network(f"{name}-{k}", about.format(k.upper()), corpus, p, q, FIT) for k, (p, q) in voices.items()]
    alone = "The baseline without latent variables: linear regression on the last frame, each with its own scale"
    return [*found, regression(f"{name}-ar", alone, corpus, FIT)]


RECIPES = [*recipes("mit", "mocap_mit"), *recipes("cmu", "mocap_cmu35")]
