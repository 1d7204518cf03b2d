"""Amortised filtering: one network guesses z_t from p's past and x_t."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import jax
from jax import random

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import Facts
from counterpoint.errors import at_least
from counterpoint.inference.amortised import Guess, embedded, features
from counterpoint.networks import Linear


@dataclass(frozen=True)
class FilteringConfig:
    """A network of `depth` hidden layers of `width` units; "clipped" is the rectifier of an SRNN. `residual`: it says
    how far q's mean is from the prior's."""

    name: ClassVar[str] = "filtering"
    width: int = 128
    depth: int = 1
    activation: Literal["relu", "clipped", "tanh"] = "relu"
    residual: bool = False

    def __post_init__(self):
        at_least(self, 1, "width", "depth")

    def build(self, p: AbstractDirected, facts: Facts, key) -> "Filtering":
        return Filtering(p, self, key=key)


class Filtering(AbstractPosterior):
    """q(z_t | x_<=t, z_<t) = family of p's prior, parameters phi_enc(features(x_t), carry_t-1)
    (Chung et al. 2015, eq. 9).

    Works with any directed p: see `Guess`. The product with x_t runs over all t at once, before the scan.
    """

    from_x: Linear
    guess: Guess
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def __init__(self, p: AbstractDirected, config: FilteringConfig, *, key):
        keys = random.split(key, 3)
        self.from_x = Linear(features(p), config.width, key=keys[0])
        self.guess = Guess(p, config, keys=keys[1:])

    def check(self, p):
        self.guess.check(p)

    def encode(self, p, memory, x, e, mask):
        return memory, jax.vmap(self.from_x)(embedded(p, e, x))

    def propose(self, p, carry, context, x, key):
        return direct(self.guess(p, carry, context))
