"""Independent Bernoulli variables."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from counterpoint import draws
from counterpoint.core import AbstractDistribution
from counterpoint.numerics import softplus
from counterpoint.support import BINARY, Support


class Bernoulli(AbstractDistribution):
    """p(x) = prod_i s(a_i)^x_i (1 - s(a_i))^(1 - x_i): log p(x) = sum_i x_i a_i - softplus(a_i).

    logits a: any one shape. Samples are 0.0 or 1.0 in the dtype of the logits.
    """

    logits: Float[Array, "*event"]
    pathwise: ClassVar[bool] = False
    support: ClassVar[Support] = BINARY  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """Uniform numbers."""
        return draws.uniform(key, self.logits.shape, self.logits.dtype)

    def drawn(self, noise):
        return (noise < jax.nn.sigmoid(self.logits)).astype(self.logits.dtype)

    def log_prob(self, value, observed=None):
        each = value * self.logits - softplus(self.logits)
        return (each if observed is None else jnp.where(observed, each, 0.0)).sum()

    @property
    def mean(self):
        return jax.nn.sigmoid(self.logits)

    @property
    def size(self):
        return self.logits.size

    def like(self, raw):
        """raw is the logits."""
        return Bernoulli(raw.reshape(self.logits.shape))
