"""Numbers that are exactly zero, or Gaussian."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint import draws
from counterpoint.core import AbstractDistribution
from counterpoint.distributions.gaussian import LOG_TWO_PI
from counterpoint.numerics import softplus
from counterpoint.support import REAL, Support


class SpikeSlab(AbstractDistribution):
    """z_i = 0 with probability 1 - s(a_i), else N(mu_i, sigma_i^2):

        log p(z) = sum_i log (1 - s(a_i)) where z_i = 0,  log s(a_i) + log N(z_i; mu_i, sigma_i^2) elsewhere

    a density with respect to Lebesgue measure and a mass of 1 at zero. logits a, loc, scale: (J,) each.
    """

    logits: Float[Array, " J"]
    loc: Float[Array, " J"]
    scale: Float[Array, " J"]
    pathwise: ClassVar[bool] = False
    support: ClassVar[Support] = REAL  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """Uniform numbers, and standard normal ones."""
        of_spike, of_slab = random.split(key)
        shape, kind = self.logits.shape, self.logits.dtype
        return draws.uniform(of_spike, shape, kind), draws.normal(of_slab, shape, kind)

    def drawn(self, noise):
        uniform, normal = noise
        return jnp.where(uniform < jax.nn.sigmoid(self.logits), self.loc + self.scale * normal, 0.0)

    def log_prob(self, value, observed=None):
        slab = -0.5 * (((value - self.loc) / self.scale) ** 2 + LOG_TWO_PI) - jnp.log(self.scale)
        each = jnp.where(value == 0, 0.0, self.logits + slab) - softplus(self.logits)
        return (each if observed is None else jnp.where(observed, each, 0.0)).sum()

    @property
    def mean(self):
        return jax.nn.sigmoid(self.logits) * self.loc

    @property
    def size(self):
        return 3 * self.logits.size

    def like(self, raw):
        """raw = [a, mu, log sigma]."""
        logits, loc, log_scale = jnp.split(raw, 3)
        return SpikeSlab(logits, loc, jnp.exp(log_scale))
