"""The exact posterior of a linear dynamical system."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import FullGaussian
from counterpoint.distributions.gaussian import masked
from counterpoint.errors import CounterpointError
from counterpoint.models.lds import LDS


@dataclass(frozen=True)
class KalmanConfig:
    """`smooth` looks ahead and is exact; without it, q is the best that sees only x_t and z_t-1."""

    name: ClassVar[str] = "kalman"
    smooth: bool = True

    def build(self, p: AbstractDirected, facts, key) -> "Kalman":
        q = Kalman(self.smooth)
        q.check(p)
        return q


class Kalman(AbstractPosterior):
    """q(z_t | z_t-1, x) = N(S (P^-1 m + h_t), S),  S = (P^-1 + J_t)^-1, with prior N(m, P) and the messages

        J_t = C' R^-1 C + A' (Q^-1 - Q^-1 (Q^-1 + J_t+1)^-1 Q^-1) A
        h_t = C' R^-1 (x_t - o) + A' Q^-1 (Q^-1 + J_t+1)^-1 h_t+1

    from the future (the information form of the RTS smoother). exp(-z' J z / 2 + h' z) is p(x_>=t | z_t) up to a
    constant, so each sampled path has weight p(x_1:T) exactly: every sampled bound is the log-likelihood, without
    variance.

    smooth=False drops the messages from t + 1 on: the per-step optimum of filtering EM (seed 1, sec. A: the gap to
    log p stays). Missing entries of a frame leave C' R^-1 C through the marginal of those observed.
    """

    smooth: bool = eqx.field(static=True, default=True)
    fills_gaps: ClassVar[bool] = True

    @property
    def sees_future(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.smooth

    def check(self, p):
        if not isinstance(p, LDS):
            raise CounterpointError(
                f"kalman is the posterior of a linear-Gaussian model; p is {type(p).__name__}, whose posterior is not"
                " Gaussian: choose q = filtering"
            )

    def encode(self, p, memory, x, e, mask):
        inverse = jnp.linalg.inv
        precision, transition, readout = inverse(p.noise.matrix), p.transition, p.readout

        def seen(x, mask):
            """What one frame says of its z."""
            noise = inverse(masked(p.observation_noise.matrix, mask))
            weighted = jnp.where(mask[:, None], readout, 0.0).T @ noise
            return weighted @ readout, weighted @ jnp.where(mask, x - p.offset, 0.0)

        def back(message, now):
            information, shift = (a + b for a, b in zip(message, now))
            gain = precision @ inverse(precision + information)
            carried = transition.T @ (precision - gain @ precision) @ transition, transition.T @ gain @ shift
            return carried, (information, shift)

        said = jax.vmap(seen)(x, mask)
        if not self.smooth:
            return memory, said
        d = p.start.shape[0]
        nothing = jnp.zeros((d, d), x.dtype), jnp.zeros(d, x.dtype)
        return memory, lax.scan(back, nothing, said, reverse=True)[1]

    def propose(self, p, carry, context, x, key):
        (mean, cholesky), (information, shift) = carry, context
        precision = jnp.linalg.inv(cholesky @ cholesky.T)
        covariance = jnp.linalg.inv(precision + information)
        return direct(FullGaussian(covariance @ (precision @ mean + shift), jnp.linalg.cholesky(covariance)))
