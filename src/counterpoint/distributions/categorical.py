"""One of n."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.support import Support


class Categorical(AbstractDistribution):
    """p(x = i) = softmax(a)_i; an event is a scalar index 0 .. n - 1 (int32).

    logits a (n,), not necessarily normalised.
    """

    logits: Float[Array, " n"]
    pathwise: ClassVar[bool] = False

    @property
    def support(self):
        n = self.logits.shape[0]
        return Support(f"indices 0 to {n - 1}", lambda x: (x >= 0) & (x < n) & (x == np.round(x)))

    def sample(self, key):
        return random.categorical(key, self.logits).astype(jnp.int32)

    def log_prob(self, value, observed=None):
        each = jax.nn.log_softmax(self.logits)[jnp.asarray(value, jnp.int32)]
        return each if observed is None else jnp.where(observed, each, 0.0)

    @property
    def mean(self):
        """Probabilities of the n categories."""
        return jax.nn.softmax(self.logits)

    @property
    def size(self):
        return self.logits.size

    def like(self, raw):
        """raw is the logits."""
        return Categorical(raw)
