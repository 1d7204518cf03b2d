"""The likelihood's own gradient, where all states can be counted."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from counterpoint import annealing, counting
from counterpoint.core import AbstractEstimator, Batch, Estimate
from counterpoint.errors import CounterpointError
from counterpoint.rollout import parted, swap
from counterpoint.walk import pasts, whole


class MaximumLikelihood(AbstractEstimator):
    """grad log p(x_t | past) = -grad F_t(x_t) - grad log Z_t,   Z_t the sum over all states of x or of z, whichever has
    fewer units (Bachman and Precup 2015, eq. 44, without its chain)

    What contrastive divergence approaches as its chains grow long, and no chain is drawn for it: without noise. For p
    that is an RBM at each step, of which one side has at most 20 units, and whose past holds no z that was drawn. What
    p charges for its structure, `penalty`, is added.

    Reported is log p(x_t | past) itself, exact, in nats; the bound is for validation. Frames must be whole.

    `unbiased` speaks of log p itself, which the bounds of an undirected p are judged by.
    """

    name: ClassVar[str] = "maximum_likelihood"
    chain: ClassVar[bool] = True
    reports: ClassVar[str] = "log-likelihood"

    def unbiased(self, bound):
        return True

    def build(self, p, facts, key) -> "MaximumLikelihood":
        return self

    def check(self, p, q, bound):
        annealing.check(p)
        if jax.tree.leaves(parted(p.initial())[0]):
            raise CounterpointError(
                f"maximum_likelihood: log p(x) of {type(p).__name__} is a sum over all z of the past, which cannot be"
                " counted step by step: choose estimator = contrastive_divergence"
            )
        units = counting.fewest(eqx.filter_eval_shape(lambda p: p.at(p.initial()), p))
        if units > counting.MOST:
            raise CounterpointError(
                f"maximum_likelihood: 2^{units} states are too many to sum over, and it goes up to 2^{counting.MOST}:"
                " choose estimator = contrastive_divergence"
            )

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        x = whole(batch, self.name)
        before, state = pasts(p, q, batch._replace(x=x), key)

        def frame(carry, x):
            return p.free_energy(carry, x) + counting.log_total(p.at(carry))

        loss = lax.map(lambda now: jax.vmap(frame)(*now), swap((before, x)))
        loss, count = jnp.where(batch.valid.T, loss, 0.0).sum(), batch.valid.sum()
        steps = jnp.maximum(count, 1)
        value = -lax.stop_gradient(loss) / steps
        return Estimate((loss + count * p.penalty()) / steps, value, {"log_likelihood": value}, state), memory
