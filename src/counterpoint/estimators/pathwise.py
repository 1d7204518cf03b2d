"""Gradients through the sample."""

from typing import ClassVar

import jax.numpy as jnp

from counterpoint.core import AbstractBound, AbstractEstimator, Batch, Estimate, State
from counterpoint.errors import CounterpointError
from counterpoint.rollout import rollout
from counterpoint.shapes import latent


class Pathwise(AbstractEstimator):
    """grad E_eps[ f(g(eps)) ] = E_eps[ grad f(g(eps)) ] with z = g(eps)
    (Kingma and Welling 2014; Shareghi 2018, sec. 2.4)

    Unbiased for ELBO and IWAE, and for FIVO where that has the score of its ancestors. Needs samples that are
    differentiable functions of q's parameters; or a q that is p(z | x), of whatever z: then f is log p(x) of every
    sample, and its gradient is that of log p(x), without noise.
    """

    name: ClassVar[str] = "pathwise"

    def unbiased(self, bound):
        return scored(bound)

    def check(self, p, q, bound):
        law = latent(p)
        if not (law.pathwise or q.exact):
            raise CounterpointError(
                f"pathwise needs dz/dphi; z of {type(p).__name__} is discrete, a step function of its parameters with"
                " derivative zero almost everywhere: choose estimator = score_function"
            )

    def build(self, p, facts, key) -> "Pathwise":
        return self

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        trace, state = rollout(
            p, q, batch, key, particles=bound.particles, resampling=bound.resampling, closed_form=bound.closed_form
        )
        return estimate(bound, trace, bound(trace, step).sum(), batch, state), memory


def scored(bound: AbstractBound) -> bool:
    """Whether the bound has the score of all that is drawn besides z: not where ancestors are drawn without one."""
    return bound.resampling is None or bound.resampling.has_score or bound.particles == 1


def estimate(bound, trace, objective, batch: Batch, state: State | None = None) -> Estimate:
    """Per valid step: minus `objective` to minimise, the bound and its two parts to report; the state after it."""
    steps = jnp.maximum(batch.valid.sum(), 1)
    per_step = lambda a: a.mean(-1).sum() / steps
    metrics = {"log_likelihood": per_step(trace.log_likelihood), "kl": per_step(trace.kl)}
    return Estimate(-objective / steps, bound(trace).sum() / steps, metrics, state)
