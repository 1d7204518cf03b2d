"""The variational recurrent network."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import random

from counterpoint.core import AbstractDirected
from counterpoint.distributions import Facts, Family, Gaussian
from counterpoint.errors import at_least
from counterpoint.networks import CELLS, GRU, LSTM, Linear, mlp


@dataclass(frozen=True)
class VRNNConfig:
    """Sizes of a VRNN. `cell` is "gru" or "lstm"; `depth` counts the layers of each network phi. phi_x and phi_dec have
    `width_x` units a layer, the others `width`; 0: as many."""

    name: ClassVar[str] = "vrnn"
    latent: int = 32
    hidden: int = 128
    width: int = 128
    depth: int = 1
    cell: Literal["gru", "lstm"] = "lstm"
    width_x: int = 0

    def __post_init__(self):
        at_least(self, 1, "latent", "hidden", "width", "depth")
        at_least(self, 0, "width_x")

    def build(self, facts: Facts, key) -> "VRNN":
        return VRNN(self, facts, key=key)


class VRNN(AbstractDirected):
    """p(z_t | past) = N(phi_prior(h_t-1)), p(x_t | z_t, past) = family(phi_dec(phi_z(z_t), h_t-1)),
    h_t = RNN([phi_x(x_t), phi_z(z_t)], h_t-1)   (Chung et al. 2015, eq. 5-7).

    Carry: the cell's state. Its q is `Filtering`, which reads phi_x(x_t) and h_t-1 (eq. 9).
    """

    read_x: eqx.nn.Sequential
    read_z: eqx.nn.Sequential
    gates_x: Linear
    gates_z: Linear
    cell: GRU | LSTM
    to_prior: eqx.nn.Sequential
    to_x: eqx.nn.Sequential
    latent: int = eqx.field(static=True)
    family: Family = eqx.field(static=True)

    def __init__(self, config: VRNNConfig, facts: Facts, *, key):
        keys = random.split(key, 7)
        h, family, width_x = config.hidden, facts.family, config.width_x or config.width
        inner, outer = ((width,) * config.depth for width in (config.width, width_x))
        self.cell = CELLS[config.cell](h, key=keys[0])
        self.read_x = mlp((family.width, *outer), key=keys[1], last=jax.nn.relu)
        self.read_z = mlp((config.latent, *inner), key=keys[2], last=jax.nn.relu)
        self.gates_x = Linear(width_x, self.cell.gates, key=keys[3])
        self.gates_z = Linear(config.width, self.cell.gates, use_bias=False, key=keys[4])
        self.to_prior = mlp((h, *inner, 2 * config.latent), key=keys[5], bias=jnp.zeros(2 * config.latent))
        self.to_x = mlp((config.width + h, *outer, family.size), key=keys[6], bias=facts.marginal)
        self.latent, self.family = config.latent, family

    def embed(self, memory, x):
        """e = phi_x(x_t) and its share of the gates."""
        seen = jax.vmap(lambda x: self.read_x(self.family.flatten(x)))(x)
        return memory, (seen, jax.vmap(self.gates_x)(seen))

    def features(self, x, e):
        return e[0]

    def initial(self):
        return self.cell.initial()

    def advance(self, carry, z, e):
        return self.cell(e[1] + self.gates_z(self.read_z(z)), carry)

    def prior(self, carry):
        raw = self.to_prior(self.cell.output(carry))
        return Gaussian(jnp.zeros(self.latent), jnp.ones(self.latent)).like(raw)

    def likelihood(self, carry, z):
        return self.family(self.to_x(jnp.concatenate([self.read_z(z), self.cell.output(carry)])))
