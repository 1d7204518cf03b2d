"""The deep Boltzmann machine."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint import annealing
from counterpoint.core import AbstractDistribution
from counterpoint.distributions import Bernoulli, Facts, layered, layers_of
from counterpoint.errors import CounterpointError, at_least
from counterpoint.models.boltzmann import TEMPERATURES, AbstractBoltzmann, measured
from counterpoint.models.rbm import RBM, rbm
from counterpoint.support import BINARY


@dataclass(frozen=True)
class DBMConfig:
    """`units` of h^1 .. h^L, the lowest first. Weights are drawn from N(0, scale^2)."""

    name: ClassVar[str] = "dbm"
    units: tuple[int, ...] = (500, 1000)
    scale: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units")
        at_least(self, 0, "scale")

    def build(self, facts: Facts, key) -> "DBM":
        keys = random.split(key, len(self.units))
        lowest = rbm(self.name, self.units[0], self.scale, facts, keys[0])
        if lowest.real:
            raise CounterpointError(
                "dbm: its layers are one machine of binary units, and these frames are real: choose binary or grey"
                " data, or p = rbm"
            )
        sizes = zip(self.units, self.units[1:], keys[1:])
        links = tuple(Link(self.scale * random.normal(k, (over, under)), jnp.zeros(over)) for under, over, k in sizes)
        return DBM(lowest=lowest, links=links)


class Link(eqx.Module):
    """What a layer has: its weights to the one under it, and biases."""

    weights: Float[Array, "J under"]
    bias: Float[Array, " J"]


class DBM(AbstractBoltzmann):
    """p(x, h^1 .. h^L) = exp(-E) / Z,   E = -c'x - sum_l (h^l' W_l h^l-1 + b_l' h^l),   h^0 = x
    (Salakhutdinov and Hinton 2009)

    z is the tuple (h^1 .. h^L), or h^1 for one layer; p(x | z) = s(W_1' h^1 + c), and p(z), x summed out, is known up
    to Z. Even layers given odd ones, x among them, are independent, and odd ones given even ones: so all layers are one
    RBM, `machine`, whose visible side is (x, h^2, h^4 ..) and whose hidden side is (h^1, h^3 ..). Grey frames have the
    energy of binary ones, as those of an RBM.
    """

    lowest: RBM
    links: tuple[Link, ...]
    log_z: Float[Array, ""] | None = None

    @property
    def machine(self):
        layers = (self.first, *self.links)
        weights = {i + 1: a.weights for i, a in enumerate(layers)}  # of layer i to the one under it
        biases = [jnp.ravel(self.lowest.visible), *(a.bias for a in layers)]

        def block(odd, even):
            if even == odd - 1:
                return weights[odd]
            return weights[even].T if even == odd + 1 else jnp.zeros((len(biases[odd]), len(biases[even])))

        odds, evens = range(1, len(biases), 2), range(0, len(biases), 2)
        joined = jnp.block([[block(odd, even) for even in evens] for odd in odds])
        return RBM(joined, jnp.concatenate(biases[1::2]), jnp.concatenate(biases[::2]))

    @property
    def first(self) -> Link:
        """W_1 and b_1."""
        return Link(self.lowest.weights, self.lowest.hidden)

    def prior(self, carry):
        return Layers(self)

    def likelihood(self, carry, z):
        return self.lowest.likelihood(None, layers_of(z)[0])

    def dictionary(self):
        return self.lowest.weights.T

    def inputs(self, x, h: tuple) -> list[Float[Array, " J"]]:
        """The log-odds of each unit of each layer, given its neighbours' values or means."""
        up = [a.weights @ under + a.bias for a, under in zip((self.first, *self.links), (jnp.ravel(x), *h))]
        down = [over @ a.weights for a, over in zip(self.links, h[1:])]
        return [a + b for a, b in zip(up, (*down, 0.0))]


class Layers(AbstractDistribution):
    """p(h^1 .. h^L) of a DBM, x summed out; drawn by a chain that cools down to it."""

    p: DBM
    log_z: Float[Array, ""]
    pathwise: ClassVar[bool] = False

    def __init__(self, p: DBM):
        self.p, self.log_z = p, p.total

    @property
    def sizes(self) -> list[int]:
        return [len(self.p.lowest.hidden), *(len(a.bias) for a in self.p.links)]

    @property
    def support(self):
        return (BINARY,) * len(self.sizes) if len(self.sizes) > 1 else BINARY

    def sample(self, key):
        of_evens, of_odds = random.split(key)
        machine, cuts = self.p.machine, lambda sizes: [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]
        evens = annealing.cool(machine, of_evens, TEMPERATURES)
        odds = machine.posterior(None, evens).sample(of_odds)
        sizes = [self.p.lowest.visible.size, *self.sizes]
        sides = [jnp.split(side, cuts(sizes[i::2])) for i, side in enumerate((evens, odds))]
        layers = [sides[i % 2][i // 2] for i in range(1, len(sizes))]
        return tuple(layers) if len(layers) > 1 else layers[0]

    def log_prob(self, value, observed=None):
        h = layers_of(value)
        links = sum((over @ (a.weights @ under + a.bias) for a, over, under in zip(self.p.links, h[1:], h)), start=0.0)
        return links - self.p.lowest.hidden_free_energy(h[0]) - self.log_z

    @property
    def mean(self):
        """The slope of log Z by the biases."""
        slope = eqx.filter_grad(lambda p: measured(p.machine))(self.p)
        means = (slope.lowest.hidden, *(a.bias for a in slope.links))
        return means if len(means) > 1 else means[0]

    @property
    def size(self):
        return sum(self.sizes)

    def like(self, raw):
        cuts = [sum(self.sizes[: i + 1]) for i in range(len(self.sizes) - 1)]
        return layered(*map(Bernoulli, jnp.split(raw, cuts)), order=range(len(self.sizes)))
