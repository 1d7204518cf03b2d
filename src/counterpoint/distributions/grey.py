"""Grey values between 0 and 1, held against the probability of a Bernoulli variable."""

from typing import ClassVar

from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.distributions.bernoulli import Bernoulli
from counterpoint.support import UNIT_INTERVAL, Support


class Grey(AbstractDistribution):
    """sum_i x_i log s(a_i) + (1 - x_i) log(1 - s(a_i)),  0 <= x_i <= 1: minus the cross-entropy.

    A loss and not a likelihood: its exponential does not integrate to 1 over grey values, so what bounds it bounds no
    log-probability of the data (the bouncing balls of Gan et al. 2015 are grey, and measured with it).
    For x of 0 and 1 it is the Bernoulli's. Nothing has this density, so `sample` gives the mean s(a).

    logits a: any one shape.
    """

    logits: Float[Array, "*event"]
    pathwise: ClassVar[bool] = True
    normalised: ClassVar[bool] = False
    support: ClassVar[Support] = UNIT_INTERVAL  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        return self.mean

    def log_prob(self, value, observed=None):
        return Bernoulli(self.logits).log_prob(value, observed)

    @property
    def mean(self):
        return Bernoulli(self.logits).mean

    @property
    def size(self):
        return self.logits.size

    def like(self, raw):
        """raw is the logits."""
        return Grey(raw.reshape(self.logits.shape))
