"""The protocol of distributions: one event, of which other axes come from vmap and scan."""

from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PyTree

from counterpoint.support import Support


class AbstractDistribution(eqx.Module):
    """One event; every other axis comes from vmap and scan."""

    pathwise: eqx.AbstractVar[bool]  # the sample is a differentiable function of the parameters
    normalised: ClassVar[bool] = True  # False: `log_prob` is minus a loss, and no log-probability

    @property
    @abstractmethod
    def support(self) -> Support | tuple:
        """Where samples lie; a tuple of them for a distribution over several layers."""

    @abstractmethod
    def sample(self, key) -> PyTree:
        """One event: `drawn(noise(key))`."""

    def noise(self, key) -> PyTree:
        """The randomness of one event, by shapes alone, so that a scan need not make it. Here: the key itself."""
        return key

    def drawn(self, noise) -> PyTree:
        """The event that the noise leads to."""
        return self.sample(noise)

    @abstractmethod
    def log_prob(self, value, observed=None) -> Float[Array, ""]:
        """Log-density of the entries of `value` that are `observed` (None: of all of it), in nats."""

    @property
    @abstractmethod
    def mean(self) -> PyTree:
        """E[value], shaped like an event, or a category's probabilities."""

    def complete(self, key, value, observed) -> PyTree:
        """`value` with its missing entries drawn given the others. Here: for independent entries."""
        return jax.tree.map(lambda o, v, s: jnp.where(o, v, s), observed, value, self.sample(key))

    @property
    @abstractmethod
    def size(self) -> int:
        """How many unconstrained numbers determine a member of this family with this event shape."""

    @abstractmethod
    def like(self, raw: Float[Array, " size"]) -> "AbstractDistribution":
        """The member of this family that `raw` determines: what a recognition network returns."""
