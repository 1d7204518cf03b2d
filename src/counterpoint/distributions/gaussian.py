"""Gaussians with diagonal and with full covariance."""

from typing import ClassVar

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float

from counterpoint import draws
from counterpoint.core import AbstractDistribution
from counterpoint.numerics import softplus
from counterpoint.support import REAL, Support

LOG_TWO_PI = 1.8378770664093453
UNIT = 0.5413248546129181  # softplus(UNIT) = 1


class Gaussian(AbstractDistribution):
    """N(mu, diag(sigma^2)): log p(x) = sum_i -((x_i - mu_i) / sigma_i)^2 / 2 - log sigma_i - log(2 pi) / 2.

    loc, scale: any one shape; `scale` is a standard deviation and positive.
    """

    loc: Float[Array, "*event"]
    scale: Float[Array, "*event"]
    pathwise: ClassVar[bool] = True
    support: ClassVar[Support] = REAL  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """Standard normal numbers."""
        return draws.normal(key, self.loc.shape, self.loc.dtype)

    def drawn(self, noise):
        return self.loc + self.scale * noise

    def log_prob(self, value, observed=None):
        each = -0.5 * (((value - self.loc) / self.scale) ** 2 + LOG_TWO_PI) - jnp.log(self.scale)
        return (each if observed is None else jnp.where(observed, each, 0.0)).sum()

    @property
    def mean(self):
        return self.loc

    @property
    def size(self):
        return 2 * self.loc.size

    def like(self, raw):
        """raw = [mu, s] with sigma = softplus(s + c), so that raw = 0 is the standard normal."""
        loc, scale = jnp.split(raw, 2)
        scale = softplus(scale + UNIT) + 1e-4
        return Gaussian(loc.reshape(self.loc.shape), scale.reshape(self.loc.shape))


class FullGaussian(AbstractDistribution):
    """N(mu, L L'): log p(x) = -|L^-1 (x - mu)|^2 / 2 - sum_i log L_ii - d log(2 pi) / 2.

    loc (d,), cholesky (d, d) lower triangular with a positive diagonal.
    """

    loc: Float[Array, " d"]
    cholesky: Float[Array, "d d"]
    pathwise: ClassVar[bool] = True
    support: ClassVar[Support] = REAL  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """Standard normal numbers."""
        return draws.normal(key, self.loc.shape, self.loc.dtype)

    def drawn(self, noise):
        return self.loc + self.cholesky @ noise

    def log_prob(self, value, observed=None):
        """The marginal of the observed entries: missing ones become independent standard normals at their
        mean, and the constant that this adds is taken off."""
        cholesky, error, count = self.cholesky, value - self.loc, value.shape[0]
        if observed is not None:
            cholesky = jnp.linalg.cholesky(masked(cholesky @ cholesky.T, observed))
            error, count = jnp.where(observed, error, 0.0), observed.sum()
        white = solve_lower(cholesky, error)
        return -0.5 * (white @ white + count * LOG_TWO_PI) - jnp.log(jnp.diag(cholesky)).sum()

    def complete(self, key, value, observed):
        """Matheron's rule: a joint draw, moved by what was observed."""
        draw = self.sample(key)
        covariance = self.cholesky @ self.cholesky.T
        error = jnp.where(observed, value - draw, 0.0)
        moved = draw + jnp.where(observed, covariance, 0.0) @ jnp.linalg.solve(masked(covariance, observed), error)
        return jnp.where(observed, value, moved)

    @property
    def mean(self):
        return self.loc

    @property
    def size(self):
        d = self.loc.size
        return d + d * (d + 1) // 2

    def like(self, raw):
        """raw = [mu, log-like diagonal of L, below the diagonal]; raw = 0 is the standard normal."""
        d = self.loc.size
        loc, diagonal, below = raw[:d], raw[d : 2 * d], raw[2 * d :]
        cholesky = jnp.diag(softplus(diagonal + UNIT) + 1e-4)
        rows, columns = jnp.tril_indices(d, -1)
        return FullGaussian(loc, cholesky.at[rows, columns].set(below))


def solve_lower(lower: Float[Array, "d d"], right: Float[Array, "d *k"]) -> Float[Array, "d *k"]:
    """L^-1 B for a lower triangular L, one row after the other.

    XLA's own triangular solve, in a batch of 100,000 as a long sequence has, now and then never returns on CPUs.
    """

    def row(found, i):
        new = (right[i] - lower[i] @ found) / lower[i, i]
        return found.at[i].set(new), None

    return lax.scan(row, jnp.zeros_like(right), jnp.arange(len(lower)))[0]


def masked(covariance: Float[Array, "d d"], observed: Bool[Array, " d"]) -> Float[Array, "d d"]:
    """The covariance with missing entries cut loose and given unit variance."""
    both = observed[:, None] & observed[None, :]
    return jnp.where(both, covariance, jnp.eye(len(observed), dtype=covariance.dtype))
