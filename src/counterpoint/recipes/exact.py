"""Hidden Markov models and linear dynamical systems, learned by expectation maximisation: log-likelihoods are exact.

Whole batches where they fit, so that an epoch is an iteration, in which the training log-likelihood does not fall;
on the long pieces crops, and ever smaller parts of the way to each M-step.
"""

from dataclasses import replace
from typing import Any

from counterpoint.bounds import ELBO
from counterpoint.estimators import EM
from counterpoint.inference import ForwardBackwardConfig, KalmanConfig
from counterpoint.models import HMMConfig, LDSConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

STEP = OptimiserConfig(name="sgd", p=1.0, clip=0.0)  # to the maximum itself
WHOLE = FitConfig(epochs=100, batch_size=256, buckets=1, patience=10, optimiser=STEP)
PORTIONS = replace(WHOLE, batch_size=64, crop=200, buckets=2, optimiser=replace(STEP, p=0.5, schedule="cosine"))
MOTION = replace(WHOLE, epochs=300, batch_size=32, select="prediction")
CORPORA = {
    "jsb": ("jsb_chorales", WHOLE),
    "nottingham": ("nottingham", PORTIONS),
    "muse": ("musedata", PORTIONS),
    "piano": ("piano_midi", PORTIONS),
}


def recipe(name: str, about: str, corpus: str, p: Any, q: Any, fit: FitConfig) -> Recipe:
    bound = ELBO(closed_form=False)  # each path of an exact q has weight p(x)
    return Recipe(name, f"{about}, by EM; exact", corpus, p, q, bound, EM(), fit, particles=0)


def hmm(name: str, corpus: str, states: int, emissions: str, fit: FitConfig) -> Recipe:
    about = f"HMM of {states} states, {emissions}"
    return recipe(f"{name}-hmm", about, corpus, HMMConfig(states), ForwardBackwardConfig(), fit)


def lds(name: str, corpus: str, latent: int, fit: FitConfig) -> Recipe:
    about = f"Linear dynamical system of {latent} dimensions"
    return recipe(f"{name}-lds", about, corpus, LDSConfig(latent), KalmanConfig(), fit)


RECIPES = [
    *(hmm(name, corpus, 50, "independent notes", fit) for name, (corpus, fit) in CORPORA.items()),
    *(
        hmm(name, corpus, 25, "diagonal Gaussians", MOTION)
        for name, corpus in (("mit", "mocap_mit"), ("cmu", "mocap_cmu35"))
    ),
    *(lds(name, corpus, 40, MOTION) for name, corpus in (("mit", "mocap_mit"), ("cmu", "mocap_cmu35"))),
]
