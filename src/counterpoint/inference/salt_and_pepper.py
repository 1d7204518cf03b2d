"""Some entries are lost, and random zeros and ones stand in their place."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx

from counterpoint.distributions import Facts, Family
from counterpoint.errors import CounterpointError
from counterpoint.inference.corruption import AbstractCorruption, refuse, salted


@dataclass(frozen=True)
class SaltAndPepperConfig:
    """`rate` is the probability that an entry is replaced; half of those come out changed where they are 0 or 1."""

    name: ClassVar[str] = "salt_and_pepper"
    rate: float = 0.4

    def __post_init__(self):
        if not 0 < self.rate <= 1:
            raise CounterpointError(f"salt_and_pepper: rate is {self.rate}; give a probability above 0")

    def build(self, p, facts: Facts, key) -> "SaltAndPepperNoise":
        refuse(self.name, facts.family, ("bernoulli", "grey", "categorical"), "q = gaussian_noise, or binary data")
        q = SaltAndPepperNoise(rate=self.rate, family=facts.family)
        q.check(p)
        return q


class SaltAndPepperNoise(AbstractCorruption):
    """q(z | x) = prod_i (1 - r) [z_i = x_i] + r / n      (Bengio et al. 2013; Bachman and Precup 2015, eq. 6)

    Each entry stays with probability 1 - r, or any of its n values takes its place: 0 and 1, or, of an index, all
    categories. Nothing to learn.
    """

    rate: float = eqx.field(static=True)
    family: Family = eqx.field(static=True)

    def corrupted(self, x):
        return salted(self.family, x, self.rate)
