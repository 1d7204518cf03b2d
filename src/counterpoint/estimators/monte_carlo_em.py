"""Monte Carlo expectation maximisation: p learns from what a q without weights draws."""

from typing import ClassVar

import equinox as eqx
import jax

from counterpoint.core import AbstractEstimator, Batch
from counterpoint.errors import CounterpointError
from counterpoint.estimators.pathwise import estimate
from counterpoint.rollout import rollout


class MonteCarloEM(AbstractEstimator):
    """E: z_k ~ q(z | x; theta),   M: a gradient step  d theta = sum_k grad_theta log p(x, z_k) / K,   z_k and q held

    (Wei and Tanner 1990; Gan et al. 2015, DSBN; Gan's slides, "SBN vs. RBM"). With draws from the posterior, as
    `polya_gamma` has them after many sweeps, its mean is the gradient of log p(x), by Fisher's identity; with
    `mean_field_vb` it is variational EM, and raises the ELBO of a q that is fitted anew for every batch. A bound that
    weighs its particles weighs their gradients. Any z will do, for no gradient passes through it.
    """

    name: ClassVar[str] = "monte_carlo_em"

    def check(self, p, q, bound):
        if any(eqx.is_inexact_array(a) for a in jax.tree.leaves(q)):
            raise CounterpointError(
                f"monte_carlo_em teaches p alone, and the weights of {type(q).__name__} would stay as they are: choose"
                " q = polya_gamma or mean_field_vb for a tsbn, or estimator = wake_sleep, which teaches both"
            )

    def build(self, p, facts, key) -> "MonteCarloEM":
        return self

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        how = {"particles": bound.particles, "resampling": bound.resampling, "closed_form": bound.closed_form}
        trace, state = rollout(p, q, batch, key, detach=True, **how)  # z is of q, which sees p fixed
        return estimate(bound, trace, bound(trace, step).sum(), batch, state), memory
