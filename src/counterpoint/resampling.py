"""Which particles go on: weights (K,) in, ancestors (K,) and new weights out."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float, Int


class AbstractResampling(eqx.Module):
    """Draws ancestors when the effective sample size 1 / sum w^2 falls below `threshold` * K (`Maddison et al.
    2017` use one half), so that log_weight may stay as it is where weights are still even.

    threshold in (0, 1]; at 1 every step with uneven weights resamples.
    """

    threshold: eqx.AbstractVar[float]
    has_score: eqx.AbstractVar[bool]  # the law of the ancestors has a density that is summed below

    @abstractmethod
    def ancestors(self, key, log_weight: Float[Array, " K"]) -> tuple[Int[Array, " K"], Float[Array, ""]]:
        """Ancestors and their log-probability."""

    def __call__(self, key, log_weight: Float[Array, " K"]):
        """log_weight (K,), normalised -> ancestors (K,), new log_weight (K,), log-probability of the draw."""
        count = log_weight.shape[0]
        even = jnp.full_like(log_weight, -jnp.log(count))
        due = jnp.exp(-jax.nn.logsumexp(2 * log_weight)) < self.threshold * count * (1 - 1e-6)
        drawn, score = self.ancestors(key, log_weight)
        keep = jnp.arange(count, dtype=drawn.dtype)
        return (
            jnp.where(due, drawn, keep),
            jnp.where(due, even, log_weight),
            jnp.where(due, score, 0.0),
        )


class Systematic(AbstractResampling):
    """Ancestors at the K evenly spaced quantiles (i + u) / K of the weights, one uniform u: O(K log K), and the
    smallest variance of the usual schemes. The joint distribution of its ancestors has no useful density."""

    threshold: float = eqx.field(static=True, default=0.5)
    has_score: bool = eqx.field(static=True, default=False, init=False)

    def ancestors(self, key, log_weight):
        count = log_weight.shape[0]
        points = (jnp.arange(count) + random.uniform(key, (), log_weight.dtype)) / count
        total = jnp.cumsum(jax.nn.softmax(log_weight))
        drawn = jnp.clip(jnp.searchsorted(total, points.astype(log_weight.dtype)), 0, count - 1)
        return drawn, jnp.zeros((), log_weight.dtype)


class Multinomial(AbstractResampling):
    """K independent draws from the weights; their log-probability is differentiable, so that the gradient of
    the resampling itself can be taken (`Maddison et al. 2017`, sec. 4)."""

    threshold: float = eqx.field(static=True, default=0.5)
    has_score: bool = eqx.field(static=True, default=True, init=False)

    def ancestors(self, key, log_weight):
        count = log_weight.shape[0]
        total = jnp.cumsum(jax.nn.softmax(log_weight))
        drawn = jnp.searchsorted(total, random.uniform(key, (count,), log_weight.dtype) * total[-1])
        drawn = jnp.clip(drawn, 0, count - 1)
        return drawn, jax.nn.log_softmax(log_weight)[drawn].sum()
