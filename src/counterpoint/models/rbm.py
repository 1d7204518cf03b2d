"""The restricted Boltzmann machine."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractUndirected
from counterpoint.distributions import Bernoulli, Facts, Gaussian
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
        family = facts.family
        if family.name not in ("bernoulli", "gaussian"):
            raise CounterpointError(
                f"rbm: likelihood {family.name!r} has no energy here that is linear in the hidden units: choose"
                " binary data, or real ones scaled to variance 1"
            )
        weights = self.scale * random.normal(key, (self.units, family.width))
        visible = jnp.asarray(facts.marginal[: family.width].reshape(family.shape), weights.dtype)
        return RBM(weights, jnp.zeros(self.units), visible, family.name == "gaussian")


class RBM(AbstractUndirected):
    """E(x, z) = -z'Wx - b'z - c'x            for binary x; for real x  -z'Wx - b'z + |x - c|^2 / 2
    F(x) = -c'x - sum_j softplus(W_j x + b_j)          and |x - c|^2 / 2 - sum_j softplus(W_j x + b_j)
    p(z_j = 1 | x) = s(W_j x + b_j),   p(x | z) = s(W'z + c)          and N(W'z + c, I)
    (seed 4, eq. 39, there without biases; Hinton 2002; Welling et al. 2004)

    weights W (J, M), hidden b (J,), visible c shaped like a frame of M numbers. Real x has variance 1 given z, so data
    should be scaled to about that. Frames of a sequence are independent: nothing is carried from one to the next.
    """

    weights: Float[Array, "J M"]
    hidden: Float[Array, " J"]
    visible: Float[Array, "*frame"]
    real: bool = eqx.field(static=True, default=False)

    def initial(self):
        return None

    def advance(self, carry, z, e):
        return carry

    def example(self):
        return jnp.zeros_like(self.hidden)

    def input(self, x) -> Float[Array, " J"]:
        """What x and the biases add to each hidden unit: Wx + b."""
        return self.weights @ jnp.ravel(x) + self.hidden

    def free_energy(self, carry, x):
        own = 0.5 * ((x - self.visible) ** 2).sum() if self.real else -(self.visible * x).sum()
        return own - jax.nn.softplus(self.input(x)).sum()

    def posterior(self, carry, x):
        return Bernoulli(self.input(x))

    def likelihood(self, carry, z):
        mean = (z @ self.weights).reshape(self.visible.shape) + self.visible
        return Gaussian(mean, jnp.ones_like(mean)) if self.real else Bernoulli(mean)

    def hidden_free_energy(self, z: Float[Array, " J"]) -> Float[Array, ""]:
        """-log sum_x exp(-E(x, z)): an integral for real x."""
        c, loc = jnp.ravel(self.visible), z @ self.weights + jnp.ravel(self.visible)
        each = 0.5 * (loc**2 - c**2 + LOG_TWO_PI) if self.real else jax.nn.softplus(loc)
        return -(z @ self.hidden) - each.sum()

    def tempered(self, beta) -> "RBM":
        """The RBM with beta W, beta b and the same c: at 0 its units are independent, at 1 it is this one."""
        return RBM(beta * self.weights, beta * self.hidden, self.visible, self.real)
