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

LONG = FitConfig(batch_size=16, crop=200, buckets=2, patience=10)
LSTM: dict[str, Any] = {"hidden": 200, "cell": "lstm", "dropout": 0.4}
# corpus; published log-likelihoods of the RNN and of RNN-NADE, as Gan et al. (2015) print them; how long
CORPORA = {
    "jsb": ("jsb_chorales", (-8.71, -5.56), FitConfig(epochs=300, patience=20, buckets=3)),
    "nottingham": ("nottingham", (-4.46, -2.31), replace(LONG, epochs=100)),
    "muse": ("musedata", (-8.13, -5.60), replace(LONG, epochs=100)),
    "piano": ("piano_midi", (-8.37, -7.05), replace(LONG, epochs=200)),
}


OPTIMISERS = {"logistic": OptimiserConfig(p=3e-3), "lstm": OptimiserConfig(p=1e-2, schedule="cosine")}


def recipe(name: str, about: str, corpus: str, p: Any, fit: FitConfig) -> Recipe:
    fit = replace(fit, optimiser=OPTIMISERS[p.cell])
    q, bound, estimator = PriorConfig(), ELBO(), Pathwise()
    return Recipe(name, about, corpus, p, q, bound, estimator, fit, particles=0)


def recipes(name: str, corpus: str, published: tuple[float, float], fit: FitConfig) -> list[Recipe]:
    """Logistic units and an LSTM, with notes independent given the past and with a NADE for them."""
    rnn, nade = published
    dropped = "{} of 200 units, dropout 0.4"
    return [
        recipe(f"{name}-rnn", f"RNN, logistic units (test {rnn})", corpus, RNNConfig(), fit),
        recipe(f"{name}-lstm", dropped.format("LSTM"), corpus, RNNConfig(**LSTM), fit),
        recipe(f"{name}-rnn-nade", f"RNN-NADE, logistic units (test {nade})", corpus, RNNNADEConfig(), fit),
        recipe(f"{name}-lstm-nade", dropped.format("LSTM-NADE"), corpus, RNNNADEConfig(**LSTM), fit),
    ]


RECIPES = [one for name, settings in CORPORA.items() for one in recipes(name, *settings)]
