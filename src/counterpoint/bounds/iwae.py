"""The importance-weighted bound."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp

from counterpoint.core import AbstractBound, Trace
from counterpoint.errors import at_least
from counterpoint.numerics import log_mean


class IWAE(AbstractBound):
    """L_K = E[ log (1/K) sum_k prod_t w_t^k ]   (Burda et al. 2015; Bachman and Precup 2015, eq. 14)

    Eq. 14 as published misses the 1/K: without it, the value exceeds log p once log K exceeds the gap.

    nats, summed over steps. Grows with K towards log p(x_1:T); on long sequences one particle takes all the weight
    and FIVO is tighter.
    """

    name: ClassVar[str] = "iwae"
    particles: int = eqx.field(static=True, default=8)
    closed_form: ClassVar[bool] = False
    splits: ClassVar[bool] = False

    def __check_init__(self):
        at_least(self, 1, "particles")

    def __call__(self, trace: Trace, step=None):
        return log_mean(trace.log_weight.sum(0))

    def portions(self, most):
        """K particles are n times K / n of them."""
        size = max(n for n in range(1, min(most, self.particles) + 1) if self.particles % n == 0)
        return IWAE(size), self.particles // size

    def signal(self, trace: Trace, step, local):
        """L_K less what it is of the steps before, which z_t does not change."""
        before = jnp.cumsum(trace.log_weight, 0) - trace.log_weight
        return jnp.broadcast_to((self(trace)[None] - log_mean(before))[..., None], trace.log_q.shape)
