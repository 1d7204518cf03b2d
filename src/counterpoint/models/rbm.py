"""The restricted Boltzmann machine."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractUndirected
from counterpoint.distributions import Bernoulli, Facts, Gaussian, Grey
from counterpoint.distributions.gaussian import LOG_TWO_PI
from counterpoint.errors import CounterpointError, at_least


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
    return RBM(weights, jnp.zeros(units), visible, family.name == "gaussian", family.name == "grey")


class RBM(AbstractUndirected):
    """E(x, z) = -z'Wx - b'z - c'x            for binary x; for real x  -z'Wx - b'z + |x - c|^2 / 2
    F(x) = -c'x - sum_j softplus(W_j x + b_j)          and |x - c|^2 / 2 - sum_j softplus(W_j x + b_j)
    p(z_j = 1 | x) = s(W_j x + b_j),   p(x | z) = s(W'z + c)          and N(W'z + c, I)
    (seed 4, eq. 39, there without biases; Hinton 2002; Welling et al. 2004)

    weights W (J, M), hidden b (J,), visible c shaped like a frame of M numbers. Real x has variance 1 given z, so data
    should be scaled to about that. Frames of a sequence are independent: nothing is carried from one to the next.

    grey: x between 0 and 1 have the energy of binary ones, and a chain goes on with their means s(W'z + c), as is usual
    for images. exp(-F(x)) / Z, Z the sum over 0 and 1, is then a loss and no density of x.
    """

    weights: Float[Array, "J M"]
    hidden: Float[Array, " J"]
    visible: Float[Array, "*frame"]
    real: bool = eqx.field(static=True, default=False)
    grey: bool = eqx.field(static=True, default=False)

    def initial(self):
        return None

    def advance(self, carry, z, e):
        return carry

    def example(self):
        return jnp.zeros_like(self.hidden)

    def input(self, x) -> Float[Array, " J"]:
        """What x and the biases add to each hidden unit: Wx + b."""
        return self.weights @ jnp.ravel(x) + self.hidden

    def own_energy(self, x) -> Float[Array, ""]:
        """What x has of itself: -c'x, or |x - c|^2 / 2."""
        return 0.5 * ((x - self.visible) ** 2).sum() if self.real else -(self.visible * x).sum()

    def free_energy(self, carry, x):
        return self.own_energy(x) - jax.nn.softplus(self.input(x)).sum()

    def posterior(self, carry, x):
        return Bernoulli(self.input(x))

    def likelihood(self, carry, z):
        mean = (z @ self.weights).reshape(self.visible.shape) + self.visible
        return Gaussian(mean, jnp.ones_like(mean)) if self.real else Grey(mean) if self.grey else Bernoulli(mean)

    def dictionary(self):
        return self.weights.T

    def hidden_free_energy(self, z: Float[Array, " J"]) -> Float[Array, ""]:
        """-log sum_x exp(-E(x, z)): an integral for real x."""
        c, loc = jnp.ravel(self.visible), z @ self.weights + jnp.ravel(self.visible)
        each = 0.5 * (loc**2 - c**2 + LOG_TWO_PI) if self.real else jax.nn.softplus(loc)
        return -(z @ self.hidden) - each.sum()

    def moved(self, hidden, visible) -> "RBM":
        """With numbers (J,) and (M,) added to the biases; None for none."""
        b = self.hidden if hidden is None else self.hidden + hidden
        c = self.visible if visible is None else self.visible + visible.reshape(self.visible.shape)
        return RBM(self.weights, b, c, self.real, self.grey)

    def natural(self, mean) -> Float[Array, "*frame"]:
        """The c of independent units with these means."""
        rate = jnp.clip(mean, 1e-6, 1 - 1e-6)
        return mean if self.real else jnp.log(rate) - jnp.log1p(-rate)

    def strict(self) -> "RBM":
        """The same over 0 and 1 where frames are grey: what log Z sums over."""
        return RBM(self.weights, self.hidden, self.visible, self.real)
