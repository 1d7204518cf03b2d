"""Amortised filtering: one network guesses z_t from p's past and x_t."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import random

from counterpoint.core import AbstractDirected, AbstractPosterior, direct, latent, observation, shapes
from counterpoint.distributions import Facts
from counterpoint.errors import at_least
from counterpoint.networks import mlp


@dataclass(frozen=True)
class FilteringConfig:
    """A network of `depth` hidden layers of `width` units."""

    name: ClassVar[str] = "filtering"
    width: int = 128
    depth: int = 1

    def __post_init__(self):
        at_least(self, 1, "width", "depth")

    def build(self, p: AbstractDirected, facts: Facts, key) -> "Filtering":
        return Filtering(p, self, key=key)


class Filtering(AbstractPosterior):
    """q(z_t | x_<=t, z_<t) = family of p's prior, parameters phi_enc(features(x_t), carry_t-1)
    (Chung et al. 2015, eq. 9).

    Works with any directed p: it reads all numbers in p's carry, and what p offers of x_t. Several latent layers are
    guessed independently of each other. The product with x_t runs over all t at once, before the scan.
    """

    from_x: eqx.nn.Linear
    from_carry: eqx.nn.Linear
    rest: eqx.nn.Sequential
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def __init__(self, p: AbstractDirected, config: FilteringConfig, *, key):
        keys = random.split(key, 3)
        frame, carry = shapes(observation(p)), eqx.filter_eval_shape(lambda p: p.initial(), p)
        x = jax.tree.map(lambda a: jnp.zeros((1, *a.shape), a.dtype), frame)
        features = eqx.filter_eval_shape(lambda p: embedded(p, p.embed(p.memory(), x)[1], x), p).shape[1]
        size = latent(p).size
        width = sum(a.size for a in jax.tree.leaves(carry))
        self.from_x = eqx.nn.Linear(features, config.width, key=keys[0])
        self.from_carry = eqx.nn.Linear(width, config.width, use_bias=False, key=keys[1])
        sizes = (*(config.width,) * config.depth, size)
        self.rest = mlp(sizes, key=keys[2], bias=jnp.zeros(size))

    def encode(self, p, memory, x, e, mask):
        return memory, jax.vmap(self.from_x)(embedded(p, e, x))

    def propose(self, p, carry, context, x, key):
        past = jnp.concatenate([jnp.ravel(a) for a in jax.tree.leaves(carry)])
        raw = self.rest(jax.nn.relu(context + self.from_carry(past)))
        family = eqx.filter_eval_shape(p.prior, carry)
        return direct(family.like(raw))


def embedded(p, e, x):
    """(T, F) what p offers of every frame."""
    return jax.vmap(p.features)(x, e)
