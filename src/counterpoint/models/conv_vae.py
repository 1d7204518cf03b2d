"""The variational auto-encoder of images, with a convolutional network."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractDirected
from counterpoint.distributions import Facts, Family, Gaussian
from counterpoint.errors import at_least
from counterpoint.networks import Architecture, Decoder
from counterpoint.networks.convolutional import side_of


@dataclass(frozen=True)
class ConvVAEConfig:
    """`latent` numbers in z; a decoder whose finest maps have `base` channels, and deeper ones more."""

    name: ClassVar[str] = "conv_vae"
    latent: int = 50
    base: int = 32
    architecture: Architecture = "dcgan"

    def __post_init__(self):
        at_least(self, 1, "latent", "base")

    def build(self, facts: Facts, key) -> "ConvVAE":
        return ConvVAE(self, facts, key=key)


class ConvVAE(AbstractDirected):
    """p(z) = N(0, I),   p(x | z) = family(Dec(z) + b)      (Kingma and Welling 2014; Shareghi 2018, sec. 2)

    Dec is the decoder of an SVG (Denton and Fergus 2018) that copies no maps: z is all that is known of an image. b, a
    number for each pixel, starts at the best constant image. Its q is `Convolutional`, or `Filtering` for one that
    reads pixels as a vector. Nothing passes from one frame to the next. Frames are square images of one channel, (side,
    side) or flattened.
    """

    decoder: Decoder
    offset: Float[Array, " size"]
    latent: int = eqx.field(static=True)
    family: Family = eqx.field(static=True)

    def __init__(self, config: ConvVAEConfig, facts: Facts, *, key):
        self.family, self.latent = facts.family, config.latent
        side, outputs = side_of(facts.family, config.name), facts.family.size // facts.family.width
        self.decoder = Decoder(config.architecture, side, config.base, config.latent, outputs, copies=False, key=key)
        self.offset = jnp.asarray(facts.marginal)

    def initial(self):
        return None

    def advance(self, carry, z, e):
        return carry

    def prior(self, carry):
        return Gaussian(jnp.zeros(self.latent), jnp.ones(self.latent))

    def likelihood(self, carry, z):
        return self.family(self.decoder(z).ravel() + self.offset)
