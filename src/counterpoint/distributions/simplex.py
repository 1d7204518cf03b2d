"""Points of the simplex, n numbers above 0 that sum to 1, by differentiable draws (Shareghi 2018, appendix D)."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jax.scipy.special import gammaln
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.distributions.reparameterised import log_gamma, positive
from counterpoint.support import Support

SIMPLEX = Support("numbers above 0 that sum to 1", lambda x: (x > 0) & (x <= 1))


class Dirichlet(AbstractDistribution):
    """x_i = y_i / sum_j y_j, y_i ~ Gamma(alpha_i, 1):
    log p(x) = sum_i (alpha_i - 1) log x_i - log Gamma(alpha_i) + log Gamma(sum_i alpha_i).

    alpha (n,) above 0. Draws have the implicit gradients of a Gamma's. A point is seen as a whole, or not.
    """

    alpha: Float[Array, " n"]
    pathwise: ClassVar[bool] = True
    support: ClassVar[Support] = SIMPLEX  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        return above(jax.nn.softmax(log_gamma(key, self.alpha)))

    def log_prob(self, value, observed=None):
        norm = gammaln(self.alpha.sum()) - gammaln(self.alpha).sum()
        return whole(lambda x: ((self.alpha - 1) * jnp.log(x)).sum() + norm, value, observed)

    @property
    def mean(self):
        return self.alpha / self.alpha.sum()

    @property
    def size(self):
        return self.alpha.size

    def like(self, raw):
        """raw through a softplus, so that raw = 0 is about the uniform distribution, alpha = 1."""
        return Dirichlet(positive(raw))


class Concrete(AbstractDistribution):
    """x = softmax((a + g) / tau), g_i Gumbel:   log p(x) = log (n - 1)! + (n - 1) log tau
    + sum_i (a_i - (tau + 1) log x_i) - n log sum_i exp(a_i - tau log x_i)

    a relaxed category, one-hot as tau -> 0 (Maddison et al. 2017; Jang et al. 2017, as Gumbel-softmax).

    logits a (n,), not necessarily normalised; temperature tau > 0. A point is seen as a whole, or not.
    """

    logits: Float[Array, " n"]
    temperature: float = eqx.field(static=True, default=0.5)
    pathwise: ClassVar[bool] = True
    support: ClassVar[Support] = SIMPLEX  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """-log(-log u)."""
        return random.gumbel(key, self.logits.shape, self.logits.dtype)

    def drawn(self, noise):
        return above(jax.nn.softmax((self.logits + noise) / self.temperature))

    def log_prob(self, value, observed=None):
        a, tau, n = self.logits, self.temperature, self.logits.size

        def one(x):
            log = jnp.log(x)
            return (a - (tau + 1) * log).sum() - n * jax.nn.logsumexp(a - tau * log)

        norm = gammaln(float(n)) + (n - 1) * jnp.log(tau)
        return whole(lambda x: one(x) + norm, value, observed)

    @property
    def mean(self):
        """softmax(a), of the category that is relaxed: E[x] has no closed form. They agree as tau -> 0, and for logits
        that are all the same."""
        return jax.nn.softmax(self.logits)

    @property
    def size(self):
        return self.logits.size

    def like(self, raw):
        """raw is the logits."""
        return Concrete(raw, self.temperature)


def above(x):
    """Off the faces of the simplex, where a density may have no logarithm, by the least number of a float."""
    return jnp.maximum(x, jnp.finfo(x.dtype).tiny)


def whole(log_density, value, observed):
    """The log-density of a point that is seen, all of it; 0 of one that is not."""
    if observed is None:
        return log_density(value)
    seen = jnp.all(observed)
    return jnp.where(seen, log_density(jnp.where(seen, value, 1 / value.shape[-1])), 0.0)
