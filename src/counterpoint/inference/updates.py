"""How an estimate of q is refined: the interchangeable part of iterative inference."""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.networks import Highway, Linear


class Moments(NamedTuple):
    """Of z_t under q, D independent Gaussians; or a gradient by them."""

    mean: Float[Array, " D"]
    log_variance: Float[Array, " D"]


class AbstractUpdate(eqx.Module):
    @abstractmethod
    def __call__(self, now: Moments, gradient: Moments, inputs, features) -> Moments:
        """The next moments. gradient: of the step's free energy by the present ones, in nats; inputs: the vectors
        that a network reads; features: what `encode` made of x_t for it, or None."""


class Refiner(eqx.Module):
    """phi: highway layers of ELUs over the inputs, each of which is normalised by itself, then four vectors (D,)."""

    layers: tuple[Highway, ...]
    last: Linear
    layer_norm: bool = eqx.field(static=True)

    def __init__(self, inputs: int, latents: int, width: int, depth: int, layer_norm: bool, *, key):
        keys = random.split(key, depth + 1)
        self.layers = tuple(Highway(width if i else inputs, width, key=keys[i]) for i in range(depth))
        self.last = Linear(width, 4 * latents, key=keys[-1])
        self.layer_norm = layer_norm

    def __call__(self, inputs, features) -> tuple[Moments, Moments]:
        """A proposal for the moments, and what becomes a gate or a step size by a sigmoid."""
        a = jnp.concatenate([normalised(one) if self.layer_norm else one for one in inputs])
        for i, layer in enumerate(self.layers):
            a = layer(a, None if i else features)
        mean, log_variance, *weights = jnp.split(self.last(a), 4)
        return Moments(mean, log_variance), Moments(*map(jax.nn.sigmoid, weights))


class Gated(AbstractUpdate):
    """lambda <- g lambda + (1 - g) lambda^,  with g and lambda^ from the network (Marino et al. 2018, eq. 13)."""

    refiner: Refiner

    def __call__(self, now, gradient, inputs, features):
        new, gate = self.refiner(inputs, features)
        return jax.tree.map(lambda a, b, g: g * a + (1 - g) * b, now, new, gate)


class Rate(AbstractUpdate):
    """lambda <- lambda - s dF/dlambda + lambda^,  with the step sizes 0 < s < 1 and lambda^ from the network."""

    refiner: Refiner

    def __call__(self, now, gradient, inputs, features):
        new, rate = self.refiner(inputs, features)
        return jax.tree.map(lambda a, d, s, b: a - s * d + b, now, gradient, rate, new)


class Descent(AbstractUpdate):
    """lambda <- lambda - s dF/dlambda: plain gradient steps of one size, the reference. Nothing is learned."""

    step: float = eqx.field(static=True)

    def __call__(self, now, gradient, inputs, features):
        return jax.tree.map(lambda a, d: a - self.step * d, now, gradient)


def normalised(a: Float[Array, " D"]) -> Float[Array, " D"]:
    """(a - mean) / std over its own entries, without gain and bias (Ba et al. 2016)."""
    # the floor keeps the derivative finite where all entries are equal; the code of Marino et al. has std + 1e-7
    return (a - a.mean()) / jnp.sqrt(a.var() + 1e-6)
