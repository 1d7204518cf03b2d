"""Reconstructing from further and further along the chain."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax, random

from counterpoint.bounds import Denoising
from counterpoint.core import AbstractEstimator, Batch, Trace
from counterpoint.distributions import Facts, layers_of
from counterpoint.errors import CounterpointError, at_least
from counterpoint.estimators.contrastive_divergence import centred
from counterpoint.estimators.pathwise import estimate
from counterpoint.rollout import stop
from counterpoint.walk import move


@dataclass(frozen=True)
class WalkbackConfig:
    """`moves` of the chain z -> x that each datum is reconstructed after; 1 is a denoising auto-encoder's training."""

    name: ClassVar[str] = "walkback"
    moves: int = 1

    def __post_init__(self):
        at_least(self, 1, "moves")

    def build(self, p, facts: Facts, key) -> "Walkback":
        return Walkback(self.moves)


class Walkback(AbstractEstimator):
    """d theta = grad_p sum_n log p(x_0 | z_n),   x_0 -> z_1 ~ q(z | x_0) -> x_1 ~ p(x | z_1) -> .. -> z_N
    d phi = E_q[ grad_q ( log p(x_0 | z_1) - log q(z_1 | x_0) + log q(z_1) ) ]
    (Bengio et al. 2013, Algorithm 1, with N fixed; Bengio et al. 2014; Bachman and Precup 2015, eq. 9, there without
    the last two terms)

    p learns to lead the chain back to the datum from wherever it went in N moves; the chain is held, but for the hidden
    layers that a `GSN` keeps. Where N = 1, d
    theta is the gradient of `Denoising`. q's is, whatever N: a total derivative where z is a differentiable function of
    its parameters, else with the score function, (signal - the mean of the others) grad_q log q(z | x). Unbiased for
    the bound as the batch estimates it.
    """

    moves: int = eqx.field(static=True, default=1)
    chain: ClassVar[bool] = True

    def unbiased(self, bound):
        return self.moves == 1

    def check(self, p, q, bound):
        if not isinstance(bound, Denoising):
            raise CounterpointError(
                f"walkback reconstructs each frame from its corruption, and {bound.name} scores no such thing: choose"
                " bound = denoising"
            )
        learns = any(eqx.is_inexact_array(a) for a in jax.tree.leaves(q))
        if learns and not bound.information:
            raise CounterpointError(
                f"walkback: without the mutual information I(x; z), what {type(q).__name__} learns is to corrupt"
                " nothing: choose bound.information = True, or q = salt_and_pepper"
            )
        if bound.information and not self.law(p, q).normalised:
            raise CounterpointError(
                "walkback: z of grey values under salt and pepper has no density, and tells x in all its digits, so"
                " I(x; z) has no number: choose bound.information = False, or q = gaussian_noise"
            )

    def law(self, p, q):
        """The shapes of what q makes of a frame."""
        return eqx.filter_eval_shape(
            lambda p, q, x: q.propose(p, p.initial(), x, x, random.key(0)).distribution, p, q, layers_of(p.example())[0]
        )

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        of_bound, of_walk = random.split(key)
        trace = bound.run(p, q, batch, of_bound)
        objective = bound(trace, step).sum() + self.further(p, q, trace, of_walk)
        if not self.law(p, q).pathwise:
            objective += self.score(bound, trace, step)
        return estimate(bound, trace, objective, batch), memory

    def score(self, bound: Denoising, trace: Trace, step):
        """What has the gradient that z, held, leaves out."""
        signal = lax.stop_gradient(bound.signal(trace, step, True))
        counted = jnp.broadcast_to(trace.valid[..., None], signal.shape)
        return (jnp.where(counted, centred(signal, counted), 0.0) * trace.log_q).sum()

    def further(self, p, q, trace: Trace, key):
        """sum_n=2..N log p(x_0 | z_n), each a mean over particles, summed over frames. All that is drawn is held, but
        what p keeps from move to move is not."""
        if self.moves == 1:
            return 0.0
        carry = p.initial()

        def one(x, z, key):
            of_x, of_walk = random.split(key)

            def step(loop, key):
                z, new, kept = move(p, stop(q), loop[1], stop(loop[0]), key)
                return (new, kept), p.likelihood(loop[1], z).log_prob(x)

            start = p.likelihood(carry, stop(z)).sample(of_x), p.kept(carry, stop(z))
            return lax.scan(step, start, random.split(of_walk, self.moves - 1))[1].sum()

        keys = random.split(key, trace.log_q.shape)
        found = jax.vmap(jax.vmap(jax.vmap(one, (None, 0, 0))))(trace.x, trace.z, keys)
        return jnp.where(trace.valid, found.mean(-1), 0.0).sum()
