"""The exact posterior of a linear dynamical system."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from counterpoint.core import AbstractDirected, Batch, direct
from counterpoint.distributions import FullGaussian
from counterpoint.distributions.gaussian import solve_lower
from counterpoint.errors import CounterpointError
from counterpoint.inference import regression, smoother
from counterpoint.inference.exact import AbstractExact, Marginals, begins
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
    """q(z_t | z_t-1, x) = N(m + L w, L (I + L' K_t' K_t L)^-1 L'),  w = argmin |w|^2 + |y_t - K_t (m + L w)|^2,

    with prior N(m, L L') and the messages from the future

        [K_t y_t] = [R^-1/2 [C x_t - o];  W;  [K_t+1 A  y_t+1] - K_t+1 Q^1/2 W],
        W         = argmin |W|^2 + |[K_t+1 A  y_t+1] - K_t+1 Q^1/2 W|^2

    (the RTS smoother's information in square-root form; what z_t+1 has of noise is at its best). exp(-|y - K z|^2 / 2)
    is p(x_>=t | z_t) up to a constant, so each sampled path has weight p(x_1:T) exactly: every sampled bound is the
    log-likelihood, without variance. Rounding lends a path some eps (|K| |z| + |z| / |L|) nats a step, of either sign
    (see `smoother`).

    smooth=False drops the messages from t + 1 on: the per-step optimum of filtering EM (Marino et al. 2018, appendix,
    sec. A: the gap to log p stays). Missing entries of a frame leave R^-1/2 C through the marginal of those observed.

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
        d = len(p.start)

        def back(after, rows):
            both = smoother.triangle(jnp.concatenate([rows, after]))
            weights = both[:, :d] @ p.noise.cholesky
            ahead = jnp.concatenate([both[:, :d] @ p.transition, both[:, d:]], 1)
            # to first order it does not matter how the best w moves, so that it may be held
            best, _ = least(*lax.stop_gradient((weights, ahead)))
            return jnp.concatenate([best, ahead - weights @ best]), both

        said = jax.vmap(lambda x, mask: smoother.whitened(p, jnp.where(mask, x, 0.0), mask)[0])(x, mask)
        if not self.smooth:
            return memory, said
        return memory, lax.scan(back, jnp.zeros((2 * d + 1, d + 1), x.dtype), said, reverse=True)[1]

    def propose(self, p, carry, context, x, key):
        (mean, cholesky), weights, target = carry, context[:, :-1], context[:, -1]
        best, root = least(weights @ cholesky, (target - weights @ mean)[:, None])
        return direct(FullGaussian(mean + cholesky @ best[:, 0], cholesky @ root))

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
        shake = p.observation_noise.learned(observation_noise)
        return LDS.of(transition, noise, weights[:, :-1], shake, start[:, 0], start_noise, offset=weights[:, -1])


def least(a: Float[Array, "m d"], b: Float[Array, "m k"]) -> tuple[Float[Array, "d k"], Float[Array, "d d"]]:
    """argmin_W |W|^2 + |b - a W|^2, and the Cholesky factor of (I + a' a)^-1.

    [I; a] = Q L with L lower triangular: QR with the columns in reverse.
    """
    d = a.shape[1]
    turn, upper = jnp.linalg.qr(jnp.concatenate([jnp.eye(d, dtype=a.dtype), a])[:, ::-1])
    turn, lower = turn[:, ::-1], upper[::-1, ::-1]
    found = solve_lower(lower, jnp.concatenate([turn[d:].T @ b, jnp.eye(d, dtype=a.dtype)], 1))
    root = found[:, b.shape[1] :]
    return found[:, : b.shape[1]], root * jnp.sign(jnp.diag(root))[None]


def read(p: LDS, batch: Batch):
    """Forwards and backwards over all sequences; and x, valid and what was seen, time first."""
    begins(batch)
    mask = mask_of(batch)
    x, valid, mask = swap((jnp.where(mask, batch.x, 0.0), batch.valid, mask))
    seen = None if batch.observed is None else mask
    found = smoother.filtered(p, x, seen)
    return found, smoother.smoothed(p, found, valid), x, valid, seen
