"""The exact posterior of a hidden Markov model."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import Categorical
from counterpoint.errors import CounterpointError
from counterpoint.models.hmm import HMM


@dataclass(frozen=True)
class ForwardBackwardConfig:
    """`smooth` looks ahead and is exact; without it, q sees only x_t and z_t-1."""

    name: ClassVar[str] = "forward_backward"
    smooth: bool = True

    def build(self, p: AbstractDirected, facts, key) -> "ForwardBackward":
        q = ForwardBackward(self.smooth)
        q.check(p)
        return q


class ForwardBackward(AbstractPosterior):
    """q(z_t = i | z_t-1, x) prop. to p(z_t = i | z_t-1) exp(beta_t(i)),

        beta_t(i) = log p(x_t | i) + log sum_j p(z_t+1 = j | i) exp(beta_t+1(j)):

    backward messages, forward sampling. Every path has weight p(x_1:T): bounds equal the log-likelihood and have no
    variance. smooth=False stops at log p(x_t | i).
    """

    smooth: bool = eqx.field(static=True, default=True)
    fills_gaps: ClassVar[bool] = True

    @property
    def sees_future(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.smooth

    def check(self, p):
        if not isinstance(p, HMM):
            raise CounterpointError(
                f"forward_backward sums over the states of a hidden Markov model; p is {type(p).__name__}, which has"
                " none to sum over: choose q = filtering"
            )

    def encode(self, p, memory, x, e, mask):
        emissions = jax.vmap(p.family)(p.emission)
        log_move = jax.nn.log_softmax(p.transition)
        said = jax.vmap(lambda x, m: jax.vmap(lambda law: law.log_prob(x, m))(emissions))(x, mask)
        if not self.smooth:
            return memory, said

        def back(message, now):
            beta = now + message
            return jax.nn.logsumexp(log_move + beta[None], axis=1), beta

        return memory, lax.scan(back, jnp.zeros_like(said[0]), said, reverse=True)[1]

    def propose(self, p, carry, context, x, key):
        return direct(Categorical(jax.nn.log_softmax(carry) + context))
