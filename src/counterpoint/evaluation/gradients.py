"""What an estimator of a gradient is worth: its variance, bias and signal-to-noise ratio, and what a draw costs."""

import statistics
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax, random
from jaxtyping import PyTree

from counterpoint.bounds import score
from counterpoint.core import Batch, Pairing

CHUNK = 25  # draws in one call of the compiled program


class Noise(NamedTuple):
    """Of n independent gradients g of one voice's parameters, for one batch, by the noise that the estimator draws.

    tr Cov g = E |g - E g|^2,   |E g|^2 = |mean|^2 - tr Cov g / n   without the bias of the mean's own noise
    """

    mean: np.ndarray  # (N,) E g
    variance: float  # tr Cov g
    count: int  # n

    @property
    def norm(self) -> float:
        """|E g|; 0 where the noise of the mean hides it."""
        return max(float(self.mean @ self.mean) - self.variance / self.count, 0.0) ** 0.5

    @property
    def snr(self) -> float:
        """|E g| / sqrt(tr Cov g): of the whole gradient. One draw points the right way where it is above 1."""
        return self.norm / self.variance**0.5 if self.variance > 0 else float("inf")

    def bias(self, reference: "Noise") -> tuple[float, float]:
        """|E g - E g_ref| / |E g_ref|, and how large it would look were it zero, by the noise of both means."""
        apart = self.mean - reference.mean
        noise = self.variance / self.count + reference.variance / reference.count
        norm = max(reference.norm, 1e-30)
        return max(float(apart @ apart) - noise, 0.0) ** 0.5 / norm, noise**0.5 / norm

    def cosine(self, reference: "Noise") -> float:
        """Of the angle between both means: 1 where they differ by their length alone."""
        lengths = np.linalg.norm(self.mean) * np.linalg.norm(reference.mean)
        return float(self.mean @ reference.mean / lengths) if lengths > 0 else float("nan")


class Gradients(NamedTuple):
    """Of one estimator on one batch."""

    p: Noise
    q: Noise | None  # None where q has no parameters of its own
    bound: float  # mean, nats per step
    bound_error: float  # its standard error over draws
    seconds: float  # of one draw: the median over calls, compilation left out


class Moments(NamedTuple):
    """Running mean and sum of squares around it (Welford 1962)."""

    count: Array
    mean: PyTree
    squares: PyTree

    def add(self, values) -> "Moments":
        count = self.count + 1
        mean = jax.tree.map(lambda m, g: m + (g - m) / count, self.mean, values)
        squares = jax.tree.map(lambda s, g, old, new: s + (g - old) * (g - new), self.squares, values, self.mean, mean)
        return Moments(count, mean, squares)


def once(pairing: Pairing, batch: Batch, key, memory, step):
    """(gradients of p and of q as vectors, what is reported in nats per step), and the estimator's memory after."""
    voices, static = eqx.partition((pairing.p, pairing.q), eqx.is_inexact_array)

    def loss(voices):
        p, q = eqx.combine(voices, static)
        estimate, after = pairing.estimator(p, q, pairing.bound, batch, key, memory, step)
        return estimate.surrogate, (estimate.value, after)

    grads, (value, memory) = jax.grad(loss, has_aux=True)(voices)
    flat = tuple(jnp.concatenate([jnp.ravel(a) for a in jax.tree.leaves(g)] or [jnp.zeros(0)]) for g in grads)
    return (*flat, value), memory


@eqx.filter_jit
def chunk(pairing: Pairing, batch: Batch, keys, memory, step, moments: Moments | None):
    """Draw a gradient for each key, one after the other, for the memory goes on from draw to draw."""
    if moments is None:
        shapes = eqx.filter_eval_shape(once, pairing, batch, keys[0], memory, step)[0]
        zeros = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shapes)
        moments = Moments(jnp.zeros(()), zeros, zeros)

    def one(state, key):
        moments, memory = state
        drawn, memory = once(pairing, batch, key, memory, step)
        return (moments.add(drawn), memory), None

    return lax.scan(one, (moments, memory), keys)[0]


@eqx.filter_jit
def measured(pairing: Pairing, batch: Batch, keys):
    """The bound in nats per step with each key."""
    one = lambda key: score(pairing.p, pairing.q, pairing.bound, batch, key).sum()
    return lax.map(one, keys) / jnp.maximum(batch.valid.sum(), 1)


def draw(pairing: Pairing, batch: Batch, key, draws: int, step=None) -> Iterator[Gradients]:
    """What is known after each chunk of draws. First ones settle the running moments and chains that an estimator
    remembers, as many as it says, and are not counted; where chains persist, later draws still depend on those before,
    and the errors of means look smaller than they are. Where an estimator reports something else, the bound is a mean
    of CHUNK draws."""
    total, first = (max(-(-n // CHUNK), 1) for n in (draws, pairing.estimator.settling(pairing.q)))
    memory, step = pairing.initial(), None if step is None else jnp.asarray(step)
    run = lambda i, memory, moments: chunk(
        pairing, batch, random.split(random.fold_in(key, i), CHUNK), memory, step, moments
    )
    empty, memory = run(0, memory, None)
    empty = jax.tree.map(jnp.zeros_like, empty)
    for i in range(total + 1, total + first):
        memory = run(i, memory, empty)[1]
    moments, times, bound = empty, [], {}
    if pairing.estimator.reports:
        values = np.asarray(measured(pairing, batch, random.split(key, CHUNK)), float)
        bound = {"bound": float(values.mean()), "bound_error": float(values.std(ddof=1)) / CHUNK**0.5}
    for i in range(1, total + 1):
        start = time.perf_counter()
        moments, memory = jax.block_until_ready(run(i, memory, moments))
        times.append((time.perf_counter() - start) / CHUNK)
        yield _summary(moments, times[1:] or times)._replace(**bound)


def _summary(moments: Moments, times: list[float]) -> Gradients:
    n, mean, squares = (
        int(moments.count),
        *jax.tree.map(lambda a: np.asarray(a, float), (moments.mean, moments.squares)),
    )
    p, q = (Noise(mean[i], float(squares[i].sum()) / (n - 1), n) for i in (0, 1))
    error = (float(squares[2]) / (n - 1) / n) ** 0.5
    return Gradients(p, q if q.mean.size else None, float(mean[2]), error, statistics.median(times))


def gradients(pairings: Mapping[str, Pairing], batch: Batch, key, draws: int, step=None) -> dict[str, Gradients]:
    """Each pairing's gradients on one batch, in turns, so that what slows the machine slows them all.

    draws   how many of each, rounded up to whole chunks
    step    of training, for weights that follow a schedule; None: those of the bound itself
    """
    turns = {name: draw(pairing, batch, key, draws, step) for name, pairing in pairings.items()}
    found: dict[str, Gradients] = {}
    while turns:
        for name, turn in list(turns.items()):
            result = next(turn, None)
            if result is None:
                del turns[name]
            else:
                found[name] = result
    return found
