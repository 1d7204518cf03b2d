"""Expected sums of a linear dynamical system, and the parameters that are best for them.

Each is a regression of noise under the old parameters on what came before it, so that near the end, where the noise is
small beside the signal, float32 loses little:

    w = z_t+1 - A z_t:           A_new = A + E[w z'] E[z z']^-1,      Q_new = (E[w w'] - E[w z'] E[z z']^-1 E[z w']) / n
    u = x - C z - o, z~ = [z 1]: [C o]_new = [C o] + E[u z~'] E[z~ z~']^-1, and R_new likewise
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float

from counterpoint.distributions.gaussian import masked
from counterpoint.inference.smoother import Smoothed, turned


class Regression(NamedTuple):
    """Sums over steps: how many, E[w w'], E[w z'], E[z z']."""

    count: Float[Array, ""]
    noise: Float[Array, "a a"]
    cross: Float[Array, "a b"]
    square: Float[Array, "b b"]

    def solved(self, weights: Float[Array, "a b"], covariance: Float[Array, "a a"]):
        """The best weights and covariance; the old ones where nothing was counted."""
        least = lambda a, share: share * jnp.finfo(a.dtype).eps * (jnp.trace(a) / len(a) + 1e-30)
        raised = lambda a, share: a + least(a, share) * jnp.eye(len(a), dtype=a.dtype)
        change = jnp.linalg.solve(raised(self.square, 1), self.cross.T).T
        noise = (self.noise - change @ self.cross.T) / jnp.maximum(self.count, 1.0)
        noise = raised(0.5 * (noise + noise.T), 10)
        some = self.count > 0
        return jnp.where(some, weights + change, weights), jnp.where(some, noise, covariance)


def outer(a: Float[Array, "T B i"], b: Float[Array, "T B j"]) -> Float[Array, "i j"]:
    """sum a b'."""
    return jnp.einsum("tbi,tbj->ij", a, b)


def begun(p, found: Smoothed, valid: Bool[Array, "T B"]) -> Regression:
    """z_1 - m_0 on the constant 1."""
    first = valid[0].astype(found.mean.dtype)
    w = jnp.where(valid[0][:, None], found.mean[0] - p.start[None], 0.0)
    noise = w.T @ w + (first[:, None, None] * found.covariance[0]).sum(0)
    return Regression(first.sum(), noise, w.sum(0)[:, None], first.sum()[None, None])


def moved(p, found: Smoothed, valid: Bool[Array, "T B"]) -> Regression:
    """z_t+1 - A z_t on z_t."""
    on, transition = valid[1:], p.transition
    keep = on[..., None, None]
    z = jnp.where(on[..., None], found.mean[:-1], 0.0)
    w = jnp.where(on[..., None], found.mean[1:] - found.mean[:-1] @ transition.T, 0.0)
    shared = found.gain.shape[1] == 1  # by all sequences, whose covariances may be added up before the products
    pooled = lambda a: a.sum(1, keepdims=True) if shared else a
    after, before = pooled(jnp.where(keep, found.covariance[1:], 0.0)), jnp.where(keep, found.covariance[:-1], 0.0)
    left = (pooled(keep.astype(z.dtype)) * found.left).sum((0, 1))
    kept = jnp.eye(len(transition), dtype=z.dtype)[None, None] - transition[None, None] @ found.gain
    half = kept @ after
    noise = outer(w, w) + (half @ turned(kept)).sum((0, 1)) + transition @ left @ transition.T
    cross = outer(w, z) + (half @ turned(found.gain)).sum((0, 1)) - transition @ left
    return Regression(on.sum().astype(z.dtype), noise, cross, outer(z, z) + before.sum((0, 1)))


def told(p, found: Smoothed, x: Float[Array, "T B M"], valid: Bool[Array, "T B"], mask) -> Regression:
    """x_t - C z_t - o on [z_t 1]; mask None: all was seen.

    What is missing of a frame is guessed from the rest of it: u = F u_seen + N(0, V), F = R_:seen R_seen,seen^-1. A
    frame of which nothing was seen does not count.
    """
    on = valid if mask is None else valid & mask.any(-1)
    ones = on.astype(x.dtype)
    z = jnp.concatenate([found.mean, jnp.ones_like(found.mean[..., :1])], -1) * ones[..., None]
    spread = jnp.where(on[..., None, None], found.covariance, 0.0)
    square = outer(z, z) + jnp.pad(spread.sum((0, 1)), (0, 1))
    error = (x - p.offset[None, None] - found.mean @ p.readout.T) * ones[..., None]
    if mask is None:
        wide = p.readout @ spread.sum((0, 1))
        noise = outer(error, error) + wide @ p.readout.T
        return Regression(ones.sum(), noise, outer(error, z) - jnp.pad(wide, ((0, 0), (0, 1))), square)
    noise = p.observation_noise.matrix

    def one(error, mask, z, spread, some):
        weights = jnp.where(mask[None], noise, 0.0) @ jnp.linalg.inv(masked(noise, mask)) * mask[None]
        error, readout = weights @ error, weights @ p.readout
        wide = readout @ spread
        rest = some * (noise - weights @ jnp.where(mask[:, None], noise, 0.0))
        return jnp.outer(error, error) + wide @ readout.T + rest, jnp.outer(error, z) - jnp.pad(wide, ((0, 0), (0, 1)))

    def step(sums, now):
        return jax.tree.map(lambda a, b: a + b.sum(0), sums, jax.vmap(one)(*now)), None

    zero = jnp.zeros_like(noise), jnp.zeros((len(noise), z.shape[-1]), z.dtype)
    (noise, cross), _ = lax.scan(step, zero, (error, mask, z, spread, ones))
    return Regression(ones.sum(), noise, cross, square)
