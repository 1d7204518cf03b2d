"""What stands in a cell: numbers of a trained pair on the test set of its corpus, one for each repeat."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

from jax import random

from counterpoint.bounds import ELBO, IWAE, Annealed
from counterpoint.core import Pairing
from counterpoint.data import Corpus
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError, nearest
from counterpoint.evaluation import (
    Score,
    WordPrediction,
    active_units,
    error,
    evaluate,
    held_out_words,
    parzen_windows,
    predict,
    standard_bounds,
    unit_variances,
    word_baselines,
)
from counterpoint.evaluation.baselines import last_frames, linear
from counterpoint.evaluation.likelihood import TEMPERATURES

Report = Mapping[tuple[str, str], list[Any]]  # (label, average) -> a number of each repeat
REPLICATES = 4  # measurements of each bound, as in results.json
TRIALS = 100  # sequences that an error of single samples is averaged over at least
SAMPLES = 50  # of the prediction that is a mean
PARTICLES = 16
MANY = 5000  # importance samples of the log-likelihood of still images
DRAWS = 20  # that MP and PP are averaged over, or their prediction is


def measured(
    names: Sequence[str], pairings: Sequence[Pairing], corpus: Corpus, key, report: Report | None = None
) -> dict[str, list[float]]:
    """Each measure of each repeat's pairing; `NAME:SEQUENCE` takes one test sequence, by its name, alone.

    Repeat i draws from fold_in(key, i), as for results.json, so that an average of a bound that stands in its `report`,
    by label and average, is taken from there. Measures that are parts of one computation share it. Raises what `check`
    raises, and CounterpointError where no test sequence has that name.
    """
    for name in names:
        check(name)
    found: dict[str, list[float]] = reported(names, report or {})
    left = [name for name in names if name not in found]
    found |= {name: [] for name in left}
    for i, pairing in enumerate(pairings):
        done = {}
        for name in left:
            what, _, which = name.partition(":")
            compute, read = MEASURES[what]
            if (compute, which) not in done:
                done[compute, which] = compute(pairing, alone(corpus, which), random.fold_in(key, i))
            found[name].append(float(read(done[compute, which])))
    return found


def reported(names: Sequence[str], report: Report) -> dict[str, list[float]]:
    """Those of the measures that a report has; one that was not finite it has not."""
    found = {name: report.get(IN_REPORTS.get(name, ("", "")), [None]) for name in names}
    return {name: values for name, values in found.items() if None not in values}


def alone(corpus: Corpus, which: str) -> Corpus:
    """The corpus with no test sequence but that of this name; the whole where none is named."""
    if not which:
        return corpus
    return replace(corpus, test=corpus.test.take([corpus.test.find(which)]))


def check(name: str) -> None:
    """Raise CounterpointError for a name that is no measure."""
    what = name.partition(":")[0]
    if what not in MEASURES:
        raise CounterpointError(f"no measure is called {what!r}{nearest(what, MEASURES)}")


def untrained(name: str) -> bool:
    """Whether a measure is the same whatever was trained."""
    return MEASURES[name.partition(":")[0]][0] in UNTRAINED


def likelihood(label: str, pairing: Pairing, corpus: Corpus, key) -> Score:
    """A bound on the log-likelihood, in nats."""
    chosen = {label: standard_bounds(pairing, PARTICLES)[label]}
    return evaluate(pairing.p, pairing.q, corpus.test, chosen, key, REPLICATES)[label]


def later_frames(pairing: Pairing, corpus: Corpus, key) -> Score:
    """The ELBO of all frames but the first, over the number of all, as the code of Marino et al. 2018 scores: that of
    whole sequences less that of their beginnings. Of a q that sees no future; of another it means nothing."""
    whole, beginnings = corpus.test, corpus.test.first(len(corpus.test), 1)
    known, begun = (likelihood("ELBO", pairing, replace(corpus, test=part), key) for part in (whole, beginnings))
    return replace(known, values=known.values - begun.values)


def log_likelihood(pairing: Pairing, corpus: Corpus, key) -> Score:
    """IWAE-5000, once: what papers on still images call the log-likelihood."""
    return evaluate(pairing.p, pairing.q, corpus.test, {"": IWAE(MANY)}, key, 1)[""]


def windows(pairing: Pairing, corpus: Corpus, key) -> float:
    """Mean log-density of the test frames under Gaussians around 10000 samples."""
    return parzen_windows(pairing.p, pairing.q, corpus, key).mean


def units(pairing: Pairing, corpus: Corpus, key) -> int:
    """Units of z whose mean, given x, varies over the test set, of all layers."""
    return active_units(unit_variances(pairing.p, pairing.q, corpus.test, key))


def marginal(pairing: Pairing, corpus: Corpus, key) -> Score:
    """log p(x_i), exact, where every frame is drawn from the marginal of the training frames, by the usual law of their
    kind: a baseline, whatever the pairing is."""
    independent = linear(facts(corpus.train.x, corpus.kind, corpus.train.observed), 0)
    return evaluate(independent.p, independent.q, corpus.test, {"exact": ELBO()}, key, 2)["exact"]


def annealed(bound: Annealed, pairing: Pairing, corpus: Corpus, key) -> Score:
    """log p(x_i) of an undirected p, as `bound` estimates it, in nats."""
    return evaluate(pairing.p, pairing.q, corpus.test, {bound.label: bound}, key, 1)[bound.label]


def prediction_error(pairing: Pairing, corpus: Corpus, key) -> float:
    """mean_i mean_t=2..T_i sum_dims (x_t - x^_t)^2, x^ from one sample of z, as Gan et al. 2015 measure it.

    A small set is predicted several times over, so that TRIALS single samples at least are averaged.
    """
    test = corpus.test.take(list(range(len(corpus.test))) * max(1, -(-TRIALS // len(corpus.test))))
    return error(predict(pairing.p, pairing.q, test, key), test).mean


def prediction_error_mean(pairing: Pairing, corpus: Corpus, key) -> float:
    """The same with x^ the mean over SAMPLES samples: smaller for that alone."""
    return error(predict(pairing.p, pairing.q, corpus.test, key, SAMPLES), corpus.test).mean


def copy_error(pairing: Pairing, corpus: Corpus, key) -> float:
    """The same with x^_t = x_t-1: no model at all."""
    return error(last_frames(corpus.test, corpus.kind), corpus.test).mean


def words(pairing: Pairing, corpus: Corpus, key) -> WordPrediction:
    """Held-out words of the years that were trained on, and of the year after them."""
    return held_out_words(pairing.p, pairing.q, corpus.train, corpus.test.x[0], key, DRAWS)


def counted(pairing: Pairing, corpus: Corpus, key) -> dict[str, tuple[float, float]]:
    """(MP, PP) where words are expected as often as they were in all training years, in the year itself, or in the
    year before: baselines, whatever the pairing is."""
    return word_baselines(corpus.train.x[0], corpus.test.x[0])


elbo, iwae, fivo = (partial(likelihood, label) for label in ("ELBO", f"IWAE-{PARTICLES}", f"FIVO-{PARTICLES}"))
chains = [Annealed(TEMPERATURES, conservative=side) for side in (True, False)]
below, above = (partial(annealed, bound) for bound in chains)
# measures that reports may have
IN_REPORTS = {
    "elbo_per_step": ("ELBO", "per_step"),
    "elbo_per_sequence": ("ELBO", "per_sequence"),
    "iwae_per_sequence": (f"IWAE-{PARTICLES}", "per_sequence"),
    "fivo_per_sequence": (f"FIVO-{PARTICLES}", "per_sequence"),
    "annealed_per_sequence": (chains[0].label, "per_sequence"),
    "annealed_per_step": (chains[0].label, "per_step"),
}
per_sequence, per_step = attrgetter("per_sequence"), attrgetter("per_step")
# by name: what is computed of (pairing, corpus, key), and which number of it is meant
MEASURES: dict[str, tuple[Callable[[Pairing, Corpus, Any], Any], Callable[[Any], float]]] = {
    "elbo_per_sequence": (elbo, per_sequence),
    "later_frames_per_sequence": (later_frames, per_sequence),
    "elbo_per_step": (elbo, per_step),
    "negative_elbo": (elbo, lambda score: -score.per_sequence),
    "iwae_per_sequence": (iwae, per_sequence),
    "fivo_per_sequence": (fivo, per_sequence),
    "annealed_per_sequence": (below, per_sequence),
    "annealed_per_step": (below, per_step),
    "ais_per_sequence": (above, per_sequence),
    "ais_per_step": (above, per_step),
    "log_likelihood": (log_likelihood, per_sequence),
    "active_units": (units, float),
    "parzen": (windows, float),
    "marginal_per_sequence": (marginal, per_sequence),
    "prediction_error": (prediction_error, float),
    "prediction_error_mean": (prediction_error_mean, float),
    "copy_error": (copy_error, float),
    "mean_precision": (words, lambda found: found.mp_draws.mean()),
    "predictive_precision": (words, lambda found: found.pp_draws.mean()),
    "mean_precision_mean": (words, attrgetter("mp")),
    "predictive_precision_mean": (words, attrgetter("pp")),
    **{
        f"{measure} of {name}": (counted, lambda found, name=name, which=which: found[name][which])
        for name in ("all years", "the year itself", "the year before")
        for which, measure in enumerate(("mean_precision", "predictive_precision"))
    },
}
UNTRAINED = (marginal, copy_error, counted)  # baselines that ask nothing of the run but its corpus
