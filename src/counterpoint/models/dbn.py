"""The deep belief network."""

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
from counterpoint.support import BINARY, Support


@dataclass(frozen=True)
class DBNConfig:
    """`units` of h^1, h^2 .., the lowest first, and `tied` machines above them, each of which starts as the one below
    upside down: so that of binary frames of M numbers, units (500,) and one tied machine give h^1 of 500 units and h^2
    of M. Weights are drawn from N(0, scale^2)."""

    name: ClassVar[str] = "dbn"
    units: tuple[int, ...] = (500,)
    tied: int = 1
    scale: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units")
        at_least(self, 0, "tied", "scale")
        if len(self.units) + self.tied < 2:
            raise CounterpointError(
                f"dbn: units {self.units} and no tied machine are an RBM: choose tied = 1, or p = rbm"
            )

    def build(self, facts: Facts, key) -> "DBN":
        keys = random.split(key, len(self.units))
        machines = [rbm(self.name, self.units[0], self.scale, facts, keys[0])]
        if machines[0].real and self.tied and len(self.units) == 1:
            raise CounterpointError(
                "dbn: the lowest machine is over real frames, and upside down they would be binary units: choose two"
                " units or more, or tied = 0"
            )
        for under, over, k in zip(self.units, self.units[1:], keys[1:]):
            machines.append(RBM(self.scale * random.normal(k, (over, under)), jnp.zeros(over), jnp.zeros(under)))
        for _ in range(self.tied):
            over, under = machines[-1].weights.T.shape
            machines.append(RBM(jnp.zeros((over, under)), jnp.zeros(over), jnp.zeros(under)))
        return DBN(parts=tuple(machines), tied=self.tied)


class DBN(AbstractBoltzmann):
    """p(x, h^1 .. h^L-1) = p(h^L-1) prod_l p(h^l-1 | h^l),   h^0 = x,   p(h^l-1 | h^l) = s(W_l' h^l + c_l)
    p(h^L-1) = exp(-F_L(h^L-1)) / Z_L      (Hinton, Osindero and Teh 2006)

    machine l = 1 .. L is an RBM over h^l-1 and h^l. Of the highest both sides count, and h^L is summed out; of the
    others what leads down. What leads up, b_l, is q's where that is `dbn_recognition`. z is the tuple (h^1 .. h^L-1),
    or h^1 for L = 2. log p(x) >= E_q[log p(z) + log p(x | z) - log q(z | x)].

    Where machine L is machine L - 1 upside down, its distribution of h^L-1 is that which machine L - 1 has, so the
    network is what it is without its highest layer: the last `tied` machines start so, W_l = W_l-1' + what `parts` has
    (and c_l = b_l-1 +, b_l = c_l-1 +), and greedy learning never begins a layer below where the one before ended.
    """

    parts: tuple[RBM, ...]
    tied: int = eqx.field(static=True, default=0)
    log_z: Float[Array, ""] | None = None

    @property
    def machines(self) -> tuple[RBM, ...]:
        """The RBMs, the lowest first."""
        own = len(self.parts) - self.tied
        found = list(self.parts[:own])
        for part in self.parts[own:]:
            found.append(above(found[-1], part))
        return tuple(found)

    @property
    def machine(self):
        return self.machines[-1]

    def prior(self, carry):
        *lower, top = self.machines[1:]
        parts = (Top(top, self.total), *map(Under, reversed(lower)))
        return layered(*parts, order=range(len(parts) - 1, -1, -1))

    def likelihood(self, carry, z):
        return self.parts[0].likelihood(None, layers_of(z)[0])

    def dictionary(self):
        return self.parts[0].weights.T


def above(below: RBM, own: RBM) -> RBM:
    """The machine below upside down, and what a machine has of its own."""
    visible, hidden = below.hidden + own.visible, jnp.ravel(below.visible) + own.hidden
    return RBM(below.weights.T + own.weights, hidden, visible)


class Under(eqx.Module):
    """p(h^l-1 | h^l)."""

    machine: RBM

    def __call__(self, *over):
        return self.machine.likelihood(None, over[-1])


class Top(AbstractDistribution):
    """p(h) = exp(-F(h)) / Z of the visible side of a machine; drawn by a chain that cools down to it."""

    machine: RBM
    log_z: Float[Array, ""]
    support: ClassVar[Support] = BINARY  # pyright: ignore[reportIncompatibleMethodOverride]
    pathwise: ClassVar[bool] = False

    def sample(self, key):
        return annealing.cool(self.machine, key, TEMPERATURES)

    def log_prob(self, value, observed=None):
        return -self.machine.free_energy(None, value) - self.log_z

    @property
    def mean(self):
        """The slope of log Z by the biases."""
        return eqx.filter_grad(measured)(self.machine).visible

    @property
    def size(self):
        return self.machine.visible.size

    def like(self, raw):
        return Bernoulli(raw)
