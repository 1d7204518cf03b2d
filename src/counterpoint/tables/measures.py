"""What stands in a cell: numbers of a trained pair on the test set of its corpus, one for each repeat."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from jax import random

from counterpoint.commands.measure import bounds, last_frames, linear
from counterpoint.core import Pairing
from counterpoint.data import Corpus, Sequences
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError, nearest
from counterpoint.evaluation import Score, error, evaluate, held_out_words, predict, word_baselines

REPLICATES = 4  # measurements of each bound, as in results.json
TRIALS = 100  # sequences that an error of single samples is averaged over at least
SAMPLES = 50  # of the prediction that is a mean
PARTICLES = 16
DRAWS = 20  # that MP and PP are averaged over, or their prediction is


def measured(name: str, pairings: Sequence[Pairing], corpus: Corpus, key) -> list[float]:
    """The measure `name` of each repeat's pairing; `NAME:SEQUENCE` takes one test sequence, by its name, alone.

    Repeat i draws from fold_in(key, i), as for results.json: bounds agree with it. Raises what `check` raises, and
    CounterpointError where no test sequence has that name.
    """
    check(name)
    what, _, which = name.partition(":")
    if which:
        names = corpus.test.names
        if which not in names:
            raise CounterpointError(f"{corpus.test.what}: no sequence is called {which!r}{nearest(which, names)}")
        corpus = replace(corpus, test=corpus.test.take([names.index(which)]))
    return [float(MEASURES[what](pairing, corpus, random.fold_in(key, i))) for i, pairing in enumerate(pairings)]


def check(name: str) -> None:
    """Raise CounterpointError for a name that is no measure."""
    what = name.partition(":")[0]
    if what not in MEASURES:
        raise CounterpointError(f"no measure is called {what!r}{nearest(what, MEASURES)}")


def untrained(name: str) -> bool:
    """Whether a measure is the same whatever was trained."""
    return name.partition(":")[0] in UNTRAINED


def likelihood(bound: str, pairing: Pairing, corpus: Corpus, key) -> Score:
    """A bound on the log-likelihood, in nats."""
    chosen = {bound: bounds(pairing.bound, PARTICLES)[bound]}
    return evaluate(pairing.p, pairing.q, corpus.test, chosen, key, REPLICATES)[bound]


def marginal(pairing: Pairing, corpus: Corpus, key) -> float:
    """log p(x_i) / T_i, mean over sequences, nats per step, exact, where every frame is drawn from the marginal of the
    training frames: a baseline, whatever the pairing is."""
    alone = linear(facts(corpus.train.x, corpus.kind, corpus.train.observed), 0)
    return likelihood("ELBO", alone, corpus, key).per_sequence


def repeated(sequences: Sequences) -> Sequences:
    """A small set several times over, so that TRIALS single samples at least are averaged."""
    return sequences.take(list(range(len(sequences))) * max(1, -(-TRIALS // len(sequences))))


def prediction_error(pairing: Pairing, corpus: Corpus, key) -> float:
    """mean_i mean_t=2..T_i sum_dims (x_t - x^_t)^2, x^ from one sample of z, as Gan et al. 2015 measure it."""
    test = repeated(corpus.test)
    return error(predict(pairing.p, pairing.q, test, key), test).mean


def prediction_error_mean(pairing: Pairing, corpus: Corpus, key) -> float:
    """The same with x^ the mean over SAMPLES samples: smaller for that alone."""
    return error(predict(pairing.p, pairing.q, corpus.test, key, SAMPLES), corpus.test).mean


def copy_error(pairing: Pairing, corpus: Corpus, key) -> float:
    """The same with x^_t = x_t-1: no model at all."""
    return error(last_frames(corpus.test, corpus.kind), corpus.test).mean


def words(pairing: Pairing, corpus: Corpus, key):
    """Held-out words of the years that were trained on, and of the year after them."""
    return held_out_words(pairing.p, pairing.q, corpus.train, corpus.test.x[0], key, DRAWS)


def word_baseline(name: str, which: int) -> Callable[[Pairing, Corpus, Any], float]:
    """MP (0) or PP (1) where words are expected as often as they were in all training years, in the year itself, or in
    the year before: baselines, whatever the pairing is."""
    return lambda pairing, corpus, key: word_baselines(corpus.train.x[0], corpus.test.x[0])[name][which]


WORD_BASELINES = {
    f"{measure} of {name}": word_baseline(name, which)
    for name in ("all years", "the year itself", "the year before")
    for which, measure in enumerate(("mean_precision", "predictive_precision"))
}
# by name: a function of (pairing, corpus, key)
MEASURES: dict[str, Callable[[Pairing, Corpus, Any], float]] = {
    "elbo_per_sequence": lambda *given: likelihood("ELBO", *given).per_sequence,
    "elbo_per_step": lambda *given: likelihood("ELBO", *given).per_step,
    "negative_elbo": lambda *given: -likelihood("ELBO", *given).per_sequence,
    "iwae_per_sequence": lambda *given: likelihood(f"IWAE-{PARTICLES}", *given).per_sequence,
    "fivo_per_sequence": lambda *given: likelihood(f"FIVO-{PARTICLES}", *given).per_sequence,
    "marginal_per_sequence": marginal,
    "prediction_error": prediction_error,
    "prediction_error_mean": prediction_error_mean,
    "copy_error": copy_error,
    "mean_precision": lambda *given: words(*given).mp_draws.mean(),
    "predictive_precision": lambda *given: words(*given).pp_draws.mean(),
    "mean_precision_mean": lambda *given: words(*given).mp,
    "predictive_precision_mean": lambda *given: words(*given).pp,
    **WORD_BASELINES,
}
UNTRAINED = (
    "marginal_per_sequence",
    "copy_error",
    *WORD_BASELINES,
)  # baselines that ask nothing of the run but its corpus
