"""The evidence lower bound."""

from typing import ClassVar

import equinox as eqx
from jax import lax

from counterpoint.bounds.warmup import Warmup
from counterpoint.core import AbstractBound, Trace
from counterpoint.errors import at_least


class ELBO(AbstractBound):
    """L = sum_t E_q[ log p(x_t | z_<=t, x_<t) - beta KL(q(z_t) || p(z_t | z_<t, x_<t)) ]
    (Gan's slides, eq. 15; Marino et al. 2018, appendix, eq. 12)

    nats, summed over steps, averaged over particles. The KL is in closed form where the pair of distributions has
    one and `closed_form` asks for it, else log q - log p at the sample; so of several layers, see `Chain`, and of an
    exact q. beta follows `kl_weight` in training and is 1 in what is reported: only then is it a bound.
    """

    name: ClassVar[str] = "elbo"
    particles: int = eqx.field(static=True, default=1)
    closed_form: bool = eqx.field(static=True, default=True)
    kl_weight: Warmup = eqx.field(static=True, default=Warmup())
    splits: ClassVar[bool] = True

    @property
    def label(self):
        """Particles are averaged: they steady the estimate and leave the bound what it is."""
        return "ELBO"

    @property
    def warmup(self):
        return self.kl_weight.steps

    def __check_init__(self):
        at_least(self, 1, "particles")

    def __call__(self, trace: Trace, step=None):
        return (trace.log_likelihood - self.kl_weight(step) * trace.kl).sum(0).mean(-1)

    def signal(self, trace: Trace, step, local):
        reward = trace.log_likelihood - self.kl_weight(step) * (trace.log_q - trace.log_prior)
        reward = reward / trace.log_q.shape[-1]
        return reward if local else lax.cumsum(reward, reverse=True)

    def hold(self, trace: Trace) -> Trace:
        """E_q[grad log q] = 0 (Gan's slides, eq. 26-30): log q leaves the part that is differentiated directly."""
        log_q = lax.stop_gradient(trace.log_q)
        return trace._replace(log_q=log_q, kl=log_q - trace.log_prior)
