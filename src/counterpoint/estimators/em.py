"""Expectation maximisation as a gradient."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from counterpoint.core import AbstractEstimator, Batch, Estimate
from counterpoint.errors import CounterpointError
from counterpoint.inference.exact import AbstractExact
from counterpoint.rollout import stop


class EM(AbstractEstimator):
    """theta - M(theta), where M(theta) = argmax_theta' E_p(z | x, theta)[ log p(x, z | theta') ]

    (Dempster et al. 1977), as the gradient of |theta - M|^2 / 2 with M held fixed. It is minus the gradient of log p(x)
    times a positive definite matrix (Xu and Jordan 1996), so every optimiser may follow it. Gradient descent of rate 1
    without a clip goes to M itself: `--fit.optimiser.name sgd --fit.optimiser.p 1 --fit.optimiser.clip 0` with all
    sequences in a batch is expectation maximisation, and log p(x) does not fall. M is the best within the floors
    that `HMM` and `LDSConfig` tell. A smaller rate goes part of the way, which small batches need.

    q is exact, so every bound is log p(x), and that is the value. q has no weights, and draws nothing.
    """

    name: ClassVar[str] = "em"

    def check(self, p, q, bound):
        if not isinstance(q, AbstractExact):
            raise CounterpointError(
                f"em takes expectations under p(z | x) in closed form, and {type(q).__name__} is not that posterior:"
                f" choose q = forward_backward for an hmm, q = kalman for an lds; no other p (here {type(p).__name__})"
                " has one"
            )
        if not q.smooth:
            raise CounterpointError(
                f"em takes expectations under p(z | x), which sees the whole sequence, and this {type(q).__name__} has"
                " smooth = False: leave that out, or learn by gradients: score_function, or pathwise of an lds"
            )

    def build(self, p, facts, key) -> "EM":
        return self

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        fixed = stop(p)
        log_evidence, sums = q.expect(fixed, batch)
        goal = q.maximise(fixed, sums)
        # a logit of minus infinity stays one
        apart = lambda a, b: 0.5 * jnp.square(jnp.where(a == b, 0.0, a - b)).sum() if eqx.is_inexact_array(a) else 0.0
        surrogate = sum(jax.tree.leaves(jax.tree.map(apart, p, goal)), start=jnp.zeros(()))
        value = log_evidence.sum() / jnp.maximum(batch.valid.sum(), 1)
        return Estimate(surrogate, value, {"log_likelihood": value, "kl": jnp.zeros_like(value)}), memory
