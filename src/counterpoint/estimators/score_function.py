"""Gradients through the density: neural variational inference and learning."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Float

from counterpoint.core import AbstractEstimator, Batch, Trace
from counterpoint.distributions import Facts, Family
from counterpoint.errors import CounterpointError, at_least
from counterpoint.estimators.pathwise import estimate, scored
from counterpoint.rollout import mask_of, rollout, where

Signal = Literal["local", "reward_to_go"]


@dataclass(frozen=True)
class ScoreFunctionConfig:
    """`signal` chooses what multiplies grad log q; `baseline` is the number of tanh units of C(x_t), 0 for none."""

    name: ClassVar[str] = "score_function"
    signal: Signal = "reward_to_go"
    centre: bool = True
    normalise: bool = True
    baseline: int = 100
    decay: float = 0.8

    def __post_init__(self):
        at_least(self, 0, "baseline")

    @classmethod
    def variants(cls):
        """Those worth comparing, none with its step divided by the signal's deviation."""
        return {
            "score_function, bare": cls(centre=False, normalise=False, baseline=0),
            "score_function": cls(normalise=False),
            "score_function, local": cls("local", normalise=False),
        }

    def build(self, p, facts: Facts, key) -> "ScoreFunction":
        width, units = facts.family.width, self.baseline
        inner = random.normal(key, (units, width)) / width**0.5
        baseline = (inner, jnp.zeros(units)) if units else None
        return ScoreFunction(baseline, self.signal, self.centre, self.normalise, self.decay, facts.family)


class Moments(NamedTuple):
    """Running mean and variance of the learning signal per step it sums over; `batches` seen."""

    mean: Float[Array, ""]
    variance: Float[Array, ""]
    batches: Array


class ScoreFunction(AbstractEstimator):
    """d theta = grad log p(v, h),  d phi = sum_t (l_t - C(v_t) - c) / max(1, sqrt v) grad log q(h_t),
    d lambda = sum_t (l_t - C(v_t) - c) / max(1, sqrt v) grad C(v_t)   (Gan's slides, Algorithm 1; Mnih and Gregor 2014)

    signal "reward_to_go": l_t is all of the bound that h_t can change, sum_s>=t l_s. Unbiased (up to the positive
    factor 1 / max(1, sqrt v), which scales the step and not its direction).
    signal "local": l_t is step t's own term, as in Algorithm 1. Biased for phi: where q is autoregressive, h_t
    moves later terms too, and their part of the gradient is left out (on the small TSBN of tests/exact the cosine with
    the exact gradient is 0.989 and one component has the wrong sign). Its variance is far smaller.

    The baselines see no h_t, so they change no expectation: C(v_t) = a' tanh(A v_t), without biases; c and v are
    running moments with weight `decay`, taken from *before* the batch (Algorithm 1 updates them first, which
    correlates them with h_t), except in the first. A signal that sums n_t steps has baseline n_t (C + c): both learn
    values per step.
    """

    baseline: tuple[Float[Array, "units M"], Float[Array, " units"]] | None
    signal: Signal = eqx.field(static=True, default="reward_to_go")
    centre: bool = eqx.field(static=True, default=True)
    normalise: bool = eqx.field(static=True, default=True)
    decay: float = eqx.field(static=True, default=0.8)
    family: Family | None = eqx.field(static=True, default=None)  # how the baseline reads a frame

    def unbiased(self, bound):
        return self.signal == "reward_to_go" and not self.normalise and scored(bound)

    def check(self, p, q, bound):
        check_signal(self.signal, bound)

    def initial(self):
        return Moments(jnp.zeros(()), jnp.ones(()), jnp.zeros((), jnp.int32))

    def __call__(self, p, q, bound, batch: Batch, key, memory: Moments, step):
        how = {"particles": bound.particles, "resampling": bound.resampling, "pathwise": False}
        trace, state = rollout(p, self.view(q, memory), batch, key, **how)
        out, memory = self.of_trace(bound, batch, trace, memory, step)
        return out._replace(state=state), memory

    def scale(self, memory: Moments):
        """max(1, sqrt v), with v from before the batch; 1 in the first."""
        return jnp.maximum(1.0, jnp.sqrt(memory.variance)) if self.normalise else jnp.ones(())

    def view(self, q, memory: Moments):
        """q with its whole gradient divided by `scale`: every part of it, and nothing of p's."""
        shrink = 1 / self.scale(memory)

        def one(a):
            return lax.stop_gradient(a) + (shrink * (a - lax.stop_gradient(a))).astype(a.dtype)

        return jax.tree.map(lambda a: one(a) if eqx.is_inexact_array(a) else a, q)

    def of_trace(self, bound, batch: Batch, trace: Trace, memory: Moments, step):
        """The estimate from a trace whose z is held fixed, however it was come by."""
        valid = trace.valid[..., None]
        local = self.signal == "local"
        ones = jnp.where(valid, jnp.ones_like(trace.log_q), 0.0)
        steps = ones if local else lax.cumsum(ones, reverse=True)  # how many steps each signal sums
        reward = lax.stop_gradient(bound.signal(trace, step, local)) / jnp.maximum(steps, 1.0)
        error = reward - self.guess(batch)[..., None]  # per step; only the baseline has a gradient here
        fresh = moments_of(lax.stop_gradient(error), ones)
        used = where(memory.batches > 0, (memory.mean, memory.variance), fresh)
        error = error - used[0] if self.centre else error
        weight = lax.stop_gradient(error) * steps
        miss = ones * 0.5 * error**2 / self.scale(memory)
        objective = bound(bound.hold(trace), step).sum() + (weight * trace.log_q).sum() - miss.sum()
        out = estimate(bound, trace, objective, batch)
        mean, variance = (self.decay * old + (1 - self.decay) * new for old, new in zip(used, fresh))
        metrics = out.metrics | {"signal_variance": fresh[1]}
        return out._replace(metrics=metrics), Moments(mean, variance, memory.batches + 1)

    def guess(self, batch: Batch) -> Float[Array, "T B"]:
        """C(x_t), missing entries read as zero."""
        if self.baseline is None:
            return jnp.zeros(batch.valid.shape[::-1])
        assert self.family is not None  # a baseline is built with one
        x = jax.tree.map(lambda m, a: jnp.where(m, a, jnp.zeros((), a.dtype)), mask_of(batch), batch.x)
        frames = jax.vmap(jax.vmap(self.family.flatten))(x)
        inner, outer = self.baseline
        return (jnp.tanh(frames @ inner.T) @ outer).T


def check_signal(signal: str, bound) -> None:
    """Raise CounterpointError for a signal that is unknown, or that the bound does not have."""
    if signal not in ("local", "reward_to_go"):
        raise CounterpointError(f"signal {signal!r} is unknown; choose 'local' or 'reward_to_go'")
    if signal == "local" and not bound.splits:
        raise CounterpointError(
            f"{bound.name} is the log of a sum over whole paths and does not split over steps, so it has no local"
            " signal: choose signal = reward_to_go"
        )


def moments_of(signal, weight):
    """Mean and variance over everything that counts."""
    total = jnp.maximum(weight.sum(), 1.0)
    mean = (weight * signal).sum() / total
    return mean, (weight * (signal - mean) ** 2).sum() / total
