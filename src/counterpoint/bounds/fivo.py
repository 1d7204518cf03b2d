"""The filtering variational objective."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import lax

from counterpoint.core import AbstractBound, Trace
from counterpoint.errors import at_least
from counterpoint.resampling import Multinomial, Systematic


class FIVO(AbstractBound):
    """L = E[ sum_t log sum_k W_t-1^k w_t^k ], a particle filter's log-evidence (Maddison et al. 2017, Le et al. 2018,
    Naesseth et al. 2018)

    nats, summed over steps. Particles resample where their effective number falls below `threshold` * K.

    The gradient leaves out the distribution of the ancestors, as the papers do: biased, with less variance.
    `score_resampling` adds its score term, sum_t log p(a_t) sum_s>=t log-evidence_s, and draws ancestors independently,
    since systematic ones have no density; unbiased, with much variance.
    """

    name: ClassVar[str] = "fivo"
    particles: int = eqx.field(static=True, default=8)
    threshold: float = eqx.field(static=True, default=0.5)
    score_resampling: bool = eqx.field(static=True, default=False)
    closed_form: ClassVar[bool] = False
    splits: ClassVar[bool] = True

    def __check_init__(self):
        at_least(self, 1, "particles")

    @property
    def resampling(self):
        return (Multinomial if self.score_resampling else Systematic)(self.threshold)

    def __call__(self, trace: Trace, step=None):
        bound = trace.log_evidence.sum(0)
        if not self.score_resampling:
            return bound
        to_go = lax.stop_gradient(lax.cumsum(trace.log_evidence, reverse=True))
        chance = trace.log_resample - lax.stop_gradient(trace.log_resample)
        return bound + (to_go * chance).sum(0)  # adds zero, and the gradient of the ancestors' law

    def signal(self, trace: Trace, step, local):
        reward = trace.log_evidence if local else lax.cumsum(trace.log_evidence, reverse=True)
        return jnp.broadcast_to(reward[..., None], trace.log_q.shape)
