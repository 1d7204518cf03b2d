"""The four polyphonic corpora on the 2012 grid: table 3 of Gan et al. 2015, and the baseline that stands beside it."""

import dataclasses

from counterpoint.bounds import ELBO
from counterpoint.estimators import Pathwise, VIMCOConfig
from counterpoint.inference import PriorConfig, TSBNRecognitionConfig
from counterpoint.models import AutoregressiveConfig, TSBNConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

# corpus, published TSBN bound, and how long: crops and batches for long pieces
CORPORA = {
    "jsb": ("jsb_chorales", -7.48, FitConfig(epochs=1500, patience=60, validate=3, buckets=3)),
    "nottingham": ("nottingham", -3.67, FitConfig(epochs=150, patience=10, batch_size=32, crop=100, buckets=2)),
    "muse": ("musedata", -6.81, FitConfig(epochs=60, patience=6, batch_size=32, crop=100, buckets=2)),
    "piano": ("piano_midi", -7.98, FitConfig(epochs=150, patience=8, batch_size=32, crop=100, buckets=2)),
}


def recipes(name: str, corpus: str, published: float, fit: FitConfig) -> list[Recipe]:
    """TSBN and HMSBN of 100 units, order 1, and logistic regression on the last frame."""
    learn = dataclasses.replace(fit, optimiser=OptimiserConfig(p=3e-3, schedule="cosine"))
    shared = {
        "data": corpus,
        "q": TSBNRecognitionConfig(),
        "bound": ELBO(particles=4, closed_form=False),
        "estimator": VIMCOConfig(signal="local"),  # biased, and a little ahead of the unbiased reward_to_go
        "fit": learn,
    }
    return [
        Recipe(
            name=f"{name}-tsbn",
            about=f"TSBN of order 1, 100 units, as in Gan et al. 2015 (test bound {published})",
            p=TSBNConfig(units=(100,)),
            **shared,
        ),
        Recipe(
            name=f"{name}-hmsbn",
            about="HMSBN of 100 units: a TSBN that forgets what it saw",
            p=TSBNConfig(units=(100,), sees=False),
            **shared,
        ),
        Recipe(
            name=f"{name}-ar",
            about="The baseline without latent variables: logistic regression on the last frame",
            data=corpus,
            p=AutoregressiveConfig(order=1),
            q=PriorConfig(),
            bound=ELBO(),
            estimator=Pathwise(),
            fit=dataclasses.replace(fit, optimiser=OptimiserConfig(p=1e-2)),
        ),
    ]


RECIPES = [one for name, settings in CORPORA.items() for one in recipes(name, *settings)]
