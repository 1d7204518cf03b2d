"""Lines about a run that evaluate prints under its table of bounds; each is of the run's first member."""

from dataclasses import replace

import jax

from counterpoint.bounds import IWAE, Annealed
from counterpoint.errors import CounterpointError
from counterpoint.evaluation import (
    AIS,
    compare,
    error,
    evaluate,
    log_partition,
    log_partitions,
    parzen_windows,
    predict,
    sandwich,
)
from counterpoint.evaluation.likelihood import known
from counterpoint.evaluation.prediction import check_lengths
from counterpoint.models.machine import AbstractMachine
from counterpoint.report import counted
from counterpoint.runs import EVALUATE

IMPORTANCE = 5000  # draws of importance sampling, as the tables of still images have it
SAMPLES = 16  # of z for a mean prediction
STEPS = 4  # whose log Z is told, where each has its own


def prediction(found, home, sequences) -> str:
    """The error of predicting each frame from those before it, or why there is none."""
    member = found.best(home)[0]
    try:
        check_lengths(sequences)  # before what takes long
        one, mean = (
            error(predict(member.p, member.q, sequences, found.key(EVALUATE), samples), sequences)
            for samples in (1, SAMPLES)
        )
    except CounterpointError as reason:
        return f"no one-step prediction: {reason}"
    return (
        f"one-step prediction error {one.mean:.3f} ± {one.spread:.3f} with one sample, {mean.mean:.3f} ±"
        f" {mean.spread:.3f} with the mean of {SAMPLES}: squared, summed over a frame, mean over steps 2 .. T and over"
        " sequences"
    )


def total(found, home, sequences) -> list[str]:
    """log Z of p, or of its prior, where that is an RBM; of one with a past, that of the first steps of a sequence."""
    p, key = found.best(home)[0].p, found.key(EVALUATE)
    machine, past = getattr(p, "machine", p), jax.tree.leaves(p.initial())
    values = []
    if isinstance(machine, AbstractMachine) and not past:
        values = [log_partition(machine, key)]
    elif past and known(Annealed(), p) and sequences.observed is None:
        values = log_partitions(p, sequences.x[0][:STEPS], key)
    if not values:
        return []
    many = f" of the first {len(values)} steps of the first sequence" if past else ""
    how = lambda error: f" ± {error:.3f}" if error else ""
    said = ", ".join(f"{value:.3f}{how(error)}" for value, error in values)
    annealed = any(error for _, error in values)
    return [f"log Z{many} {said}, {'annealed importance sampling, on average too small' if annealed else 'exact'}"]


def opinion(found, home, sequences, count: int) -> str:
    """Annealed importance sampling of the first frames beside importance sampling of the same, and how far it is from
    an upper bound where p has drawn the frames."""
    member, few = found.best(home)[0], sequences.take(list(range(min(count, len(sequences)))))
    ais = AIS()
    bounds = {"annealed": ais, "usual": IWAE(IMPORTANCE)}
    scores = evaluate(member.p, member.q, few, bounds, found.key(EVALUATE), 1)
    more = compare(scores["annealed"], scores["usual"])
    both = sandwich(member.p, member.q, found.key(EVALUATE), len(few), ais)
    return (
        f"log p of {counted(len(few), 'frame')}, nats a frame: {scores['annealed'].per_step:.3f} by annealed importance"
        f" sampling ({ais.particles} chains of {ais.temperatures} temperatures, on average"
        f" below), {scores['usual'].per_step:.3f} by importance sampling ({IMPORTANCE} draws, on average below); the"
        f" first less the second {more.per_step:+.3f} ± {more.per_step_error:.3f}. Of as many frames that p draws, an"
        f" estimate from above less the annealed one: {(both.above - both.below).mean():+.3f}"
    )


def windows(found, home, corpus, split: str, count: int) -> str:
    """The log-density of a split under windows around samples."""
    member, measured = found.best(home)[0], replace(corpus, test=getattr(corpus, split))
    mean, error, width = parzen_windows(member.p, member.q, measured, found.key(EVALUATE), count)
    return (
        f"Parzen windows of width {width:.3g} around {count} samples: {mean:.1f} ± {error:.1f}"
        " nats a frame, a density over real numbers for comparison with old tables alone"
    )
