"""The conditional RBM: biases that the last frames make, with or without factors."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.distributions import Facts
from counterpoint.errors import at_least
from counterpoint.models.conditional import AbstractDriven, Biases
from counterpoint.models.rbm import RBM, rbm
from counterpoint.networks import lagged


@dataclass(frozen=True)
class CRBMConfig:
    """`units` hidden units and `order` lags. Weights are drawn from N(0, scale^2); visible biases start at the training
    marginal's."""

    name: ClassVar[str] = "crbm"
    units: int = 100
    order: int = 3
    scale: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units", "order")
        at_least(self, 0, "scale")

    def build(self, facts: Facts, key) -> "CRBM":
        of_machine, of_lags = random.split(key)
        width = facts.family.width
        lags = self.scale * random.normal(of_lags, (self.order, self.units + width, width))
        return CRBM(rbm(self.name, self.units, self.scale, facts, of_machine), lags)


class CRBM(AbstractDriven):
    """E_t(x, z) = -z'Wx - b_t'z - c_t'x, or for real x as an RBM has it
    b_t = b + sum_d B_d x_t-d,   c_t = c + sum_d A_d x_t-d,   d = 1 .. n, zeros before the first step
    log p(x_1:T) = sum_t -F_t(x_t) - log Z_t,   F_t(x) = -log sum_z exp(-E_t(x, z))
    (Taylor, Hinton and Roweis 2006)

    W (J, M), b (J,), c (M,). `lags` (n, J + M, M) holds B_d above A_d. Nothing is hidden in the past, so a step's
    distribution is known but for its Z_t. nats.
    """

    machine: RBM
    lags: Float[Array, "n out M"]

    def memory(self):
        """The last n - 1 frames, oldest first."""
        n, _, width = self.lags.shape
        return jnp.zeros((n - 1, width), self.lags.dtype)

    def first(self):
        return self.split(jnp.zeros(self.lags.shape[1], self.lags.dtype))

    def split(self, both: Float[Array, "*time out"]) -> Biases:
        units = len(self.machine.hidden)
        return Biases(both[..., :units], both[..., units:])

    def embed(self, memory, x):
        frames = jax.vmap(jnp.ravel)(x).astype(self.lags.dtype)
        past = jnp.concatenate([memory, frames])
        return past[len(frames) :], self.split(lagged(self.lags, past, len(frames)))
