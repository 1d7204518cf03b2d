"""Lower bounds on the log-likelihood of test sequences, with both averages and their errors."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax import lax, random

from counterpoint.bounds import ELBO, FIVO, IWAE, Annealed, score
from counterpoint.core import AbstractBound, AbstractModel, AbstractPosterior, Batch, Pairing
from counterpoint.data.sequences import Sequences
from counterpoint.errors import CounterpointError
from counterpoint.evaluation import passes
from counterpoint.files import replacing

TEMPERATURES = 500  # of chains that tell log Z
MARKS = {"below": "", "exact": "", "above": " (above)", "neither": " (no bound)"}  # of the sides of log p
PORTION = 64  # particles that are scored at once, of a bound that can be taken apart


def standard_bounds(pairing: Pairing, particles: int) -> dict[str, AbstractBound]:
    """What a test set is measured with, by label: ELBO, IWAE-K, FIVO-K (neither with K = `particles` = 0, nor where q
    is p(z | x), whose ELBO is log p(x) already), and the one that was trained. For an undirected p: that one, and where
    it is an RBM at each step, log p by chains that warm up and, K of them, by annealed importance sampling, or in both
    by counting where units are few."""
    own = pairing.bound
    if own.chain:
        found = [Annealed(TEMPERATURES)]
        if particles:
            found.append(Annealed(TEMPERATURES, particles, False))
        return {titled(bound, pairing.p): bound for bound in (own, *found) if known(bound, pairing.p)}
    found = {"ELBO": own if own.label == "ELBO" else ELBO()}
    if particles and not pairing.q.exact:
        found |= {bound.label: bound for bound in (IWAE(particles=particles), FIVO(particles=particles))}
    return found | {titled(own, pairing.p): own}


def known(bound: AbstractBound, p: AbstractModel) -> bool:
    """Whether it bounds anything of p."""
    try:
        bound.check(p)
    except CounterpointError:
        return False
    return True


def side_of(bound: AbstractBound, p: AbstractModel, q: AbstractPosterior, whole: bool) -> str:
    """On which side of log p(x) it is: the bound's own; "estimated" where p's log Z is; "exact" where what is below has
    nothing to lose, for q is p(z | x), or there is no z and x is whole."""
    if p.estimated:
        return "estimated"
    same = q.exact or (whole and not jax.tree.leaves(eqx.filter_eval_shape(lambda p: p.example(), p)))
    return "exact" if same and bound.side(p) == "below" else bound.side(p)


def titled(bound: AbstractBound, p: AbstractModel) -> str:
    """Its label, and its own side of log p(x) where that is not below."""
    return bound.title(p) + MARKS[bound.side(p)]


@dataclass(frozen=True)
class Score:
    """L_i^r, r = 1 .. R runs of one bound on log p(x_i) of N sequences. Higher is better.

    values (R, N) in nats, summed over steps; lengths (N,) in steps, which count whether or not something is missing
    there; side, see `side_of`. Two averages, never to be mixed in a table (for sequences of one length they agree):

        per_step      sum_i L_i / sum_i T_i       total nats by total steps: RNN-RBM, FIVO, NASMC
        per_sequence  mean_i (L_i / T_i)          every sequence counts alike: TSBN, AVF

    `_error` is the Monte Carlo standard error over the R runs, zero for an exact q. `_spread` is the standard error
    over test sequences, of a ratio for per_step (delta method). Both are NaN where there is only one.
    """

    values: np.ndarray
    lengths: np.ndarray
    side: str = "below"

    @property
    def per_step(self) -> float:
        return float(self.values.sum(1).mean() / self.lengths.sum())

    @property
    def per_step_error(self) -> float:
        return standard_error(self.values.sum(1) / self.lengths.sum())

    @property
    def per_step_spread(self) -> float:
        # sum_i (L_i - r T_i) = 0 at the ratio r: its linearisation is a mean of these residues over mean_i T_i
        residue = self.values.mean(0) - self.per_step * self.lengths
        return standard_error(residue) / float(self.lengths.mean())

    @property
    def per_sequence(self) -> float:
        return float((self.values / self.lengths).mean())

    @property
    def per_sequence_error(self) -> float:
        return standard_error((self.values / self.lengths).mean(1))

    @property
    def per_sequence_spread(self) -> float:
        return standard_error(self.values.mean(0) / self.lengths)


def standard_error(a: np.ndarray) -> float:
    """Of the mean of independent numbers; NaN for one."""
    return float(a.std(ddof=1) / len(a) ** 0.5) if len(a) > 1 else float("nan")


@eqx.filter_jit
def run(
    p: AbstractModel,
    q: AbstractPosterior,
    bound: AbstractBound,
    batch: Batch,
    keys,
    together: int,
    defer: bool,
):
    """The bound of each sequence with each key: (R, B). `together` of the R run as one."""

    return lax.map(lambda key: score(p, q, bound, batch, key, defer), keys, batch_size=together)


def evaluate(
    p: AbstractModel,
    q: AbstractPosterior,
    sequences: Sequences,
    bounds: Mapping[str, AbstractBound],
    key,
    replicates: int = 4,
    batch_size: int = 32,
) -> dict[str, Score]:
    """The named bounds on log p(x_i) of every sequence, `replicates` times each with independent noise.

    As bounds: without the weights that a KL term may have in training. A bound's score does not depend on which
    others are asked for. Raises CounterpointError where p's likelihood cannot give these data.
    """
    scores = {}
    for name, whole in bounds.items():
        bound, parts = whole.portions(PORTION)
        values = np.full((replicates, len(sequences)), np.nan)
        for number, (batch, index, room) in enumerate(
            passes.passes(p, sequences, bound.particles, batch_size, kept=False)
        ):
            together = min(replicates, room) if parts == 1 else 1
            # scoring after the scan is faster, and keeps the carry of every step
            defer = together * bound.particles * batch.valid.size <= passes.ROWS
            keys = random.split(random.fold_in(key, number), replicates * parts)
            out = np.asarray(run(p, q, bound, batch, keys, together, defer), np.float64)
            mean = np.logaddexp.reduce(out.reshape(replicates, parts, -1), 1) - np.log(parts)
            values[:, index[index >= 0]] = mean[:, index >= 0]
        scores[name] = Score(values, sequences.lengths, side_of(whole, p, q, sequences.observed is None))
    return scores


class Comparison(NamedTuple):
    """Run a minus run b on the same sequences, nats per step, in both averages. Positive: a is better.

    `_error` is the paired standard error over sequences, which holds the Monte Carlo error of both runs; `_z` is
    difference by error, NaN where there is nothing to tell them apart.
    """

    per_step: float
    per_step_error: float
    per_sequence: float
    per_sequence_error: float

    @property
    def per_step_z(self) -> float:
        return ratio(self.per_step, self.per_step_error)

    @property
    def per_sequence_z(self) -> float:
        return ratio(self.per_sequence, self.per_sequence_error)


def ratio(difference: float, error: float) -> float:
    """With the limits that a zero error has."""
    if error == 0:
        return float(np.copysign(np.inf, difference)) if difference else float("nan")
    return difference / error


def compare(a: Score, b: Score) -> Comparison:
    """D_i = mean_r a_i^r - mean_r b_i^r: sum_i D_i / sum_i T_i and mean_i (D_i / T_i), paired by sequence.

    Pairing takes out what makes a sequence hard for both. Raises CounterpointError where the numbers or lengths of
    the sequences differ; that they are the same sequences in the same order, the caller knows.
    """
    if not np.array_equal(a.lengths, b.lengths):
        raise CounterpointError(
            f"two runs are compared on the same sequences; these have {len(a.lengths)} and {len(b.lengths)} of them,"
            f" {int(a.lengths.sum())} and {int(b.lengths.sum())} steps in all, and not the same lengths one by one:"
            " evaluate both on one test set"
        )
    both = Score((a.values.mean(0) - b.values.mean(0))[None], a.lengths)
    return Comparison(both.per_step, both.per_step_spread, both.per_sequence, both.per_sequence_spread)


def write_csv(scores: Mapping[str, Score], names: Sequence[str], path: str | os.PathLike) -> None:
    """One row per sequence: name, steps, and for each bound its nats and its nats per step, means over runs.

    Sequences without names (`names` empty) are numbered from 0. The file appears whole or not at all. Raises
    CounterpointError for no scores, scores of different sequences, a wrong number of names, or a path that cannot
    be written.
    """
    if not scores:
        raise CounterpointError("no scores to write: evaluate at least one bound")
    lengths = next(iter(scores.values())).lengths
    names = names or [str(i) for i in range(len(lengths))]
    if len(names) != len(lengths) or any(not np.array_equal(s.lengths, lengths) for s in scores.values()):
        raise CounterpointError(
            f"one row per sequence needs one name for each and one set of sequences for all bounds; there are"
            f" {len(names)} names for {', '.join(f'{len(s.lengths)} sequences in {n!r}' for n, s in scores.items())}"
        )
    totals = {name: score.values.mean(0) for name, score in scores.items()}
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        table = csv.writer(text)
        table.writerow(["name", "steps", *(f"{name} {unit}" for name in scores for unit in ("nats", "nats per step"))])
        for i, (name, steps) in enumerate(zip(names, lengths)):
            cells = [float(v) for total in totals.values() for v in (total[i], total[i] / steps)]
            table.writerow([name, int(steps), *cells])
        text.detach()  # flushes, and leaves the file to its owner
