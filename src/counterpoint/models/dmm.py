"""The deep Markov model: a state-space model whose transition and emission are networks."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected
from counterpoint.distributions import Facts, Family, Gaussian
from counterpoint.errors import at_least
from counterpoint.networks import Linear, mlp


@dataclass(frozen=True)
class DMMConfig:
    """Sizes of a deep Markov model, by default those of Krishnan et al. (2017) for music: units of the transition's
    networks, units and hidden layers of the emission's."""

    name: ClassVar[str] = "dmm"
    latent: int = 100
    transition: int = 200
    emission: int = 100
    depth: int = 2

    def __post_init__(self):
        at_least(self, 1, "latent", "transition", "emission", "depth")

    def build(self, facts: Facts, key) -> "DMM":
        return DMM(self, facts, key=key)


class DMM(AbstractDirected):
    """p(z_t | z_t-1) = N((1 - g) (A z_t-1 + a) + g h, softplus(S relu(h) + s)),
    g = s(phi_gate(z_t-1)), h = phi_move(z_t-1),   p(x_t | z_t) = family(phi_dec(z_t))

    (Krishnan et al. 2017, the gated transition function)

    Each unit of z chooses by its gate g between a linear and a nonlinear transition; A starts as the identity. The
    softplus is a standard deviation here and a variance in the paper: another name for the same numbers. z_0 is a
    parameter, so z_1 needs no distribution of its own. Carry: z_t-1 (latent,); nothing of x is fed back. Its q is
    `Smoothing`, for p(z_t | z_t-1, x) depends on z_t-1 and x_>=t alone.
    """

    start: Float[Array, " latent"]
    linear: Linear
    gate: eqx.nn.Sequential
    move: eqx.nn.Sequential
    spread: Linear
    to_x: eqx.nn.Sequential
    family: Family = eqx.field(static=True)

    def __init__(self, config: DMMConfig, facts: Facts, *, key):
        keys, d, family = random.split(key, 5), config.latent, facts.family
        linear = Linear(d, d, key=keys[0])
        self.linear = eqx.tree_at(lambda n: (n.weight, n.bias), linear, (jnp.eye(d), jnp.zeros(d)))
        self.gate = mlp((d, config.transition, d), key=keys[1], last=jax.nn.sigmoid)
        self.move = mlp((d, config.transition, d), key=keys[2])
        self.spread = Linear(d, d, key=keys[3])
        sizes = (d, *(config.emission,) * config.depth, family.size)
        self.to_x = mlp(sizes, key=keys[4], bias=facts.marginal)
        self.start, self.family = jnp.zeros(d), family

    def initial(self):
        return self.start

    def advance(self, carry, z, e):
        return z

    def prior(self, carry):
        gate, moved = self.gate(carry), self.move(carry)
        loc = (1 - gate) * self.linear(carry) + gate * moved
        family = Gaussian(jnp.zeros_like(loc), jnp.ones_like(loc))
        return family.like(jnp.concatenate([loc, self.spread(jax.nn.relu(moved))]))

    def likelihood(self, carry, z):
        return self.family(self.to_x(z))
