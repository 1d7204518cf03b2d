"""The temporal RBM."""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.distributions import Facts
from counterpoint.errors import at_least
from counterpoint.models.conditional import AbstractConditional, Biases
from counterpoint.models.rbm import RBM, rbm


@dataclass(frozen=True)
class TRBMConfig:
    """`units` hidden units. Weights are drawn from N(0, scale^2); visible biases start at the training marginal's."""

    name: ClassVar[str] = "trbm"
    units: int = 100
    scale: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units")
        at_least(self, 0, "scale")

    def build(self, facts: Facts, key) -> "TRBM":
        of_machine, of_across = random.split(key)
        across = self.scale * random.normal(of_across, (self.units, self.units))
        return TRBM(rbm(self.name, self.units, self.scale, facts, of_machine), across)


class TRBM(AbstractConditional):
    """p(x_1:T, z_1:T) = prod_t exp(-E(x_t, z_t; b + U z_t-1)) / Z(z_t-1),   z_0 = 0
    E(x, z; b) = -z'Wx - b'z - c'x, or for real x as an RBM has it
    (Sutskever and Hinton 2007, there with lags of x and more of z; Gan's slides, eq. 8, whose proportionality sign
    hides that Z depends on z_t-1)

    W (J, M), b (J,), c (M,), across U (J, J). What follows step t tells of z_t as well, so p(z_t | x_1:T) is not known;
    the filter q that goes with it takes p(z_t | x_t, z_t-1), which is factorial, and draws. E_q[sum_t log p(x_t |
    z_t-1)] is a bound from below on log p(x_1:T), in nats; what contrastive divergence approaches is its gradient with
    the draws of q held.
    """

    machine: RBM
    across: Float[Array, "J J"]

    def initial(self):
        return jnp.zeros_like(self.machine.hidden)

    def advance(self, carry, z, e):
        return z

    def biases(self, carry):
        return Biases(self.across @ carry, None)
