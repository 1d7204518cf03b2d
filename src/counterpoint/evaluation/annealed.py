"""Annealed importance sampling of single frames: a check on what importance sampling says of a directed p."""

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

from counterpoint.core import AbstractBound, AbstractDirected, AbstractModel, AbstractPosterior, Batch, Trace
from counterpoint.data.sequences import Sequences
from counterpoint.errors import CounterpointError, at_least
from counterpoint.moves import START, Way, fitted, way
from counterpoint.numerics import log_mean
from counterpoint.walk import whole

STEEP = 4.0  # of the schedule at its ends
TOGETHER = 32  # frames


class AIS(AbstractBound):
    """log p(x) >= E[ log (1/K) sum_k w_k ],   log w = sum_i (b_i - b_i-1) (log p(x, z_i-1) - log q(z_i-1 | x))
    z_0 ~ q(z | x),   z_i ~ a move from z_i-1 that leaves q(z | x)^(1 - b_i) p(x, z)^b_i as it is,   b from 0 to 1
    (Neal 2001; of decoders Wu et al. 2017, who begin at the prior, as here with q = `Prior()`, and move by HMC)

    With one temperature it is `IWAE`; with more, chains find where the posterior is and q is not, so that the two
    differ by little only where q can be trusted. The moves are those of `moves`. Their sizes are found by a chain that
    is not counted, for E[w] = p(x) asks for moves that do not follow their own past. b follows a logistic curve, slow
    at both ends.

    nats. Of sequences that are one whole frame each; nothing is differentiated. Raises CounterpointError for longer
    ones, gaps, fewer than 1 chain or temperature, and for an undirected p.
    """

    temperatures: int = eqx.field(static=True, default=1000)
    particles: int = eqx.field(static=True, default=16)
    closed_form: ClassVar[bool] = False
    splits: ClassVar[bool] = False

    def __check_init__(self):
        at_least(self, 1, "temperatures", "particles")

    @property
    def label(self):
        return f"AIS-{self.temperatures}x{self.particles}"

    def check(self, p):
        if not isinstance(p, AbstractDirected):
            raise CounterpointError(
                f"annealed importance sampling from q(z | x) to p(x, z) needs a prior, and {type(p).__name__} has none;"
                " its own bounds are counted or annealed already: leave this out"
            )

    def run(self, p, q, batch: Batch, key, defer=True):
        """A trace whose z are the ends of the chains, and whose log_likelihood (T, B, K) is log w of each."""
        self.check(p)
        check_length(batch.valid.shape[1])
        x = jax.tree.map(lambda a: a[:, 0], whole(batch, self.label))
        z, found = jax.vmap(lambda x, key: self.up(p, q, x, key))(x, random.split(key, len(batch.valid)))
        found = jnp.where(batch.valid.T[..., None], found[None], 0.0)
        zero, none = jnp.zeros_like(found), jnp.zeros((*found.shape, 0, 2))
        total = log_mean(found)
        z = jax.tree.map(lambda a: a[None], z)
        return Trace(batch.x, z, zero, found, zero, zero, total, jnp.zeros_like(total), none, batch.valid.T)

    def up(self, p, q, x, key):
        """Ends and log w of each chain of one frame, (K, ...) and (K,)."""
        of_way, of_sizes, of_chains = random.split(key, 3)
        road = way(p, q, x, of_way)
        sizes = found_sizes(road, self.temperatures, of_sizes)
        return jax.vmap(lambda key: chain(road, sizes, key))(random.split(of_chains, self.particles))

    def __call__(self, trace: Trace, step=None):
        return trace.log_evidence.sum(0)

    def signal(self, trace: Trace, step, local):
        """Zero: it is for evaluation."""
        return jnp.zeros_like(trace.log_likelihood)


def check_ais(p: AbstractModel, sequences: Sequences) -> None:
    """Raise CounterpointError with the reason where `AIS` is not for this p and these data."""
    AIS().check(p)
    check_length(int(sequences.lengths.max()))
    if sequences.observed is not None:
        raise CounterpointError("annealed importance sampling is of whole frames, and some entries are missing")


def check_length(length: int) -> None:
    """Raise CounterpointError where a sequence is more than a frame."""
    if length != 1:
        raise CounterpointError(
            f"annealed importance sampling is of single frames, and these sequences have up to {length} steps: FIVO"
            " with more particles is the check there"
        )


def schedule(temperatures: int):
    """b before and after each step: a logistic curve from 0 to 1."""
    curve = jax.nn.sigmoid(STEEP * jnp.linspace(-1.0, 1.0, temperatures + 1))
    betas = (curve - curve[0]) / (curve[-1] - curve[0])
    return betas[:-1], betas[1:]


def found_sizes(road: Way, temperatures: int, key):
    """The size of each move, (temperatures,), as a chain of its own finds it."""
    first, later = random.split(key)

    def step(loop, now):
        (point, size), (beta, key) = loop, now
        point, accepted = road.move(point, beta, size, key)
        return (point, fitted(size, accepted)), size

    now = schedule(temperatures)[1], random.split(later, temperatures)
    return lax.scan(step, (road.start(first), jnp.asarray(START)), now)[1]


def chain(road: Way, sizes, key, z=None):
    """z_n and log w; with z = z_n, a draw of p(z | x), the same chain backwards: z_0 and log w."""
    first, later = random.split(key)
    low, high = schedule(len(sizes))
    back = z is not None

    def step(loop, now):
        (point, total), (low, high, size, key) = loop, now
        if back:
            point = road.move(point, high, size, key)[0]
        total = total + (high - low) * point.ratio
        return (point if back else road.move(point, high, size, key)[0], total), None

    start = road.point(z) if back else road.start(first)
    now = low, high, sizes, random.split(later, len(sizes))
    point, total = lax.scan(step, (start, jnp.zeros(())), now, reverse=back)[0]
    return point.z, total


class Sandwich(NamedTuple):
    """Estimates of log p(x_i) of frames x_i that p has drawn, in nats, (N,) each: on average below, and above."""

    below: np.ndarray
    above: np.ndarray


def sandwich(p: AbstractDirected, q: AbstractPosterior, key, count: int, bound: AIS) -> Sandwich:
    """log p(x) from both sides, for x that p has drawn with its z: `AIS`, and the same chains run backwards from that
    z, which is an exact draw of p(z | x): E[1 / w] = 1 / p(x)      (bidirectional Monte Carlo: Grosse et al. 2015)

    above - below is on average no less than what AIS misses on such frames. Raises CounterpointError for an undirected
    p and for less than 1 frame.
    """
    bound.check(p)
    if count < 1:
        raise CounterpointError(f"sandwich: {count} frames; give at least 1")
    below, above = _sandwich(p, q, random.split(key, count), bound)
    return Sandwich(np.asarray(below, np.float64), np.asarray(above, np.float64))


@eqx.filter_jit
def _sandwich(p, q, keys, bound: AIS):
    def one(key):
        of_z, of_x, of_way, of_sizes, of_up, of_down = random.split(key, 6)
        carry = p.initial()
        z = p.prior(carry).sample(of_z)
        road = way(p, q, p.likelihood(carry, z).sample(of_x), of_way)
        sizes = found_sizes(road, bound.temperatures, of_sizes)
        keys = lambda key: random.split(key, bound.particles)
        up = jax.vmap(lambda key: chain(road, sizes, key)[1])(keys(of_up))
        down = jax.vmap(lambda key: chain(road, sizes, key, z)[1])(keys(of_down))
        return log_mean(up), -log_mean(-down)

    return lax.map(one, keys, batch_size=TOGETHER)
