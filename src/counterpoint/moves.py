"""Metropolis moves of z, on the way from q(z | x) to p(x, z).

    f_b(z) = q(z | x)^(1 - b) p(x, z)^b,   b from 0 to 1

Real numbers and binary units move together, along the gradient of log f_b, all at once (Langevin):

    z' ~ N(z + h s^2 g / 2, h s^2),   g = grad log f_b(z)        (Roberts and Tweedie 1996)
    z' = 1 - z with log-odds g (1 - 2 z) / 2 - 1 / (2 h)         (Zhang et al. 2022)

where s is the deviation of each number under q. Any other z is drawn anew from q. Either is accepted with the
probability that leaves f_b as it is, and is its own reversal. One z, one frame; other axes come from vmap.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float, PyTree

from counterpoint.core import AbstractDirected, AbstractDistribution, AbstractPosterior
from counterpoint.distributions import Bernoulli, Gaussian, layered, layers_of
from counterpoint.matching import names
from counterpoint.support import BINARY, REAL

START = 0.5  # size of the first move
WANTED = 0.574  # rate of acceptance at which such moves go furthest (Roberts and Rosenthal 1998)
RATE = 0.2  # at which the size follows it
DRAWS = 32  # from q that tell its deviation


class Point(NamedTuple):
    """z, with log q(z | x) and log p(x, z) and, where z moves along them, their gradients."""

    z: PyTree
    ends: tuple[Float[Array, ""], Float[Array, ""]]
    slopes: tuple[PyTree, PyTree] | None

    @property
    def ratio(self) -> Float[Array, ""]:
        """log p(x, z) - log q(z | x)."""
        return self.ends[1] - self.ends[0]

    def height(self, beta) -> Float[Array, ""]:
        """log f_b(z)."""
        return self.ends[0] + beta * self.ratio


class Way(NamedTuple):
    """From q to p, for one frame."""

    p: AbstractDirected
    law: AbstractDistribution
    x: PyTree
    scale: PyTree  # of every number of z, where z moves along gradients; else None

    def point(self, z) -> Point:
        """With all that a move asks for."""
        carry = self.p.initial()
        low = self.law.log_prob
        high = lambda z: self.p.prior(carry).log_prob(z) + self.p.likelihood(carry, z).log_prob(self.x)
        if self.scale is None:
            return Point(z, (low(z), high(z)), None)
        (a, up), (b, down) = jax.value_and_grad(low)(z), jax.value_and_grad(high)(z)
        return Point(z, (a, b), (up, down))

    def start(self, key) -> Point:
        """z ~ q(z | x)."""
        return self.point(self.law.sample(key))

    def move(self, point: Point, beta, size, key) -> tuple[Point, Float[Array, ""]]:
        """The next point at b, of a move of size h, and the probability with which another was accepted."""
        of_z, of_choice = random.split(key)
        there = self.proposal(point, beta, size)
        new = self.point(there.sample(of_z))
        back = self.proposal(new, beta, size)
        gain = new.height(beta) - point.height(beta) + back.log_prob(point.z) - there.log_prob(new.z)
        gain = jnp.where(jnp.isnan(gain), -jnp.inf, gain)
        goes = jnp.log(random.uniform(of_choice)) < gain
        return jax.tree.map(lambda a, b: jnp.where(goes, a, b), new, point), jnp.exp(jnp.minimum(gain, 0.0))

    def proposal(self, point: Point, beta, size) -> AbstractDistribution:
        """The distribution of z'."""
        if point.slopes is None:
            return self.law
        slope = jax.tree.map(lambda a, b: a + beta * (b - a), *point.slopes)
        each = zip(*map(layers_of, (names(self.law.support), point.z, slope, self.scale)))
        laws = [(drift if name == REAL.name else flips)(z, g, s, size) for name, z, g, s in each]
        return layered(*laws, order=range(len(laws)))


def drift(z, slope, scale, size) -> Gaussian:
    """Of real numbers."""
    return Gaussian(z + 0.5 * size * scale**2 * slope, jnp.sqrt(size) * scale)


def flips(z, slope, scale, size) -> Bernoulli:
    """Of binary units; their `scale` is not asked."""
    return Bernoulli(0.5 * slope - (1 - 2 * z) / (2 * size))


def way(p: AbstractDirected, q: AbstractPosterior, x, key) -> Way:
    """For a sequence that is the one frame x."""
    of_q, of_draws = random.split(key)
    frame = jax.tree.map(lambda a: a[None], x)
    _, e = p.embed(p.memory(), frame)
    mask = jax.tree.map(lambda a: jnp.ones(a.shape, bool), frame)
    context = jax.tree.map(lambda a: a[0], q.encode(p, q.memory(), frame, e, mask)[1])
    law = q.propose(p, p.initial(), context, x, of_q).distribution
    if not all(name in (REAL.name, BINARY.name) for name in layers_of(names(law.support))):
        return Way(p, law, x, None)
    drawn = jax.vmap(law.sample)(random.split(of_draws, DRAWS))
    return Way(p, law, x, jax.tree.map(lambda a: a.std(0) + jnp.finfo(a.dtype).eps, drawn))


def fitted(size, accepted):
    """The size of the next move of a chain that looks for it."""
    return size * jnp.exp(RATE * (accepted - WANTED))
