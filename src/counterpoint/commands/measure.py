"""Test bounds of a run's members and of the baselines, all by the same `evaluate`."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jax import random

from counterpoint.bounds import ELBO
from counterpoint.core import Pairing
from counterpoint.data import Corpus
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import Facts
from counterpoint.evaluation import Score, evaluate, standard_bounds
from counterpoint.evaluation.baselines import first_order, linear, normalised
from counterpoint.recipes import Recipe
from counterpoint.stopping import Stopped

BETTER = " nats per step, higher is better."
LOSS = "minus the cross-entropy of grey values, a loss in the likelihood's place,"
SIDES = {
    "exact": " (exact): the log-likelihood itself.",
    "above": " (above): no lower bound, on average above.",
    "neither": " (no bound): on no side for certain.",
    "estimated": " (Z estimated): log Z is on average too small, which flatters the model, so this is no bound.",
}
SHORT = {"estimated": " (Z estimated)", "exact": " (exact)"}  # marks that no title has
AVERAGES = " Per step: total nats by total steps. Per sequence: mean over sequences of nats by steps."
ONE = " ± is the Monte Carlo standard error."
MANY = " ± is the standard deviation over repeats."
FIRST = "autoregressive, first order"
WIDE = 2000  # numbers of a frame


def caption(known: Facts, sides: Iterable[str] = ("below",)) -> str:
    """What the numbers of a table are, for data with these facts, of scores on these sides of log p."""
    marked = "".join(said for side, said in SIDES.items() if side in sides)
    what = "the log-likelihood," if normalised(known) else LOSS
    if set(sides) == {"exact"}:
        return what[0].upper() + what[1:] + " exact," + BETTER + AVERAGES
    return f"Lower bounds{', but where marked,' if marked else ''} on {what}" + BETTER + marked + AVERAGES


def axis(known: Facts, side: str) -> str:
    """The same for an axis."""
    if side == "exact":
        return "log-likelihood" if normalised(known) else "minus the cross-entropy, a loss"
    what = "bound" if side == "below" else "estimate, no lower bound,"
    return what + (" on log-likelihood" if normalised(known) else " with minus the cross-entropy, a loss")


def spreads(rows: Iterable[Mapping[str, str]], repeats: bool) -> str:
    """What ± is in these rows; nothing where there is none."""
    return (MANY if repeats else ONE) if any("±" in cell for row in rows for cell in row.values()) else ""


def measure(
    pairings: Sequence[Pairing], sequences: Sequences, particles: int, key, replicates: int
) -> list[dict[str, Score]]:
    """One set of scores for each member."""
    return [
        evaluate(a.p, a.q, sequences, standard_bounds(a, particles), random.fold_in(key, i), replicates)
        for i, a in enumerate(pairings)
    ]


def baselines(recipe: Recipe, corpus: Corpus, key) -> dict[str, dict[str, Score]]:
    """Frames that are independent of each other, and, where there is one before, frames that see it; both without z."""
    known, found = recipe.facts(corpus), {}
    pairings = {f"independent {label(known.family.name)}": linear(known, 0)}
    if (beside := first(recipe, corpus)) is not None:
        pairings[FIRST] = beside
    for title, pairing in pairings.items():
        found[title] = {"exact": evaluate(pairing.p, pairing.q, corpus.test, {"exact": ELBO()}, key, 2)["exact"]}
    return found


def label(family: str) -> str:
    """A key of FAMILIES in words: discretised Gaussian."""
    return " ".join(word.title() if word in ("bernoulli", "gaussian") else word for word in family.split("_"))


def first(recipe: Recipe, corpus: Corpus) -> Pairing | None:
    """The first-order baseline of a run; none where nothing comes before a frame, nor where its matrix from frame to
    frame would outgrow the models, as of videos it would. Raises Stopped where a signal came."""
    known = recipe.facts(corpus)
    if corpus.train.lengths.max() == 1 or known.family.width > WIDE:
        return None
    fitted = first_order(known, corpus, recipe.fit)
    if fitted.stopped:
        raise Stopped(fitted.stopped)
    return fitted.pairings[0]


def summary(scores: Sequence[Score]) -> dict[str, Any]:
    """Both averages of one bound over members, as JSON: mean, and standard error or spread; and its side of log p."""
    out: dict[str, Any] = {"side": scores[0].side}
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
        side = values["side"]
        row = {"test bound": bound if bound == side else bound + SHORT.get(side, ""), "model": "" if found else model}
        for average, column in (("per_step", "per step"), ("per_sequence", "per sequence")):
            noise = None if side == "exact" else values.get(f"{average}_monte_carlo_error")
            error = values.get(f"{average}_spread_over_repeats", noise)
            plus = "" if error is None or error != error else f" ± {error:.3f}"
            row[column] = f"{values[average]:.3f}{plus}"
        found.append(row)
    return found


COLUMNS = ("model", "test bound", "per step", "per sequence")
