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
# corpus; published log-likelihoods of the RNN and of RNN-NADE, as Gan et al. (2015) print them; what the RNN and what
# the others learn from, and for how many passes: of the RNN, of the LSTM, of those with a NADE
CORPORA = {
    "jsb": ("jsb_chorales", (-8.71, -5.56), (WHOLE, WHOLE), (300, 300, 50)),
    "nottingham": ("nottingham", (-4.46, -2.31), (LONG, SHORT), (100, 25, 12)),
    "muse": ("musedata", (-8.13, -5.60), (LONG, SHORT), (100, 18, 9)),
    "piano": ("piano_midi", (-8.37, -7.05), (LONG, SHORT), (200, 60, 30)),
}
STEADY, FALLING = OptimiserConfig(p=3e-3), OptimiserConfig(p=1e-2, schedule="cosine")


def recipe(name: str, about: str, corpus: str, p: Any, fit: FitConfig) -> Recipe:
    return Recipe(name, about, corpus, p, PriorConfig(), ELBO(), Pathwise(), fit, particles=0)


def recipes(
    name: str,
    corpus: str,
    published: tuple[float, float],
    fits: tuple[FitConfig, FitConfig],
    epochs: tuple[int, int, int],
) -> list[Recipe]:
    """Logistic units and an LSTM, with notes independent given the past and with a NADE for them."""
    rnn = replace(fits[0], epochs=epochs[0], optimiser=STEADY)
    lstm, nade = (replace(fits[1], epochs=count, optimiser=FALLING) for count in epochs[1:])
    logistic = "{}, logistic units (test {})"
    dropped = "{} of 200 units, dropout 0.4"
    return [
        recipe(f"{name}-rnn", logistic.format("RNN", published[0]), corpus, RNNConfig(), rnn),
        recipe(f"{name}-lstm", dropped.format("LSTM"), corpus, RNNConfig(**LSTM), lstm),
        recipe(f"{name}-rnn-nade", logistic.format("RNN-NADE", published[1]), corpus, RNNNADEConfig(), nade),
        recipe(f"{name}-lstm-nade", dropped.format("LSTM-NADE"), corpus, RNNNADEConfig(**LSTM), nade),
    ]


RECIPES = [one for name, settings in CORPORA.items() for one in recipes(name, *settings)]
