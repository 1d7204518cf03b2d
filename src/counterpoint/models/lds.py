"""The linear dynamical system."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected
from counterpoint.distributions import Facts, Family, FullGaussian
from counterpoint.errors import CounterpointError, at_least
from counterpoint.numerics import softplus


class Covariance(eqx.Module):
    """L L' with L = tril(raw, -1) + diag(softplus(raw_ii)): any raw (d, d) is a covariance."""

    raw: Float[Array, "d d"]

    @classmethod
    def of(cls, matrix) -> "Covariance":
        """From a positive definite matrix (d, d)."""
        lower = jnp.linalg.cholesky(jnp.asarray(matrix))
        diagonal = jnp.diag(lower)
        return cls(jnp.tril(lower, -1) + jnp.diag(diagonal + jnp.log(-jnp.expm1(-diagonal))))

    @property
    def cholesky(self) -> Float[Array, "d d"]:
        return jnp.tril(self.raw, -1) + jnp.diag(softplus(jnp.diag(self.raw)))

    @property
    def matrix(self) -> Float[Array, "d d"]:
        return self.cholesky @ self.cholesky.T


@dataclass(frozen=True)
class LDSConfig:
    """`latent` dimensions; starts as a slowly decaying state read out at random."""

    name: ClassVar[str] = "lds"
    latent: int = 8

    def __post_init__(self):
        at_least(self, 1, "latent")

    def build(self, facts: Facts, key) -> "LDS":
        if facts.family.name != "gaussian" or len(facts.family.shape) != 1:
            raise CounterpointError(
                f"an LDS gives real vectors with Gaussian noise; the data are {facts.family.name} of shape"
                f" {facts.family.shape}: choose another model"
            )
        width, d = facts.family.width, self.latent
        mean, raw = np.split(facts.marginal, 2)
        scale = np.asarray(facts.family(jnp.asarray(np.concatenate([mean, raw]))).scale)  # pyright: ignore[reportAttributeAccessIssue]
        return LDS.of(
            transition=0.9 * jnp.eye(d),
            noise=0.2 * jnp.eye(d),
            readout=random.normal(key, (width, d)) * scale[:, None] / d**0.5,
            observation_noise=jnp.diag(jnp.asarray(scale) ** 2) / 2,
            start=jnp.zeros(d),
            start_noise=jnp.eye(d),
            offset=jnp.asarray(mean),
        )


class LDS(AbstractDirected):
    """z_1 ~ N(m_0, P_0), z_t = A z_t-1 + N(0, Q), x_t = C z_t + o + N(0, R).

    z (d,), x (M,). `of` takes the matrices as they are written here. Its q is `Kalman`.
    """

    transition: Float[Array, "d d"]
    noise: Covariance
    readout: Float[Array, "M d"]
    observation_noise: Covariance
    start: Float[Array, " d"]
    start_noise: Covariance
    offset: Float[Array, " M"]
    family: Family = eqx.field(static=True)

    @classmethod
    def of(cls, transition, noise, readout, observation_noise, start, start_noise, offset=None) -> "LDS":
        """A, Q, C, R, m_0, P_0 and the offset o (zeros where it is not given)."""
        readout = jnp.asarray(readout)
        offset = jnp.zeros(readout.shape[0], readout.dtype) if offset is None else jnp.asarray(offset)
        noises = (Covariance.of(a) for a in (noise, observation_noise, start_noise))
        q, r, p0 = noises
        family = Family("full_gaussian", (readout.shape[0],))
        return cls(jnp.asarray(transition), q, readout, r, jnp.asarray(start), p0, offset, family)

    def initial(self):
        return self.start, self.start_noise.cholesky

    def advance(self, carry, z, e):
        return self.transition @ z, self.noise.cholesky

    def prior(self, carry):
        return FullGaussian(*carry)

    def likelihood(self, carry, z):
        return FullGaussian(self.readout @ z + self.offset, self.observation_noise.cholesky)
