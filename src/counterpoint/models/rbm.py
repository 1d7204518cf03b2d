"""The restricted Boltzmann machine."""

from dataclasses import dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.distributions import Bernoulli, Facts, Grey
from counterpoint.errors import CounterpointError, at_least
from counterpoint.models.machine import AbstractMachine


@dataclass(frozen=True)
class RBMConfig:
    """`units` hidden units. Weights are drawn from N(0, scale^2); visible biases start at the training marginal's."""

    name: ClassVar[str] = "rbm"
    units: int = 100
    scale: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units")
        at_least(self, 0, "scale")

    def build(self, facts: Facts, key) -> "RBM":
        return rbm(self.name, self.units, self.scale, facts, key)


def rbm(name: str, units: int, scale: float, facts: Facts, key) -> "RBM":
    """One as it starts, for the model of that name. Raises CounterpointError where frames have no energy."""
    family = facts.family
    if family.name not in ("bernoulli", "gaussian", "grey"):
        raise CounterpointError(
            f"{name}: likelihood {family.name!r} has no energy here that is linear in the hidden units: choose"
            " binary data, grey ones, or real ones scaled to variance 1"
        )
    weights = scale * random.normal(key, (units, family.width))
    visible = jnp.asarray(facts.marginal[: family.width].reshape(family.shape), weights.dtype)
    spread = jnp.zeros_like(visible) if family.name == "gaussian" else None
    return RBM(weights, jnp.zeros(units), visible, spread, family.name == "grey")


class RBM(AbstractMachine):
    """E(x, z) = -z'Wx - b'z - c'x for binary x; for real x  -z'W(x / sigma) - b'z + |(x - c) / sigma|^2 / 2
    F(x) = -c'x - sum_j softplus(W_j x + b_j)   and |(x - c) / sigma|^2 / 2 - sum_j softplus(W_j (x / sigma) + b_j)
    p(z_j = 1 | x) = s(W_j x + b_j) and s(W_j (x / sigma) + b_j),   p(x | z) = s(W'z + c) and N(c + sigma W'z, sigma^2)
    (Gan's slides, eq. 4-7; Bachman and Precup 2015, eq. 39, there without biases; Hinton 2002; Welling et al. 2004)

    log p(x) = -F(x) - log Z, in nats. weights W (J, M), hidden b (J,), visible c shaped like a frame of M numbers. In
    print the deviation of real x given z is 1. Ours, sigma, starts there and is learned, one number an entry: `spread`
    has what it is a softplus of. Data should be scaled to a deviation of about 1.

    grey: x between 0 and 1 have the energy of binary ones, and a chain goes on with their means s(W'z + c), as is usual
    for images. exp(-F(x)) / Z, Z the sum over 0 and 1, is then a loss and no density of x.
    """

    weights: Any  # (J, M)
    hidden: Float[Array, " J"]
    visible: Float[Array, "*frame"]
    spread: Float[Array, "*frame"] | None = None
    grey: bool = eqx.field(static=True, default=False)

    def log_odds(self, a):
        return a + self.hidden

    def given(self, a):
        return Bernoulli(self.log_odds(a))

    def likelihood(self, carry, z):
        return Grey(self.toward(z)) if self.grey else super().likelihood(carry, z)

    def hidden_free_energy(self, z):
        return self.frame_free_energy(z) - z @ self.hidden

    def state_free_energy(self, on):
        return self.hidden_free_energy(on)

    def strict(self):
        """The same over 0 and 1 where frames are grey."""
        return RBM(self.weights, self.hidden, self.visible, self.spread)
