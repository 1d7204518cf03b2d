"""Kalman's filter and the smoother of Rauch, Tung and Striebel: sequential over time, all sequences at once.

    prior N(m-, P-):   P = L (I + L' J L)^-1 L',  P- = L L',   m = m- + P (h - J m-)
    next prior:        N(A m, A P A' + Q)
    backwards:         G = P A' P-_next^-1,   m^s = m + G (m^s_next - m-_next),   P^s = D + G P^s_next G',
                       D = (I - G A) P (I - G A)' + G Q G'

with J = C' R^-1 C and h = C' R^-1 (x - o) of the entries that were observed. Every covariance is a sum of squares, so
in float32, too, it stays one however long the sequence. Where nothing is missing, J and all that follows from it alone
is the same for all sequences, and is computed once: an axis of S = 1 in place of B.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.linalg import cho_solve, solve_triangular
from jaxtyping import Bool, Float

from counterpoint.distributions.gaussian import LOG_TWO_PI, masked


def turned(a):
    """The transpose of each matrix."""
    return jnp.swapaxes(a, -1, -2)


def applied(matrix: Float[Array, "*T S n k"], vector: Float[Array, "*T B k"]) -> Float[Array, "*T B n"]:
    """Each matrix times its vector; one that is the same for all sequences times all of theirs in one product."""
    if matrix.shape[-3] == 1:
        return vector @ turned(matrix[..., 0, :, :])
    return (matrix @ vector[..., None])[..., 0]


def cholesky(matrix):
    """Of its lower half alone."""
    return lax.linalg.cholesky(matrix, symmetrize_input=False)


class Seen(NamedTuple):
    """What frames say of their z, beside a guess m of it: log p(x | m + d) = fit + d' shift - d' information d / 2."""

    information: Float[Array, "T S n n"]  # J; where it is the same for all, T and S are 1
    shift: Float[Array, "T B n"]  # C' R^-1 (x - o - C m)
    fit: Float[Array, "T B"]  # log N(x; C m + o, R), in nats


class Filtered(NamedTuple):
    """Forwards. Steps of padding, which comes last, mean nothing."""

    log_evidence: Float[Array, "T B"]  # log p(x_t | x_<t), in nats
    predicted: Float[Array, "T B n"]  # m-
    uncertainty: Float[Array, "T S n n"]  # P-
    mean: Float[Array, "T B n"]
    covariance: Float[Array, "T S n n"]


class Smoothed(NamedTuple):
    """And backwards."""

    mean: Float[Array, "T B n"]
    covariance: Float[Array, "T B n n"]
    gain: Float[Array, "T-1 S n n"]  # G: Cov(z_t+1, z_t | x) = P^s_t+1 G_t'
    left: Float[Array, "T-1 S n n"]  # D: Cov(z_t | z_t+1, x)


def seen(p, x: Float[Array, "T B M"], mask: Bool[Array, "T B M"] | None, mean: Float[Array, "T B n"]) -> Seen:
    """mask None: all was seen."""
    error, lower = x - p.offset[None, None] - mean @ p.readout.T, p.observation_noise.cholesky

    if mask is None:
        white = solve_triangular(lower, p.readout, lower=True)
        error = error @ solve_triangular(lower, jnp.eye(len(lower), dtype=lower.dtype), lower=True).T
        fit = -0.5 * (jnp.square(error).sum(-1) + len(lower) * LOG_TWO_PI) - jnp.log(jnp.diag(lower)).sum()
        return Seen((white.T @ white)[None, None], error @ white, fit)

    def one(error, mask):
        lower = jnp.linalg.cholesky(masked(p.observation_noise.matrix, mask))
        both = jnp.concatenate([p.readout, error[:, None]], 1)
        white = solve_triangular(lower, jnp.where(mask[:, None], both, 0.0), lower=True)
        readout, error = white[:, :-1], white[:, -1]
        fit = -0.5 * (error @ error + mask.sum() * LOG_TWO_PI) - jnp.log(jnp.diag(lower)).sum()
        return readout.T @ readout, readout.T @ error, fit

    return Seen(*lax.map(lambda now: jax.vmap(one)(*now), (error, mask)))


def filtered(p, x: Float[Array, "T B M"], mask: Bool[Array, "T B M"] | None) -> Filtered:
    """Of all sequences; x is finite where it is missing."""
    transition, noise, n = p.transition, p.noise.matrix, len(p.start)
    frames, identity = seen(p, x, mask, jnp.zeros((*x.shape[:2], n), x.dtype)), jnp.eye(n, dtype=x.dtype)

    def step(carry, now):
        mean, covariance = carry
        shift, information = (now, frames.information[0]) if mask is None else now
        lower = cholesky(covariance)
        inner = cholesky(identity[None] + turned(lower) @ information @ lower)
        root = solve_triangular(inner, turned(lower), lower=True)  # of P: root' root
        narrowed = jnp.log(jnp.diagonal(inner, axis1=-2, axis2=-1)).sum(-1)
        new = turned(root) @ root
        moved = mean + applied(new, shift - applied(information, mean))
        spread = transition[None] @ turned(root)
        after = moved @ transition.T, spread @ turned(spread) + noise[None]
        return after, (narrowed, mean, covariance, moved, new)

    begin = (
        jnp.broadcast_to(p.start, (x.shape[1], n)),
        jnp.broadcast_to(p.start_noise.matrix, (1 if mask is None else x.shape[1], n, n)),
    )
    inputs = frames.shift if mask is None else (frames.shift, frames.information)
    _, (narrowed, predicted, uncertainty, mean, covariance) = lax.scan(step, begin, inputs)
    errors = seen(p, x, mask, predicted)
    gained = 0.5 * (errors.shift * applied(covariance, errors.shift)).sum(-1)
    return Filtered(errors.fit + gained - narrowed, predicted, uncertainty, mean, covariance)


def smoothed(p, found: Filtered, valid: Bool[Array, "T B"]) -> Smoothed:
    """From the last valid step of each sequence backwards. Covariances that are the same for all forwards are so
    backwards, too, where all sequences end together."""
    before, transition = found.covariance[:-1], p.transition[None, None]
    lower = cholesky(found.uncertainty[1:])
    gain = turned(cho_solve((lower, True), transition @ before))
    kept = jnp.eye(len(p.start), dtype=before.dtype)[None, None] - gain @ transition
    left = kept @ before @ turned(kept) + gain @ p.noise.matrix[None, None] @ turned(gain)

    def backwards(step, last, *inputs):
        rest = lax.scan(lambda carry, now: (step(carry, *now),) * 2, last, inputs, reverse=True)[1]
        return jnp.concatenate([rest, last[None]])

    def centre(after, mean, predicted, gain, more):
        return jnp.where(more[:, None], mean + applied(gain, after - predicted), mean)

    def spread(after, covariance, gain, left, more):
        return jnp.where(more[:, None, None], left + gain @ after @ turned(gain), covariance)

    def spreads(count, more):
        last = jnp.broadcast_to(found.covariance[-1], (count, *before.shape[2:]))
        return backwards(spread, last, before, gain, left, more)

    def together():
        alike = spreads(before.shape[1], jnp.ones((len(before), 1), bool))
        return jnp.broadcast_to(alike, (*valid.shape, *before.shape[2:]))

    mean = backwards(centre, found.mean[-1], found.mean[:-1], found.predicted[1:], gain, valid[1:])
    each = lambda: spreads(valid.shape[1], valid[1:])
    covariance = lax.cond(valid.all(), together, each) if before.shape[1] == 1 else each()
    return Smoothed(mean, covariance, gain, left)
