"""Polyphonic music by a deep Markov model with the smoothing posterior that Krishnan et al. 2017 call DKS.

Sizes and rate are those of the paper, whose runs of 2000 passes stop early, with a warm-up of the KL of 5000 updates.
Here some 2000 updates, an hour or two of one core, have a warm-up of 500 and a rate that falls; weights decay where
pieces are few, and long pieces are learned from crops.
"""

from counterpoint.bounds import ELBO, Warmup
from counterpoint.estimators import Pathwise
from counterpoint.inference import SmoothingConfig
from counterpoint.models import DMMConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

# corpus, published bound, crop, passes at most, decay of weights
CORPORA = {
    "jsb": ("jsb_chorales", -6.856, None, 130, 1.0),
    "nottingham": ("nottingham", -2.954, 100, 18, 0.0),
    "muse": ("musedata", -6.203, 100, 12, 0.0),
    "piano": ("piano_midi", -8.246, 100, 40, 0.0),
}


def recipe(name: str, corpus: str, published: float, crop: int | None, epochs: int, decay: float) -> Recipe:
    return Recipe(
        name=f"{name}-dmm",
        about=f"DMM, smoothing (Krishnan et al. 2017: test bound {published}, mean over sequences)",
        data=corpus,
        p=DMMConfig(),
        q=SmoothingConfig(hidden=600, width=600, cell="lstm"),
        bound=ELBO(kl_weight=Warmup(500)),
        estimator=Pathwise(),
        fit=FitConfig(
            epochs=epochs,
            batch_size=16,
            buckets=2,
            crop=crop,
            patience=30,
            optimiser=OptimiserConfig(p=8e-4, schedule="cosine", decay=decay),
        ),
        particles=0,
    )


RECIPES = [recipe(name, *settings) for name, settings in CORPORA.items()]
