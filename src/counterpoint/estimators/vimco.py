"""Gradients through the density, with the other particles as the baseline."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from counterpoint.core import AbstractBound, AbstractEstimator, Batch, Trace
from counterpoint.distributions import Facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators.pathwise import estimate
from counterpoint.estimators.score_function import Signal, check_signal
from counterpoint.rollout import rollout


@dataclass(frozen=True)
class VIMCOConfig:
    """`signal` chooses what multiplies grad log q: all that a draw can change, or its own step's part."""

    name: ClassVar[str] = "vimco"
    signal: Signal = "reward_to_go"

    @classmethod
    def variants(cls):
        """Those worth comparing."""
        return {"vimco": cls(), "vimco, local": cls("local")}

    def build(self, p, facts: Facts, key) -> "VIMCO":
        return VIMCO(self.signal)


class VIMCO(AbstractEstimator):
    """d phi = sum_k (L(w_1 .. w_K) - L(w with w_k replaced by the others' mean)) grad log q(z_k) + grad L at fixed z
    (Mnih and Rezende 2016, eq. 9-10)

    The mean is of log w_k, step by step, so it is the geometric one. What is taken off does not see z_k, so the
    gradient of q stays unbiased, with no network and no running mean to learn; theta's is the bound's own. For IWAE
    this is VIMCO; for the ELBO of K particles it is the leave-one-out score function. `signal` as in ScoreFunction:
    "local" is biased and needs a bound that splits over steps. Needs two particles or more, which do not resample.
    """

    signal: Signal = eqx.field(static=True, default="reward_to_go")

    def unbiased(self, bound):
        return self.signal == "reward_to_go"

    def check(self, p, q, bound):
        check_signal(self.signal, bound)
        if bound.particles < 2:
            raise CounterpointError(
                f"vimco compares each particle with the others, and {bound.name} has {bound.particles}: choose two or"
                " more, as in --bound.particles 5"
            )
        if bound.resampling is not None:
            raise CounterpointError(
                f"vimco replaces a particle by the others; in {bound.name} they descend from each other when they"
                " resample, so what is left still depends on it: choose bound = iwae or elbo"
            )

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        trace, state = rollout(p, q, batch, key, particles=bound.particles, pathwise=False)
        return self.of_trace(bound, batch, trace, step)._replace(state=state), memory

    def of_trace(self, bound, batch: Batch, trace: Trace, step):
        """The estimate from a trace whose z is held fixed, however it was come by."""
        weight = lax.stop_gradient(advantage(bound, trace, step, self.signal == "local"))
        objective = bound(bound.hold(trace), step).sum() + (weight * trace.log_q).sum()
        return estimate(bound, trace, objective, batch)


def advantage(bound: AbstractBound, trace: Trace, step, local: bool):
    """(T, B, K) the signal of each particle less what it would be with the others' mean in its place."""

    def without(k):
        here = jnp.arange(bound.particles) == k
        mean = lambda a: jnp.where(here, 0.0, a).sum(-1, keepdims=True) / (bound.particles - 1)
        change = lambda a: jnp.where(here, mean(a), a)
        names = ("log_prior", "log_likelihood", "log_q", "kl")
        other = trace._replace(**{name: change(getattr(trace, name)) for name in names})
        return bound.signal(other, step, local)[..., k]

    baseline = jax.vmap(without, out_axes=-1)(jnp.arange(bound.particles))
    return bound.signal(trace, step, local) - baseline
