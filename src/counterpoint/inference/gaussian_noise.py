"""Noise of one size on every entry."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp

from counterpoint.distributions import Facts, Family, Gaussian
from counterpoint.errors import CounterpointError
from counterpoint.inference.corruption import REAL_FAMILIES, AbstractCorruption, refuse


@dataclass(frozen=True)
class GaussianNoiseConfig:
    """`scale` is the standard deviation of the noise, in the units of the data."""

    name: ClassVar[str] = "gaussian_noise"
    scale: float = 0.5

    def __post_init__(self):
        if not self.scale > 0:
            raise CounterpointError(f"gaussian_noise: scale is {self.scale}; give a standard deviation above 0")

    def build(self, p, facts: Facts, key) -> "GaussianNoise":
        refuse(self.name, facts.family, ("bernoulli", *REAL_FAMILIES), "q = salt_and_pepper, or real data")
        q = GaussianNoise(scale=self.scale, family=facts.family)
        q.check(p)
        return q


class GaussianNoise(AbstractCorruption):
    """q(z | x) = N(x, s^2 I)      (Bengio et al. 2013; Bachman and Precup 2015, eq. 6)

    Nothing to learn. z is real, whatever x is.
    """

    scale: float = eqx.field(static=True)
    family: Family = eqx.field(static=True)

    def corrupted(self, x):
        return Gaussian(x, jnp.full_like(x, self.scale))
