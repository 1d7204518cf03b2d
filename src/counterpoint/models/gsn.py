"""The deep generative stochastic network: a denoiser that keeps hidden layers from move to move of its chain."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractModel
from counterpoint.distributions import Facts, Family
from counterpoint.errors import CounterpointError, at_least
from counterpoint.models.dae import CORRUPTED
from counterpoint.networks import Linear


@dataclass(frozen=True)
class GSNConfig:
    """`units` of each hidden layer, the lowest first, two of them or more; `noise` is the standard deviation of what q
    adds to hidden layers, before the tanh and after it. Those of the paper's code."""

    name: ClassVar[str] = "gsn"
    units: tuple[int, ...] = (1500, 1500)
    noise: float = 2.0

    def __post_init__(self):
        at_least(self, 1, "units")
        if len(self.units) < 2:
            raise CounterpointError(f"gsn: {len(self.units)} hidden layer keeps nothing; give two or more, or p = dae")
        if not self.noise > 0:
            raise CounterpointError(f"gsn: noise is {self.noise}; give a standard deviation above 0, or p = dae")

    def build(self, facts: Facts, key) -> "GSN":
        return GSN(self, facts, key=key)


class GSN(AbstractModel):
    """h^l = tanh(W_l h^l-1 + W_l+1' h^l+1 + b_l),   h^0 = x~, a corrupted frame;   p(x | z) = family(W_1' h^1 + c)
    even layers   h^l = tanh(k_l + s e_l) + s e'_l,   e, e' ~ N(0, I),   k_l = what the tanh has above, of the last move
    (Bengio et al. 2014, sec. 3 and 4; the paper's code, yaoli/GSN)

    In a move the odd layers are computed from the frame and from the even ones, then the even ones anew from them, so
    only k, of even layers, has to be kept; it is the carry of the chain. z = (x~, u, u'), with u ~ N(k / s, I) and u' ~
    N(0, I) for every even layer, their noise taken for the unit: q corrupts what is kept as it does the frame. Weights
    are tied: one matrix goes up and, transposed, down. Before the first move k = 0.

    As a `DAE`, p has no prior of its own, and draws by the chain with its q. Frames of a sequence are independent.
    Departure: odd layers above the first have no noise, of which the paper's two layers have none.
    """

    links: tuple[Linear, ...]  # up to h^1, h^2, ..
    visible: Float[Array, " R"]
    noise: float = eqx.field(static=True)
    family: Family = eqx.field(static=True)

    def __init__(self, config: GSNConfig, facts: Facts, *, key):
        if facts.family.size != facts.family.width:
            raise CounterpointError(
                f"gsn: its one matrix up and down gives one number for each entry, and likelihood {facts.family.name!r}"
                " asks for more: choose binary or grey data, or an index, or p = dae"
            )
        self.noise, self.family, self.visible = config.noise, facts.family, jnp.asarray(facts.marginal)
        sizes = facts.family.width, *config.units
        keys = random.split(key, len(config.units))
        self.links = tuple(Linear(a, b, key=k) for a, b, k in zip(sizes, config.units, keys))

    def initial(self):
        """(k_l / s, 0) of every even layer: nothing yet."""
        return self.units([jnp.zeros(len(link.weight), link.weight.dtype) for link in self.links[1::2]])

    def units(self, kept: list) -> tuple:
        """What is kept, in units of the noise, and the mean of what is added after the tanh."""
        return tuple((a / self.noise, jnp.zeros_like(a)) for a in kept)

    def advance(self, carry, z, e):
        return carry

    def kept(self, carry, z):
        layers = self.layers(z)
        return self.units([self.driven(layers, i) for i in range(2, len(self.links) + 1, 2)])

    def layers(self, z) -> list:
        """h^0, h^1 .. h^L, and None above them."""
        frame, *noisy = z
        top = len(self.links)
        layers: list = [self.family.flatten(frame), *[None] * (top + 1)]
        layers[2 : top + 1 : 2] = [jnp.tanh(self.noise * a) + self.noise * b for a, b in zip(noisy[::2], noisy[1::2])]
        for i in range(1, top + 1, 2):
            layers[i] = jnp.tanh(self.driven(layers, i))
        return layers

    def driven(self, layers: list, i: int) -> Array:
        """What layer i is told by those below and above it."""
        up = self.links[i - 1](layers[i - 1])
        return up if layers[i + 1] is None else up + layers[i + 1] @ self.links[i].weight

    def prior(self, carry):
        """Raises CounterpointError: what needs a prior cannot be done."""
        raise CounterpointError(f"{type(self).__name__} knows p(z) by what q makes of the data alone: {CORRUPTED}")

    def example(self):
        kept = (jnp.zeros_like(a) for pair in self.initial() for a in pair)
        return (self.family(jnp.zeros(self.family.size)).sample(random.key(0)), *kept)

    def likelihood(self, carry, z):
        return self.family(self.layers(z)[1] @ self.links[0].weight + self.visible)
