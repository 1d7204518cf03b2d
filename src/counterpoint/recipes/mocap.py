"""Motion capture: table 2 of Gan et al. 2015 and its supplement."""

from counterpoint.bounds import ELBO
from counterpoint.estimators import Pathwise, VIMCOConfig
from counterpoint.inference import DTSBNDRecognitionConfig, PriorConfig, TSBNRecognitionConfig
from counterpoint.models import AutoregressiveConfig, DTSBNDConfig, TSBNConfig
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
    found = [
        Recipe(
            name=f"{name}-{kind}",
            about=f"{kind.upper()} of order 1, 100 units a layer, as in Gan et al. 2015",
            data=corpus,
            p=p,
            q=q,
            bound=ELBO(particles=4, closed_form=False),
            estimator=VIMCOConfig(signal="local"),
            fit=FIT,
        )
        for kind, (p, q) in voices.items()
    ]
    baseline = Recipe(
        name=f"{name}-ar",
        about="The baseline without latent variables: linear regression on the last frame, each with its own scale",
        data=corpus,
        p=AutoregressiveConfig(order=1),
        q=PriorConfig(),
        bound=ELBO(),
        estimator=Pathwise(),
        fit=FIT,
    )
    return [*found, baseline]


RECIPES = [*recipes("mit", "mocap_mit"), *recipes("cmu", "mocap_cmu35")]
