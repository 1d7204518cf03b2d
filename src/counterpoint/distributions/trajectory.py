"""A Markov chain of frames as one event."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax, random

from counterpoint.core import AbstractDistribution


class Trajectory(AbstractDistribution):
    """p(z_1 .. z_n) = p(a_0) prod_i p(a_i+1 | a_i), where a is z as it is drawn: z_1 first, or with `down` z_n first.

    first   the distribution of a_0
    step    (i, a_i) -> the distribution of a_i+1, of the same family; a module, for a plain closure cannot leave a
            scan
    count   n; an event is (n, *frame)
    """

    first: AbstractDistribution
    step: Callable[..., AbstractDistribution]
    count: int = eqx.field(static=True)
    down: bool = eqx.field(static=True)

    def __init__(self, first: AbstractDistribution, step: Callable, count: int, down: bool = False):
        self.first, self.step, self.count, self.down = first, step, count, down

    @property
    def pathwise(self):  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.first.pathwise

    @property
    def support(self):
        return self.first.support

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """That of each frame, in the order in which they are drawn."""
        return jax.vmap(self.first.noise)(random.split(key, self.count))

    def drawn(self, noise):
        return self._run(self.first.drawn(noise[0]), lambda law, noise: law.drawn(noise), noise[1:])

    @property
    def mean(self):
        """Each frame's mean given the mean of the one before."""
        return self._run(self.first.mean, lambda law, i: law.mean, jnp.arange(self.count - 1))

    def _run(self, start, choose, inputs):
        """The event that begins with `start` and goes on by `choose(law, input)`."""

        def move(a, now):
            i, given = now
            a = choose(self.step(i, a), given)
            return a, a

        _, later = lax.scan(move, start, (jnp.arange(self.count - 1), inputs))
        return self._turned(jnp.concatenate([start[None], later]))

    def _turned(self, a):
        return a[::-1] if self.down else a

    def log_prob(self, value, observed=None):
        a = self._turned(value)
        seen = jnp.ones(a.shape, bool) if observed is None else self._turned(observed)
        laws = jax.vmap(self.step)(jnp.arange(self.count - 1), a[:-1])
        moves = jax.vmap(lambda law, a, seen: law.log_prob(a, seen))(laws, a[1:], seen[1:])
        return self.first.log_prob(a[0], seen[0]) + moves.sum()

    @property
    def size(self):
        return self.count * self.first.size

    def like(self, raw):
        """Independent frames."""
        return jax.tree.map(lambda a: jnp.zeros((self.count, *a.shape), a.dtype), self.first).like(raw)
