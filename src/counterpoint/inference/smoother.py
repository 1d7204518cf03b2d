"""Kalman's filter and the smoother of Rauch, Tung and Striebel: sequential over time, all sequences at once.

    what is seen:      log N(x; C z + o, R) = fit - |y - K z|^2 / 2,   K = R^-1/2 C,  y = R^-1/2 (x - o)
    prior N(m-, L L'): [I 0; (K L)' L'] = orthogonal [F' G'; 0 root'],   u = F^-1 (y - K m-),   m = m- + G u,
                       P = root root',   log p(x_t | x_<t) = fit - |u|^2 / 2 - log det F
    next prior:        N(A m, A P A' + Q),   whose L is of [root' A'; Q^1/2'] = orthogonal L'
    backwards:         G = P A' P-_next^-1,   m^s = m + G (m^s_next - m-_next),   P^s = D + G P^s_next G',
                       D = (I - G A) P (I - G A)' + G Q G'

of the entries that were observed. Every covariance and every exponent is a sum of squares, and the filter holds roots
of covariances: nothing is the small difference of large numbers, however small R is beside Q, or Q beside R. What is
lost is e = eps max(|y|, |K L|), with eps = 6e-8 in float32: means are right to some e of the filter's deviations, a
frame's log-likelihood to some e (1 + |u|) nats. Precision ends where noise drowns in the rounding of what it is added
to: at R of (eps |x|)^2, or Q of (eps |z|)^2. Where nothing is missing, what follows from K alone is the same for all
sequences, and is computed once: an axis of S = 1 in place of B.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.linalg import solve_triangular
from jaxtyping import Bool, Float

from counterpoint.distributions.gaussian import LOG_TWO_PI, masked, solve_lower


def turned(a):
    """The transpose of each matrix."""
    return jnp.swapaxes(a, -1, -2)


def applied(matrix: Float[Array, "*T S n k"], vector: Float[Array, "*T B k"]) -> Float[Array, "*T B n"]:
    """Each matrix times its vector; one that is the same for all sequences times all of theirs in one product."""
    if matrix.shape[-3] == 1:
        return vector @ turned(matrix[..., 0, :, :])
    return (matrix @ vector[..., None])[..., 0]


def solved(lower: Float[Array, "S k k"], vector: Float[Array, "B k"]) -> Float[Array, "B k"]:
    """L^-1 v, likewise."""
    if len(lower) == 1:
        return solve_triangular(lower[0], vector.T, lower=True).T
    return solve_triangular(lower, vector[..., None], lower=True)[..., 0]


def upper(a: Float[Array, "*T m k"]) -> Float[Array, "*T k k"]:
    """R of A = Q R, with A' A = R' R."""
    return jnp.linalg.qr(a, mode="r")


def triangle(rows: Float[Array, "*T m k"]) -> Float[Array, "*T k k"]:
    """Q' A of A = Q R: as many rows as columns, with the same A' A, and its gradient, though Q is held: the rank may be
    too low for a gradient of Q."""
    return turned(jnp.linalg.qr(lax.stop_gradient(rows))[0]) @ rows


class Seen(NamedTuple):
    """What frames say of their z: log p(x | z) = fit - |y - K z|^2 / 2, in nats."""

    weights: Float[Array, "T S k n"]  # K; where it is the same for all, T and S are 1
    target: Float[Array, "T B k"]  # y
    fit: Float[Array, "T B"]


class Filtered(NamedTuple):
    """Forwards. Steps of padding, which comes last, mean nothing."""

    log_evidence: Float[Array, "T B"]  # log p(x_t | x_<t), in nats
    predicted: Float[Array, "T B n"]  # m-
    lower: Float[Array, "T S n n"]  # L of P-, of any sign
    mean: Float[Array, "T B n"]
    root: Float[Array, "T S n n"]

    @property
    def covariance(self) -> Float[Array, "T S n n"]:
        return self.root @ turned(self.root)


class Smoothed(NamedTuple):
    """And backwards."""

    mean: Float[Array, "T B n"]
    covariance: Float[Array, "T B n n"]
    gain: Float[Array, "T-1 S n n"]  # G: Cov(z_t+1, z_t | x) = P^s_t+1 G_t'
    left: Float[Array, "T-1 S n n"]  # D: Cov(z_t | z_t+1, x)


def whitened(p, x: Float[Array, " M"], mask: Bool[Array, " M"]):
    """[K y] of the entries of one frame that were seen, zeros of the others, and log N(x; C z + o, R) where y = K z."""
    lower = jnp.linalg.cholesky(masked(p.observation_noise.matrix, mask))
    both = jnp.concatenate([p.readout, (x - p.offset)[:, None]], 1)
    rows = solve_lower(lower, jnp.where(mask[:, None], both, 0.0))
    return rows, -0.5 * mask.sum() * LOG_TWO_PI - jnp.log(jnp.diag(lower)).sum()


def seen(p, x: Float[Array, "T B M"], mask: Bool[Array, "T B M"] | None) -> Seen:
    """In no more than n + 1 rows; where all was seen, mask None, in n: what of y no z reaches is of the fit alone."""
    n, wide = len(p.start), len(p.offset) > len(p.start)
    if mask is not None:
        rows, fit = jax.vmap(jax.vmap(lambda x, mask: whitened(p, x, mask)))(x, mask)
        rows = triangle(rows) if wide else rows
        return Seen(rows[..., :n], rows[..., n], fit)

    lower = p.observation_noise.cholesky
    inverse = solve_lower(lower, jnp.eye(len(lower), dtype=lower.dtype))
    weights, target = inverse @ p.readout, (x - p.offset[None, None]) @ inverse.T
    fit = jnp.full(x.shape[:2], -0.5 * len(lower) * LOG_TWO_PI - jnp.log(jnp.diag(lower)).sum())
    if wide:
        turn, weights = jnp.linalg.qr(weights, mode="complete")
        target = target @ turn
        fit -= 0.5 * jnp.square(target[..., n:]).sum(-1)
    return Seen(weights[None, None, :n], target[..., :n], fit)


def filtered(p, x: Float[Array, "T B M"], mask: Bool[Array, "T B M"] | None) -> Filtered:
    """Of all sequences; x is finite where it is missing."""
    transition, frames = p.transition, seen(p, x, mask)
    k, n = frames.weights.shape[-2:]
    count = 1 if mask is None else x.shape[1]
    shared = lambda a: jnp.broadcast_to(a, (count, *a.shape))
    ahead, noise = shared(jnp.eye(k, k + n, dtype=x.dtype)), shared(p.noise.cholesky.T)

    def step(carry, now):
        mean, lower = carry
        target, weights = (now, frames.weights[0]) if mask is None else now
        before = turned(lower)
        found = upper(jnp.concatenate([ahead, jnp.concatenate([before @ turned(weights), before], -1)], -2))
        spread, gain, root = turned(found[:, :k, :k]), turned(found[:, :k, k:]), turned(found[:, k:, k:])
        error = solved(spread, target - applied(weights, mean))
        narrowed = jnp.log(jnp.abs(jnp.diagonal(spread, axis1=-2, axis2=-1))).sum(-1)
        moved = mean + applied(gain, error)
        after = upper(jnp.concatenate([turned(transition[None] @ root), noise], -2))
        return (moved @ transition.T, turned(after)), (-0.5 * jnp.square(error).sum(-1) - narrowed, *carry, moved, root)

    begin = jnp.broadcast_to(p.start, (x.shape[1], n)), shared(p.start_noise.cholesky)
    inputs = frames.target if mask is None else (frames.target, frames.weights)
    log_evidence, *rest = lax.scan(step, begin, inputs)[1]
    return Filtered(frames.fit + log_evidence, *rest)


def smoothed(p, found: Filtered, valid: Bool[Array, "T B"]) -> Smoothed:
    """From the last valid step of each sequence backwards. Covariances that are the same for all forwards are so
    backwards, too, where all sequences end together."""
    covariance, transition = found.covariance, p.transition[None, None]
    before = covariance[:-1]
    root, identity = found.root[:-1], jnp.eye(len(p.start), dtype=before.dtype)
    inverse = jax.vmap(jax.vmap(lambda lower: solve_lower(lower, identity)))(found.lower[1:])
    gain = root @ turned(inverse @ transition @ root) @ inverse
    kept = identity[None, None] - gain @ transition
    left = kept @ before @ turned(kept) + gain @ p.noise.matrix[None, None] @ turned(gain)

    def backwards(step, last, *inputs):
        rest = lax.scan(lambda carry, now: (step(carry, *now),) * 2, last, inputs, reverse=True)[1]
        return jnp.concatenate([rest, last[None]])

    def centre(after, mean, predicted, gain, more):
        return jnp.where(more[:, None], mean + applied(gain, after - predicted), mean)

    def spread(after, covariance, gain, left, more):
        return jnp.where(more[:, None, None], left + gain @ after @ turned(gain), covariance)

    def spreads(count, more):
        last = jnp.broadcast_to(covariance[-1], (count, *before.shape[2:]))
        return backwards(spread, last, before, gain, left, more)

    def together():
        alike = spreads(before.shape[1], jnp.ones((len(before), 1), bool))
        return jnp.broadcast_to(alike, (*valid.shape, *before.shape[2:]))

    mean = backwards(centre, found.mean[-1], found.mean[:-1], found.predicted[1:], gain, valid[1:])
    each = lambda: spreads(valid.shape[1], valid[1:])
    wide = lax.cond(valid.all(), together, each) if before.shape[1] == 1 else each()
    return Smoothed(mean, wide, gain, left)
