"""How often each word occurs."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jax.scipy.special import gammaln
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.support import COUNTS, Support


class Counts(AbstractDistribution):
    """p(v) = prod_m y_m^v_m, y = softmax(a)      (Gan et al. 2015, sec. 2.4)

    the probability of the words in the order in which they stand, given how many there are. With `coefficient`, the
    multinomial: times (sum_m v_m)! / prod_m v_m!, in any order.

    logits a (M,). `total` words are drawn, and `mean` is of so many; the data may have any number.
    """

    logits: Float[Array, " M"]
    total: int = eqx.field(static=True, default=1)
    coefficient: bool = eqx.field(static=True, default=False)
    pathwise: ClassVar[bool] = False
    support: ClassVar[Support] = COUNTS  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        return random.multinomial(key, self.total, jax.nn.softmax(self.logits)).astype(self.logits.dtype)

    def log_prob(self, value, observed=None):
        """Of the counts that are observed, as counts among the observed words."""
        seen = jnp.ones(value.shape, bool) if observed is None else observed
        v = jnp.where(seen, value, 0)
        known = jnp.where(seen, self.logits, -jnp.inf)
        norm = jax.nn.logsumexp(jnp.where(seen.any(), known, self.logits))
        found = (v * jnp.where(seen, self.logits - norm, 0.0)).sum()
        return found + gammaln(v.sum() + 1.0) - gammaln(v + 1.0).sum() if self.coefficient else found

    @property
    def mean(self):
        """Expected counts among `total` words."""
        return self.total * jax.nn.softmax(self.logits)

    @property
    def size(self):
        return self.logits.size

    def like(self, raw):
        """raw is the logits."""
        return Counts(raw, self.total, self.coefficient)
