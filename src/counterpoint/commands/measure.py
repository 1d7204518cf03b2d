"""Test bounds of a run's members and of the baselines, all by the same `evaluate`."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import random

from counterpoint.bounds import ELBO, FIVO, IWAE
from counterpoint.commands.stopping import Stopped
from counterpoint.core import AbstractBound, Pairing
from counterpoint.data import Corpus
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import Facts
from counterpoint.estimators import Pathwise
from counterpoint.evaluation import Prediction, Score, evaluate
from counterpoint.inference import PriorConfig
from counterpoint.models import AutoregressiveConfig
from counterpoint.recipes import Recipe
from counterpoint.training import FitConfig, OptimiserConfig, fit

BOUND = "Lower bounds on the log-likelihood, nats per step, higher is better."
LOSS = (
    "Lower bounds with minus the cross-entropy of grey values in the likelihood's place: a loss, not a likelihood."
    " Nats per step, higher is better."
)
AVERAGES = " Per step: total nats by total steps. Per sequence: mean over sequences of nats by steps."
ONE = " ± is the Monte Carlo standard error."
MANY = " ± is the standard deviation over repeats."
FIRST = "autoregressive, first order"
STEPS = 3000  # that the first-order baseline trains at most: seconds


def bounds(own: AbstractBound, particles: int) -> dict[str, AbstractBound]:
    """The bounds a test set is measured with: ELBO, IWAE-K, FIVO-K, and the one that was trained."""
    found = {"ELBO": own if own.label == "ELBO" else ELBO()}
    if particles:
        found |= {bound.label: bound for bound in (IWAE(particles=particles), FIVO(particles=particles))}
    return found | {own.label: own}


def normalised(known: Facts) -> bool:
    """Whether the likelihood is one, and not a loss in its place."""
    return known.family(jnp.zeros(known.family.size)).normalised


def caption(known: Facts) -> str:
    """What the numbers of a table are, for data with these facts."""
    return (BOUND if normalised(known) else LOSS) + AVERAGES


def axis(known: Facts) -> str:
    """The same for an axis."""
    return "bound on log-likelihood" if normalised(known) else "bound with minus the cross-entropy, a loss"


def measure(
    pairings: Sequence[Pairing], sequences: Sequences, particles: int, key, replicates: int
) -> list[dict[str, Score]]:
    """One set of scores for each member."""
    return [
        evaluate(a.p, a.q, sequences, bounds(a.bound, particles), random.fold_in(key, i), replicates)
        for i, a in enumerate(pairings)
    ]


def baselines(recipe: Recipe, corpus: Corpus, key) -> dict[str, dict[str, Score]]:
    """Frames that are independent of each other, and frames that see the one before, both without z: exact."""
    known, found = recipe.facts(corpus), {}
    name = {"bernoulli": "independent Bernoulli"}.get(known.family.name, f"independent {known.family.name}")
    for title, pairing in ((name, linear(known, 0)), (FIRST, first_order(recipe, corpus))):
        found[title] = {"exact": evaluate(pairing.p, pairing.q, corpus.test, {"exact": ELBO()}, key, 2)["exact"]}
    return found


def linear(known: Facts, order: int) -> Pairing:
    """The autoregressive model as it starts: every frame from the marginal of the training frames."""
    key = random.key(0)
    p = AutoregressiveConfig(order=order).build(known, key)
    return Pairing(p, PriorConfig().build(p, known, key), ELBO(), Pathwise())


def first_order(recipe: Recipe, corpus: Corpus) -> Pairing:
    """Every frame from the one before; trained in the portions of the recipe.

    Raises Stopped where a signal came, for a baseline half trained would be a false one.
    """
    per_epoch = max(1, len(corpus.train) // recipe.fit.batch_size)
    config = FitConfig(
        epochs=max(3, min(200, STEPS // per_epoch)),
        batch_size=recipe.fit.batch_size,
        buckets=recipe.fit.buckets,
        crop=recipe.fit.crop,
        patience=5,
        optimiser=OptimiserConfig(p=1e-2),
    )
    fitted = fit(linear(recipe.facts(corpus), 1), corpus.train, corpus.valid, config)
    if fitted.stopped:
        raise Stopped(fitted.stopped)
    return fitted.pairings[0]


def last_frames(sequences: Sequences, kind: str) -> Prediction:
    """x^_t = x_t-1, the prediction that has learned nothing; a category (kind "index") as a certainty. x^_1 is zero,
    and is never scored."""
    x = sequences.x
    if kind == "index":
        count = 1 + max(int(a.max()) for a in x)
        x = tuple(np.eye(count)[a.astype(int)] for a in x)
    return Prediction(tuple(np.concatenate([np.zeros_like(a[:1]), a[:-1]]) for a in x))


def summary(scores: Sequence[Score]) -> dict[str, Any]:
    """Both averages of one bound over members, as JSON: mean, and standard error or spread."""
    out: dict[str, Any] = {}
    for average in ("per_step", "per_sequence"):
        values = [getattr(score, average) for score in scores]
        out[average] = statistics.fmean(values)
        if len(scores) > 1:
            out[f"{average}_spread_over_repeats"] = statistics.stdev(values)
            out[f"{average}_members"] = values
        else:
            out[f"{average}_monte_carlo_error"] = getattr(scores[0], f"{average}_error")
            out[f"{average}_error_over_sequences"] = getattr(scores[0], f"{average}_spread")
    return out


def rows(model: str, results: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Rows of the table: one for each bound."""
    found = []
    for bound, values in results.items():
        row = {"test bound": bound, "model": model if not found else ""}
        for average, column in (("per_step", "per step"), ("per_sequence", "per sequence")):
            error = values.get(f"{average}_spread_over_repeats", values.get(f"{average}_monte_carlo_error"))
            plus = "" if error is None or error != error else f" ± {error:.3f}"
            row[column] = f"{values[average]:.3f}{plus if bound != 'exact' else ''}"
        found.append(row)
    return found


COLUMNS = ("model", "test bound", "per step", "per sequence")
