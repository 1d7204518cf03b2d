"""The exact posterior of a linear dynamical system."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from counterpoint.core import AbstractDirected, Batch, direct
from counterpoint.distributions import FullGaussian
from counterpoint.distributions.gaussian import masked
from counterpoint.errors import CounterpointError
from counterpoint.inference import regression, smoother
from counterpoint.inference.exact import AbstractExact, Marginals
from counterpoint.models.lds import LDS
from counterpoint.rollout import mask_of, swap


@dataclass(frozen=True)
class KalmanConfig:
    """`smooth` looks ahead and is exact; without it, q is the best that sees only x_t and z_t-1."""

    name: ClassVar[str] = "kalman"
    smooth: bool = True

    def build(self, p: AbstractDirected, facts, key) -> "Kalman":
        q = Kalman(self.smooth)
        q.check(p)
        return q


class Sums(NamedTuple):
    """Expected sums of squares."""

    start: regression.Regression
    move: regression.Regression
    emission: regression.Regression


class Kalman(AbstractExact):
    """q(z_t | z_t-1, x) = N(S (P^-1 m + h_t), S),  S = (P^-1 + J_t)^-1, with prior N(m, P) and the messages

        J_t = C' R^-1 C + A' (Q^-1 - Q^-1 (Q^-1 + J_t+1)^-1 Q^-1) A
        h_t = C' R^-1 (x_t - o) + A' Q^-1 (Q^-1 + J_t+1)^-1 h_t+1

    from the future (the information form of the RTS smoother). exp(-z' J z / 2 + h' z) is p(x_>=t | z_t) up to a
    constant, so each sampled path has weight p(x_1:T) exactly: every sampled bound is the log-likelihood, without
    variance.

    smooth=False drops the messages from t + 1 on: the per-step optimum of filtering EM (seed 1, sec. A: the gap to
    log p stays). Missing entries of a frame leave C' R^-1 C through the marginal of those observed.

    Marginals are (mean (B, T, d), covariance (B, T, d, d)), by the filter and smoother of `smoother`.
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

    def marginals(self, p, batch):
        found, after, *_ = read(p, batch)
        wide = jnp.broadcast_to(found.covariance, after.covariance.shape)
        log_evidence = jnp.where(batch.valid, jnp.swapaxes(found.log_evidence, 0, 1), 0.0)
        return Marginals(log_evidence, swap((found.mean, wide)), swap((after.mean, after.covariance)))

    def foretell(self, p, batch):
        return swap(read(p, batch)[0].predicted) @ p.readout.T + p.offset[None, None]

    def expect(self, p, batch):
        found, after, x, valid, mask = read(p, batch)
        sums = Sums(
            regression.begun(p, after, valid),
            regression.moved(p, after, valid),
            regression.told(p, after, x, valid, mask),
        )
        return jnp.where(valid, found.log_evidence, 0.0).sum(0), sums

    def maximise(self, p, sums: Sums):
        start, start_noise = sums.start.solved(p.start[:, None], p.start_noise.matrix)
        transition, noise = sums.move.solved(p.transition, p.noise.matrix)
        weights = jnp.concatenate([p.readout, p.offset[:, None]], 1)
        weights, observation_noise = sums.emission.solved(weights, p.observation_noise.matrix)
        return LDS.of(
            transition, noise, weights[:, :-1], observation_noise, start[:, 0], start_noise, offset=weights[:, -1]
        )


def read(p: LDS, batch: Batch):
    """Forwards and backwards over all sequences; and x, valid and what was seen, time first."""
    mask = mask_of(batch)
    x, valid, mask = swap((jnp.where(mask, batch.x, 0.0), batch.valid, mask))
    seen = None if batch.observed is None else mask
    found = smoother.filtered(p, x, seen)
    return found, smoother.smoothed(p, found, valid), x, valid, seen
