"""Amortised inference from the bottom up: each layer of z is guessed from the one under it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import random
from jaxtyping import PyTree

from counterpoint.core import AbstractDirected, AbstractDistribution, AbstractPosterior, direct
from counterpoint.distributions import Chain, Facts, layered
from counterpoint.errors import CounterpointError, at_least
from counterpoint.inference.amortised import Guess, embedded, features
from counterpoint.inference.filtering import FilteringConfig
from counterpoint.networks import Linear
from counterpoint.shapes import latent, shapes


@dataclass(frozen=True)
class BottomUpConfig:
    """Networks of `depth` hidden layers: one for each layer of z, the lowest first, of `width` units."""

    name: ClassVar[str] = "bottom_up"
    width: tuple[int, ...] = (200, 100)
    depth: int = 2
    activation: Literal["relu", "clipped", "tanh"] = "tanh"

    def __post_init__(self):
        at_least(self, 1, "width", "depth")

    def build(self, p: AbstractDirected, facts: Facts, key) -> "BottomUp":
        return BottomUp(p, self, key=key)


class Above(eqx.Module):
    """q(z^l_t | z^l-1_t, z_<t), for a given past: of the kind of that layer in p's prior."""

    from_under: Linear
    guess: Guess
    carry: PyTree
    kind: AbstractDistribution  # its shapes

    def __call__(self, *under):
        return self.kind.like(self.guess.raw(self.carry, self.from_under(vector(under[-1]))))


class BottomUp(AbstractPosterior):
    """q(z_t | x_t, z_<t) = q(z^1_t | x_t, z_<t) q(z^2_t | z^1_t, z_<t) .. q(z^L_t | z^L-1_t, z_<t)
    (Burda et al. 2015, sec. 5, for two layers of z at one step)

    where `Filtering` guesses all layers at once, independently of each other. Each factor is of the family of its layer
    in p's prior, with parameters phi_l(what is under it, carry_t-1): see `Guess`. Works with any directed p, for any
    number of layers. The product with x_t runs over all t at once, before the scan.
    """

    from_x: Linear
    from_under: tuple[Linear, ...]
    guesses: tuple[Guess, ...]
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def __init__(self, p: AbstractDirected, config: BottomUpConfig, *, key):
        kinds, widths = layers(latent(p)), config.width
        check_layers(p, len(widths))
        keys = random.split(key, (len(kinds), 3))
        ones = [FilteringConfig(width, config.depth, config.activation) for width in widths]
        self.guesses = tuple(Guess(p, one, size=a.size, keys=k[1:]) for one, a, k in zip(ones, kinds, keys))
        self.from_x = Linear(features(p), widths[0], key=keys[0, 0])
        under = [sum(a.size for a in jax.tree.leaves(shapes(kind))) for kind in kinds]
        self.from_under = tuple(Linear(n, w, key=k[0]) for n, w, k in zip(under, widths[1:], keys[1:]))

    def check(self, p):
        check_layers(p, len(self.guesses))

    def encode(self, p, memory, x, e, mask):
        return memory, jax.vmap(self.from_x)(embedded(p, e, x))

    def propose(self, p, carry, context, x, key):
        lowest, *others = layers(eqx.filter_eval_shape(p.prior, carry))
        law = lowest.like(self.guesses[0].raw(carry, context))
        above = [Above(w, guess, carry, kind) for w, guess, kind in zip(self.from_under, self.guesses[1:], others)]
        return direct(layered(law, *above, order=range(1 + len(above))))


def check_layers(p: AbstractDirected, count: int) -> None:
    """Raise CounterpointError unless z of p has so many layers."""
    found = len(layers(latent(p)))
    if found != count:
        raise CounterpointError(
            f"bottom_up guesses {count} layers, one above the other, and z of {type(p).__name__} has {found}: choose as"
            " many numbers for width, the lowest layer's first"
        )


def layers(law: AbstractDistribution) -> tuple[AbstractDistribution, ...]:
    """The distributions of an event's layers, the lowest first."""
    return law.layers if isinstance(law, Chain) else (law,)


def vector(event) -> jax.Array:
    """A layer as what a network reads."""
    return jnp.concatenate([jnp.ravel(a) for a in jax.tree.leaves(event)])
