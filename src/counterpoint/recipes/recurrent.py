"""Music without latent variables: the recurrent baselines of Boulanger-Lewandowski et al. (2012), and an LSTM.

Exact log-likelihoods, on the four polyphonic corpora.
"""

from dataclasses import replace
from typing import Any

from counterpoint.bounds import ELBO
from counterpoint.estimators import Pathwise
from counterpoint.inference import PriorConfig
from counterpoint.models import RNNConfig, RNNNADEConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

LSTM: dict[str, Any] = {"hidden": 200, "cell": "lstm", "dropout": 0.4}
WHOLE = FitConfig(patience=20, buckets=3)
LONG = FitConfig(batch_size=16, crop=200, buckets=2, patience=10)
SHORT = replace(LONG, batch_size=8, crop=100)  # more updates for the time, where each is dear
# corpus; published log-likelihoods of the RNN and of RNN-NADE, as Gan et al. (2015) print them; what the RNN, the LSTM
# and those with a NADE learn from, and for how many passes
CORPORA: dict[str, tuple[str, tuple[float, float], dict[str, tuple[FitConfig, int]]]] = {
    "jsb": ("jsb_chorales", (-8.71, -5.56), {"rnn": (WHOLE, 300), "lstm": (WHOLE, 300), "nade": (WHOLE, 50)}),
    "nottingham": ("nottingham", (-4.46, -2.31), {"rnn": (LONG, 100), "lstm": (SHORT, 25), "nade": (SHORT, 12)}),
    "muse": ("musedata", (-8.13, -5.60), {"rnn": (LONG, 100), "lstm": (SHORT, 18), "nade": (SHORT, 9)}),
    "piano": ("piano_midi", (-8.37, -7.05), {"rnn": (LONG, 200), "lstm": (SHORT, 60), "nade": (SHORT, 30)}),
}
STEADY, FALLING = OptimiserConfig(p=3e-3), OptimiserConfig(p=1e-2, schedule="cosine")


def recipe(name: str, about: str, corpus: str, p: Any, fit: FitConfig) -> Recipe:
    return Recipe(name, about, corpus, p, PriorConfig(), ELBO(), Pathwise(), fit, particles=0)


def recipes(
    name: str, corpus: str, published: tuple[float, float], fits: dict[str, tuple[FitConfig, int]]
) -> list[Recipe]:
    """Logistic units and an LSTM, with notes independent given the past and with a NADE for them."""
    rule = {"rnn": STEADY, "lstm": FALLING, "nade": FALLING}
    fit = {kind: replace(some, epochs=passes, optimiser=rule[kind]) for kind, (some, passes) in fits.items()}
    logistic = "{}, logistic units (test {})"
    dropped = "{} of 200 units, dropout 0.4"
    return [
        recipe(f"{name}-rnn", logistic.format("RNN", published[0]), corpus, RNNConfig(), fit["rnn"]),
        recipe(f"{name}-lstm", dropped.format("LSTM"), corpus, RNNConfig(**LSTM), fit["lstm"]),
        recipe(f"{name}-rnn-nade", logistic.format("RNN-NADE", published[1]), corpus, RNNNADEConfig(), fit["nade"]),
        recipe(f"{name}-lstm-nade", dropped.format("LSTM-NADE"), corpus, RNNNADEConfig(**LSTM), fit["nade"]),
    ]


RECIPES = [one for name, settings in CORPORA.items() for one in recipes(name, *settings)]
