"""Gradients through the sample alone: q is held where its density is scored, for what that adds has mean zero."""

from abc import abstractmethod
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from counterpoint.core import AbstractEstimator, Batch, Trace
from counterpoint.errors import CounterpointError
from counterpoint.estimators.pathwise import Pathwise, estimate
from counterpoint.rollout import rollout, stop


class AbstractPathDerivative(AbstractEstimator):
    """d phi = sum_k c_k  dlog w(z_k) / dz_k  dz_k / dphi,   d theta = sum_k w_k grad log p(x, z_k)

    z_k = g_phi(eps_k), log w(z) = log p(x, z) - log q(z) with q's parameters held, w_k the weights that the bound gives
    its particles. phi is all that draws depend on, be it q's own or what q reads of p; for sequences z_k is a whole
    path. The KL is taken at the sample, whatever the bound's `closed_form` says: a closed form has no such noise to
    leave out.
    """

    name: ClassVar[str]
    whole: ClassVar[bool] = False  # True: for the log of a mean over whole paths alone

    @abstractmethod
    def paths(self, trace: Trace) -> PyTree:
        """z (T, B, K, ...), with the gradient that is to pass through it."""

    def check(self, p, q, bound):
        Pathwise().check(p, q, bound)
        if bound.resampling is not None:
            raise CounterpointError(
                f"{self.name} follows each particle's own path from q to the bound, and those of {bound.name} are cut"
                " where particles resample: choose bound = iwae or elbo, or estimator = pathwise"
            )
        if self.whole and bound.splits:
            raise CounterpointError(
                f"{self.name} is the gradient of the log of a mean over whole paths, and {bound.name} is a sum over"
                " steps: choose bound = iwae, or estimator = stl"
            )

    def build(self, p, facts, key):
        return self

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        if batch.observed is not None:
            raise CounterpointError(
                f"{self.name} scores each z a second time, with q held; where something is missing, x was drawn along"
                " with z and would be drawn anew: choose estimator = pathwise"
            )
        trace, state = rollout(p, q, batch, key, particles=bound.particles)
        return self.of_trace(p, q, bound, batch, trace, key, step)._replace(state=state), memory

    def of_trace(self, p, q, bound, batch: Batch, trace: Trace, key, step):
        """The estimate from a trace whose z is a differentiable function of q's parameters."""
        z = self.paths(trace)
        scored, _ = rollout(p, q, batch, key, particles=bound.particles, z=z)
        held, _ = rollout(stop(p), stop(q), batch, key, particles=bound.particles, z=z)
        trace = scored._replace(log_q=held.log_q, kl=held.log_q - scored.log_prior)
        return estimate(bound, trace, bound(trace, step).sum(), batch)


class STL(AbstractPathDerivative):
    """c_k = w_k: "sticking the landing"      (Roeder et al. 2017)

    It leaves out sum_k w_k grad log q(z_k) at fixed z_k. Where the w_k are constant, as for the ELBO, that has mean
    zero: unbiased, and without any variance where q is exact. For IWAE it is biased by that term (Tucker et al. 2018):
    see `DReG`.
    """

    name: ClassVar[str] = "stl"

    def unbiased(self, bound):
        return bound.splits or bound.particles == 1

    def paths(self, trace):
        return trace.z


class DReG(AbstractPathDerivative):
    """c_k = w_k^2, w_k normalised: the doubly reparameterised gradient of IWAE      (Tucker et al. 2018, eq. 8)

    Unbiased: what `STL` leaves out is reparameterised a second time,

        E[ sum_k w_k grad log q(z_k) ] = E[ sum_k (w_k - w_k^2) dlog w / dz_k dz_k / dphi ].

    Its signal does not drown in its noise as K grows, as that of `Pathwise` does. With one particle it is `STL`.
    """

    name: ClassVar[str] = "dreg"
    whole: ClassVar[bool] = True

    def unbiased(self, bound):
        return True

    def paths(self, trace):
        weight = jax.nn.softmax(stop(trace.log_weight.sum(0)))  # (B, K)
        return jax.tree.map(lambda a: weakened(a, weight.reshape(1, *weight.shape, *(1,) * (a.ndim - 3))), trace.z)


@jax.custom_vjp
def weakened(a, weight):
    """a, with its gradient multiplied by the weight."""
    return a


weakened.defvjp(lambda a, weight: (a, weight), lambda weight, g: (weight * g, jnp.zeros_like(weight)))
