"""Salt and pepper on grey values."""

from typing import ClassVar

import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint import draws
from counterpoint.core import AbstractDistribution
from counterpoint.support import UNIT_INTERVAL, Support


class SaltAndPepper(AbstractDistribution):
    """P(z_i) = (1 - r) [z_i = x_i] + r / 2 ([z_i = 0] + [z_i = 1])      (Bengio et al. 2013)

    Each entry stays as it is, or with probability r a draw of 0 or 1, equally likely, takes its place. x: any one
    shape, between 0 and 1; rate r, shaped like x. A mass on three values and no density, so of grey values no
    distribution can be mixed from it. Over 0 and 1 it is a `Bernoulli`.
    """

    x: Float[Array, "*event"]
    rate: Float[Array, "*event"]
    pathwise: ClassVar[bool] = False
    normalised: ClassVar[bool] = False
    support: ClassVar[Support] = UNIT_INTERVAL  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        of_place, of_coin = random.split(key)
        hit = draws.uniform(of_place, self.x.shape, self.x.dtype) < self.rate
        return jnp.where(hit, random.bernoulli(of_coin, 0.5, self.x.shape).astype(self.x.dtype), self.x)

    def log_prob(self, value, observed=None):
        """Log-mass, minus infinity for values that cannot be."""
        extreme = (value == 0) | (value == 1)
        each = jnp.log((1 - self.rate) * (value == self.x) + self.rate / 2 * extreme)
        return (each if observed is None else jnp.where(observed, each, 0.0)).sum()

    @property
    def mean(self):
        return (1 - self.rate) * self.x + self.rate / 2

    @property
    def size(self):
        return self.x.size

    def like(self, raw):
        """raw is the logits of the rate; x stays."""
        return SaltAndPepper(self.x, 1 / (1 + jnp.exp(-raw.reshape(self.x.shape))))
