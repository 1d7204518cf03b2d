"""Once over a test set, in bounded memory, and back to the order it came in."""

from collections.abc import Iterator
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

from counterpoint.core import AbstractDirected, AbstractModel, AbstractPosterior, Batch, Trace
from counterpoint.data.batch import buckets, check_data, in_order
from counterpoint.data.sequences import Sequences
from counterpoint.evaluation.chained import directed
from counterpoint.inference.exact import AbstractExact
from counterpoint.rollout import Inputs, Voices, follow, initial_state, joined, rollout, seen_before, swap
from counterpoint.stopping import heed

# carries that are held at once, the work around them included: of the order of 1 GB where one has 500 numbers
ROWS = 2**18
STEPS = 256  # so many steps' scores take about the room of one carry


class Pass(NamedTuple):
    """One batch of a test set."""

    batch: Batch
    index: np.ndarray  # (B,) which sequence each row is; -1 is an empty one
    room: int  # how many such batches ROWS has room for


def passes(
    p: AbstractModel, sequences: Sequences, particles: int, batch_size: int = 32, kept: bool = True
) -> Iterator[Pass]:
    """Every sequence once, in batches of at most `batch_size` and at most ROWS where that is possible.

    kept  True: the carry of every step is held; else only that of one step, and the scores of all

    Raises CounterpointError where p's likelihood cannot give these data; Stopped, before a batch, where a signal came.
    """
    check_data(p, sequences)
    # every length is compiled for: no more of them than there are full batches
    for group in buckets(sequences, p, max(1, min(4, len(sequences) // batch_size))):
        length = group.x.shape[1]
        cost = particles * (length if kept else -(-length // STEPS))
        size = max(1, min(batch_size, len(group.index), ROWS // cost))
        for batch, index in in_order([group], size):
            heed()
            yield Pass(batch, index, max(1, ROWS // (size * cost)))


def carries(p: AbstractDirected, q: AbstractPosterior, trace: Trace, gaps: bool):
    """p's carry before each step along the z and x of a trace: (T, B, K, ...).

    gaps  True: x differs by particle, (T, B, K, ...), for p has drawn what was missing
    """
    count, particles = trace.log_q.shape[1:]
    # where particles see x of their own, each is a sequence by itself
    rows, each = (count * particles, 1) if gaps else (count, particles)
    x = jax.tree.map(lambda a: a.reshape(a.shape[0], rows, *a.shape[3:]), trace.x) if gaps else trace.x
    z = jax.tree.map(lambda a: a.reshape(a.shape[0], rows, each, *a.shape[3:]), trace.z)
    valid = trace.valid.repeat(rows // count, 1)
    state = initial_state(p, q, rows, each)
    e = swap(jax.vmap(p.embed)(state.memory, swap(x))[1])
    voices = Voices(p, q, False, True, False, False)
    own = follow(voices, state.carry, Inputs(x, e, None, None, valid, None, None), z)[1]  # pyright: ignore[reportArgumentType]
    share = lambda a: jnp.broadcast_to(a[:, :, None], (*a.shape[:2], each, *a.shape[2:]))
    past = joined(own, jax.tree.map(share, seen_before(p, state.carry, e)))
    return jax.tree.map(lambda a: a.reshape(a.shape[0], count, particles, *a.shape[3:]), past)


@eqx.filter_jit
def means(p: AbstractDirected, q: AbstractPosterior, batch: Batch, key, samples: int, ahead: bool):
    """E[x_t | z_<=t, x_<t], averaged over `samples` draws of z_<t ~ q: (B, T, ...).

    ahead  True: z_t ~ p(z_t | past), which has not seen x_t; else z_t ~ q
    """
    of_q, of_p = random.split(key)
    trace, _ = rollout(p, q, batch, of_q, particles=samples)

    def one(carry, z, key):
        z = p.prior(carry).sample(key) if ahead else z
        return p.likelihood(carry, z).mean

    past = carries(p, q, trace, batch.observed is not None)
    step = lambda now: jax.vmap(jax.vmap(one))(*now)  # step by step: a chain begins anew at the first one alone
    drawn = lax.map(step, (past, trace.z, random.split(of_p, trace.log_q.shape)))
    return swap(drawn.mean(2))


def foretold(p: AbstractModel, q: AbstractExact, sequences: Sequences) -> tuple[np.ndarray, ...]:
    """E[x_t | x_<t] of every sequence, (T_i, ...) each, in their own order."""
    found: dict[int, np.ndarray] = {}
    for batch, index, _ in passes(p, sequences, 1):
        guess = np.asarray(_foretell(p, q, batch))
        found |= {int(i): guess[row, : len(sequences.x[i])] for row, i in enumerate(index) if i >= 0}
    return tuple(found[i] for i in range(len(sequences)))


@eqx.filter_jit
def _foretell(p, q: AbstractExact, batch: Batch):
    return q.foretell(p, batch)


def filled(batch: Batch, index: np.ndarray) -> Batch:
    """The batch with its first row in the place of each empty one, which has no frame before at any step, so that its
    chain would cool down at each."""
    rows = np.where(index < 0, 0, np.arange(len(index)))
    return jax.tree.map(lambda a: np.asarray(a)[rows], batch)


def frames(
    p: AbstractModel, q: AbstractPosterior, sequences: Sequences, key, samples: int, ahead: bool
) -> tuple[np.ndarray, ...]:
    """`means` of every sequence, (T_i, ...) each, in their own order."""
    found: dict[int, np.ndarray] = {}
    for number, (batch, index, _) in enumerate(passes(p, sequences, samples)):
        guess = np.asarray(means(directed(p, q), q, filled(batch, index), random.fold_in(key, number), samples, ahead))
        found |= {int(i): guess[row, : len(sequences.x[i])] for row, i in enumerate(index) if i >= 0}
    return tuple(found[i] for i in range(len(sequences)))
