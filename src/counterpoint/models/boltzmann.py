"""Directed models whose prior is that of a Boltzmann machine, with its Z."""

from abc import abstractmethod

import equinox as eqx
import jax
from jax import Array, lax, random
from jaxtyping import Float

from counterpoint import annealing, counting
from counterpoint.core import AbstractDirected
from counterpoint.models.rbm import RBM
from counterpoint.numerics import log_mean

CHAINS, TEMPERATURES = 100, 100  # that estimate it elsewhere, and that z is drawn with


class AbstractBoltzmann(AbstractDirected):
    """p(z) = exp(-F(z)) / Z,   Z that of `machine`, an RBM

    Z is exact where one side of the machine has at most 20 units. Elsewhere annealed importance sampling estimates it,
    by 100 chains of 100 temperatures whose noise is always the same: on average too small, so that what is reported
    flatters p (see `evaluation.annealed_partition` for one with an error), and its gradient is that of where the chains
    end, by their weights. z is drawn by such a chain. Nothing passes from one frame to the next.

    log_z: None; an estimator that knows the gradient of log Z better puts it here: see `given`.
    """

    log_z: eqx.AbstractVar[Float[Array, ""] | None]

    @property
    @abstractmethod
    def machine(self) -> RBM:
        """What Z is of."""

    @property
    def estimated(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return counting.fewest(self.machine) > counting.MOST

    @property
    def total(self) -> Float[Array, ""]:
        """log Z, in nats."""
        return measured(self.machine) if self.log_z is None else self.log_z

    def given(self, log_z: Float[Array, ""]) -> "AbstractBoltzmann":
        """With this log Z, and its gradient."""
        return eqx.tree_at(lambda p: p.log_z, self, log_z, is_leaf=lambda a: a is None)

    def initial(self):
        return None

    def advance(self, carry, z, e):
        return carry


@eqx.filter_jit  # called plainly, it would compile anew each time
def measured(machine: RBM) -> Float[Array, ""]:
    """log Z, exact or estimated."""
    if counting.fewest(machine) <= counting.MOST:
        return counting.log_total(machine)
    held = lax.stop_gradient(machine)
    keys = random.split(random.key(0), CHAINS)
    x, each = jax.vmap(lambda key: annealing.up(held, key, TEMPERATURES))(keys)
    log_z = log_mean(each)
    slope = -(jax.nn.softmax(each) * jax.vmap(lambda x: machine.free_energy(None, x))(x)).sum()
    return log_z + slope - lax.stop_gradient(slope)
