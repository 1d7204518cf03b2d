"""What an RBM and its kin share: hidden units that are independent given a frame, and hear of it only Wx."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractDistribution, AbstractUndirected
from counterpoint.distributions import Bernoulli, Gaussian
from counterpoint.distributions.gaussian import LOG_TWO_PI, UNIT
from counterpoint.numerics import softplus

LEAST = 0.01  # of a deviation: an entry that never changes leaves the others' numbers in reach


class AbstractMachine(AbstractUndirected):
    """p(x, z) = exp(-E(x, z)) / Z,   E(x, z) = -z'Wx + own(x) + what each z_j has of itself
    own(x) = -c'x   and |(x - c) / sigma|^2 / 2 for real x,   p(x | z) = s(W'z + c) and N(c + sigma W'z, sigma^2)

    Each hidden unit is off, z_j = 0, or on; summed over all that z_j can be, with a = Wx,

        F(x) = own(x) - sum_j softplus(log-odds_j(a_j))

    so that W -> beta W, which is a -> beta a, is the same machine at another temperature. b (J,) adds to the log-odds,
    c, shaped like a frame of M numbers, to what x has. For real x a = W(x / sigma), entry by entry. Nothing is carried
    from one frame of a sequence to the next.

    sigma = l + (1 - l) softplus(spread + u), l = LEAST, u such that spread = 0 is sigma = 1.
    """

    weights: eqx.AbstractVar[Any]  # W (J, M): a matrix, or what multiplies like one
    hidden: eqx.AbstractVar[Float[Array, " J"]]  # b
    visible: eqx.AbstractVar[Float[Array, "*frame"]]  # c
    spread: eqx.AbstractVar[Float[Array, "*frame"] | None]  # of real x

    @abstractmethod
    def log_odds(self, a: Float[Array, " J"]) -> Float[Array, " J"]:
        """That a unit is on rather than off, given a = Wx."""

    @abstractmethod
    def given(self, a: Float[Array, " J"]) -> AbstractDistribution:
        """p(z | x) of an x with Wx = a."""

    @abstractmethod
    def hidden_free_energy(self, z: Float[Array, " J"]) -> Float[Array, ""]:
        """-log sum_x exp(-E(x, z)): an integral for real x."""

    @abstractmethod
    def state_free_energy(self, on: Float[Array, " J"]) -> Float[Array, ""]:
        """The same, summed over every z whose units are on where `on` is 1 and off where it is 0."""

    @abstractmethod
    def strict(self) -> "AbstractMachine":
        """What log Z sums over, where draws are of something else."""

    def initial(self):
        return None

    def advance(self, carry, z, e):
        return carry

    def example(self):
        return jnp.zeros_like(self.hidden)

    @property
    def real(self) -> bool:
        return self.spread is not None

    @property
    def deviation(self) -> Float[Array, "*frame"]:
        """sigma; 1, for all, where x is not real."""
        return jnp.ones(()) if self.spread is None else LEAST + (1 - LEAST) * softplus(self.spread + UNIT)

    def own_energy(self, x) -> Float[Array, ""]:
        """What x has of itself."""
        return 0.5 * (((x - self.visible) / self.deviation) ** 2).sum() if self.real else -(self.visible * x).sum()

    def frame_free_energy(self, z) -> Float[Array, ""]:
        """-log sum_x exp(z'Wx - own(x)): an integral for real x."""
        sigma = jnp.ravel(self.deviation)
        c = jnp.ravel(self.visible) / sigma
        loc = z @ self.weights + c
        each = 0.5 * (loc**2 - c**2 + LOG_TWO_PI) + jnp.log(sigma) if self.real else softplus(loc)
        return -each.sum()

    def toward(self, z) -> Float[Array, "*frame"]:
        """c + W'z, or c + sigma W'z: the logits, or the mean, of x given z."""
        return self.visible + self.deviation * (z @ self.weights).reshape(self.visible.shape)

    def likelihood(self, carry, z):
        loc = self.toward(z)
        return Gaussian(loc, self.deviation) if self.real else Bernoulli(loc)

    def natural(self, mean) -> Float[Array, "*frame"]:
        """The c of independent units with these means."""
        rate = jnp.clip(mean, 1e-6, 1 - 1e-6)
        return mean if self.real else jnp.log(rate) - jnp.log1p(-rate)

    def heard(self, x) -> Float[Array, " J"]:
        """Wx, or W(x / sigma)."""
        return self.weights @ jnp.ravel(x / self.deviation)

    def input(self, x) -> Float[Array, " J"]:
        """Each unit's log-odds given x."""
        return self.log_odds(self.heard(x))

    def free_energy(self, carry, x):
        return self.own_energy(x) - softplus(self.input(x)).sum()

    def posterior(self, carry, x):
        return self.given(self.heard(x))

    def dictionary(self):
        return self.weights.T

    def moved(self, hidden, visible) -> "AbstractMachine":
        """With numbers (J,) and (M,) added to the biases; None for none."""
        b = self.hidden if hidden is None else self.hidden + hidden
        c = self.visible if visible is None else self.visible + visible.reshape(self.visible.shape)
        return eqx.tree_at(lambda machine: (machine.hidden, machine.visible), self, (b, c))
