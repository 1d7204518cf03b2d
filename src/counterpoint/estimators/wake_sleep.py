"""Reweighted wake-sleep: each voice learns from what the other draws."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax, random

from counterpoint.core import AbstractEstimator, Batch, Trace
from counterpoint.distributions import Facts
from counterpoint.errors import CounterpointError, at_least
from counterpoint.estimators.pathwise import estimate
from counterpoint.inference.prior import Prior
from counterpoint.rollout import rollout, stop, swap


@dataclass(frozen=True)
class WakeSleepConfig:
    """What q learns from: `wake`, its own draws by their weight, and `sleep`, pairs (x, z) that p draws, the dreams of
    the sleep phase; both are step sizes beside that of p."""

    name: ClassVar[str] = "wake_sleep"
    wake: float = 0.5
    sleep: float = 0.5

    def __post_init__(self):
        at_least(self, 0, "wake", "sleep")

    @classmethod
    def variants(cls):
        """Those worth comparing."""
        return {"wake_sleep, wake": cls(1.0, 0.0), "wake_sleep, sleep": cls(0.0, 1.0)}

    def build(self, p, facts: Facts, key) -> "WakeSleep":
        return WakeSleep(self.wake, self.sleep)


class WakeSleep(AbstractEstimator):
    """wake theta   d theta = grad_theta of the bound at fixed z; for IWAE  sum_k w_k grad log p(x, z_k)
    wake phi     d phi = sum_k w_k grad log q(z_k | x),   z_k ~ q,  w_k = p(x, z_k) / q(z_k | x), normalised
    sleep phi    d phi = grad log q(z | x),   (x, z) ~ p          (Bornschein and Bengio 2015; Hinton et al. 1995)

    The wake update of q lowers KL(p(z | x) || q) in the limit of many particles: it has the opposite sign of that in
    IWAE's own gradient (Bachman and Precup 2015, eq. 22). The dreams, draws of p, are as long as the sequences of the
    batch and have nothing missing. p sees q as fixed, and q sees p and its carry so. With sleep alone and the ELBO of
    one particle it is wake-sleep.
    """

    wake: float = eqx.field(static=True, default=0.5)
    sleep: float = eqx.field(static=True, default=0.5)

    def check(self, p, q, bound):
        if not (self.wake or self.sleep):
            raise CounterpointError("wake_sleep with wake 0 and sleep 0 never teaches q; choose one or both above 0")
        if bound.resampling is not None:
            raise CounterpointError(
                f"wake_sleep weighs whole paths, and those of {bound.name} are cut where particles resample: choose"
                " bound = iwae"
            )
        if self.wake and bound.particles < 2:
            raise CounterpointError(
                f"wake_sleep learns q from particles by their weight, and {bound.name} has one, whose weight is always"
                " 1: choose two or more, or estimator.wake 0"
            )

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        awake, asleep = random.split(key)
        trace, state = rollout(p, q, batch, awake, particles=bound.particles, pathwise=False, detach=True)
        objective = self.awake(bound, trace, step)
        if self.sleep:
            objective += self.sleep * dream(p, q, batch, asleep).log_q.sum()
        return estimate(bound, trace, objective, batch, state), memory

    def awake(self, bound, trace: Trace, step):
        """What the two wake updates raise, for a trace whose z is held fixed, however it was come by."""
        fixed = lax.stop_gradient(trace.log_q)
        objective = bound(trace._replace(log_q=fixed, kl=fixed - trace.log_prior), step).sum()
        if not self.wake:
            return objective
        weight = jax.nn.softmax(lax.stop_gradient(trace.log_weight.sum(0)))
        return objective + self.wake * (weight * trace.log_q.sum(0)).sum()


def dream(p, q, batch: Batch, key) -> Trace:
    """(x, z) ~ p, as long as the batch, and q's account of it: only q has a gradient."""
    p = stop(p)
    blank = Batch(jax.tree.map(jnp.zeros_like, batch.x), batch.valid, jnp.zeros_like(batch.valid))
    dreamt, _ = rollout(p, Prior(), blank, key)
    x, z = stop((swap(jax.tree.map(lambda a: a[:, :, 0], dreamt.x)), dreamt.z))
    return rollout(p, q, Batch(x, batch.valid), key, pathwise=False, z=z)[0]
