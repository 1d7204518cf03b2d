"""The linear dynamical system."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array, random
from jax.core import Tracer
from jaxtyping import Float

from counterpoint.core import AbstractDirected
from counterpoint.distributions import Facts, Family, FullGaussian, Gaussian
from counterpoint.errors import CounterpointError, at_least, share
from counterpoint.numerics import softplus, unsoftplus


class Covariance(eqx.Module):
    """L L' with L = tril(raw, -1) + diag(softplus(raw_ii)): any raw (d, d) is a covariance."""

    raw: Float[Array, "d d"]

    @classmethod
    def of(cls, matrix) -> "Covariance":
        """From a positive definite matrix (d, d). Raises CounterpointError for another, but within compiled code."""
        lower = jnp.linalg.cholesky(jnp.asarray(matrix))
        if not isinstance(lower, Tracer) and not (np.isfinite(lower).all() and symmetric(matrix)):
            raise CounterpointError(
                f"a covariance has to be symmetric and positive definite, and {np.asarray(matrix).tolist()} is not; of"
                " what has no noise, give a little: add a small number to the diagonal"
            )
        return cls(jnp.tril(lower, -1) + jnp.diag(unsoftplus(jnp.diag(lower))))

    @property
    def cholesky(self) -> Float[Array, "d d"]:
        return jnp.tril(self.raw, -1) + jnp.diag(softplus(jnp.diag(self.raw)))

    @property
    def matrix(self) -> Float[Array, "d d"]:
        return self.cholesky @ self.cholesky.T

    def around(self, mean: Float[Array, " d"]) -> FullGaussian:
        return FullGaussian(mean, self.cholesky)

    def learned(self, matrix) -> "Covariance":
        """Of the same kind."""
        return Covariance.of(matrix)


def symmetric(matrix) -> bool:
    a = np.asarray(matrix)
    return np.allclose(a, a.T, rtol=1e-4, atol=1e-5 * np.abs(a).max())


class Diagonal(eqx.Module):
    """diag(floor + softplus(raw)^2): any raw (d,) is the variances of independent numbers."""

    raw: Float[Array, " d"]
    floor: tuple[float, ...] = eqx.field(static=True)

    @classmethod
    def of(cls, matrix, floor: tuple[float, ...] | None = None) -> "Diagonal":
        """The diagonal of a matrix (d, d), and where it is below the floor (0 where none is given) that: of what is
        most likely without these bounds, what is most likely with them."""
        wanted = jnp.diag(jnp.asarray(matrix))
        floor = (0.0,) * len(wanted) if floor is None else floor
        least = jnp.asarray(floor, wanted.dtype)
        # a little above it: on it the slope of softplus is nothing, and no gradient would lead away
        return cls(unsoftplus(jnp.sqrt(jnp.maximum(wanted - least, 1e-6 * least + 1e-12))), floor)

    @property
    def variance(self) -> Float[Array, " d"]:
        return jnp.asarray(self.floor, self.raw.dtype) + softplus(self.raw) ** 2

    @property
    def cholesky(self) -> Float[Array, "d d"]:
        return jnp.diag(jnp.sqrt(self.variance))

    @property
    def matrix(self) -> Float[Array, "d d"]:
        return jnp.diag(self.variance)

    def around(self, mean: Float[Array, " d"]) -> Gaussian:
        return Gaussian(mean, jnp.sqrt(self.variance))

    def learned(self, matrix) -> "Diagonal":
        """Of the same kind."""
        return Diagonal.of(matrix, self.floor)


@dataclass(frozen=True)
class LDSConfig:
    """`latent` dimensions; starts as a slowly decaying state read out at random. The noise of entries is independent,
    so that z has to say what they have in common (Roweis and Ghahramani 1999), and at least `floor` of the variance of
    each: frames of which one entry follows from others would else be as likely as one pleases."""

    name: ClassVar[str] = "lds"
    latent: int = 8
    floor: float = 1e-3

    def __post_init__(self):
        at_least(self, 1, "latent")
        share(self, "floor")

    def build(self, facts: Facts, key) -> "LDS":
        if facts.family.name != "gaussian" or len(facts.family.shape) != 1:
            raise CounterpointError(
                f"an LDS gives real vectors with Gaussian noise; the data are {facts.family.name} of shape"
                f" {facts.family.shape}: choose another model"
            )
        width, d = facts.family.width, self.latent
        mean, raw = np.split(facts.marginal, 2)
        scale = np.asarray(facts.family(jnp.asarray(np.concatenate([mean, raw]))).scale)  # pyright: ignore[reportAttributeAccessIssue]
        floor = tuple((self.floor * np.asarray(scale, float) ** 2).tolist())
        return LDS.of(
            transition=0.9 * jnp.eye(d),
            noise=0.2 * jnp.eye(d),
            readout=random.normal(key, (width, d)) * scale[:, None] / d**0.5,
            observation_noise=Diagonal.of(jnp.diag(jnp.asarray(scale) ** 2) / 2, floor),
            start=jnp.zeros(d),
            start_noise=jnp.eye(d),
            offset=jnp.asarray(mean),
        )


class LDS(AbstractDirected):
    """z_1 ~ N(m_0, P_0), z_t = A z_t-1 + N(0, Q), x_t = C z_t + o + N(0, R)   (Kalman 1960; Roweis and Ghahramani 1999)

    z (d,), x (M,). R is a `Diagonal` or a `Covariance`, which it stays in learning. `of` takes the matrices as they are
    written here. Its q is `Kalman`.
    """

    transition: Float[Array, "d d"]
    noise: Covariance
    readout: Float[Array, "M d"]
    observation_noise: Covariance | Diagonal
    start: Float[Array, " d"]
    start_noise: Covariance
    offset: Float[Array, " M"]
    family: Family = eqx.field(static=True)

    @classmethod
    def of(cls, transition, noise, readout, observation_noise, start, start_noise, offset=None) -> "LDS":
        """A (d, d), Q (d, d), C (M, d), R (M, M), m_0 (d,), P_0 (d, d) and the offset o (M,), zeros where it is not
        given; R may be a `counterpoint.models.lds.Diagonal`. Raises CounterpointError for other shapes, and where Q, R
        or P_0 is no covariance: symmetric and positive definite."""
        d, width = np.size(start), (*np.shape(readout), 1)[0]
        offset = jnp.zeros(width, jnp.asarray(readout).dtype) if offset is None else offset
        made = isinstance(observation_noise, Covariance | Diagonal)
        for name, a, shape in (
            ("transition", transition, (d, d)),
            ("noise", noise, (d, d)),
            ("readout", readout, (width, d)),
            ("observation_noise", observation_noise.matrix if made else observation_noise, (width, width)),
            ("start", start, (d,)),
            ("start_noise", start_noise, (d, d)),
            ("offset", offset, (width,)),
        ):
            if np.shape(a) != shape:
                raise CounterpointError(
                    f"LDS.of: {name} has shape {np.shape(a)}, expected {shape}, for {d} numbers in start and {width}"
                    " rows of readout"
                )
        r = observation_noise if made else Covariance.of(observation_noise)
        q, p0 = Covariance.of(noise), Covariance.of(start_noise)
        family = Family("gaussian" if isinstance(r, Diagonal) else "full_gaussian", (width,))
        a, c, m0, o = map(jnp.asarray, (transition, readout, start, offset))
        return cls(a, q, c, r, m0, p0, o, family)

    def initial(self):
        return self.start, self.start_noise.cholesky

    def advance(self, carry, z, e):
        return self.transition @ z, self.noise.cholesky

    def prior(self, carry):
        return FullGaussian(*carry)

    def likelihood(self, carry, z):
        return self.observation_noise.around(self.readout @ z + self.offset)
