"""Amortised filtering of images: a convolutional network reads each frame."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax
from jax import random

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import Facts, Family
from counterpoint.errors import CounterpointError, at_least
from counterpoint.inference.amortised import Guess
from counterpoint.networks import Architecture, Encoder
from counterpoint.networks.convolutional import side_of


@dataclass(frozen=True)
class ConvolutionalConfig:
    """An encoder whose finest maps have `base` channels says `width` numbers of an image; a network of `depth` hidden
    layers of `width` units reads them. `residual`: it says how far q's mean is from the prior's."""

    name: ClassVar[str] = "convolutional"
    base: int = 32
    width: int = 200
    depth: int = 1
    architecture: Architecture = "dcgan"
    activation: Literal["relu", "clipped", "tanh"] = "tanh"
    residual: bool = False

    def __post_init__(self):
        at_least(self, 1, "base", "width", "depth")

    def build(self, p: AbstractDirected, facts: Facts, key) -> "Convolutional":
        try:
            side = side_of(facts.family, self.name)
        except CounterpointError as reason:
            raise CounterpointError(f"{type(p).__name__} has frames that no encoder reads: {reason}") from None
        return Convolutional(p, self, facts.family, side, key=key)


class Convolutional(AbstractPosterior):
    """q(z_t | x_<=t, z_<t) = family of p's prior, parameters phi(Enc(x_t), carry_t-1)

    `Filtering` with the encoder of an SVG (Denton and Fergus 2018) of its own, so that the pixels of p's frames need no
    network there. For square images of one channel.
    """

    encoder: Encoder
    guess: Guess
    side: int = eqx.field(static=True)
    family: Family = eqx.field(static=True)
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def __init__(self, p: AbstractDirected, config: ConvolutionalConfig, family: Family, side: int, *, key):
        of_images, *keys = random.split(key, 3)
        self.side, self.family = side, family
        self.encoder = Encoder(config.architecture, side, config.base, config.width, key=of_images)
        self.guess = Guess(p, config, keys=keys)

    def check(self, p):
        self.guess.check(p)

    def encode(self, p, memory, x, e, mask):
        read = lambda x: self.encoder(self.family.flatten(x).reshape(1, self.side, self.side))[0]
        return memory, jax.vmap(read)(x)

    def propose(self, p, carry, context, x, key):
        return direct(self.guess(p, carry, context))
