"""What all recurrent and conditional RBMs are: an RBM at each step, whose biases are functions of a past."""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractUndirected, Seen
from counterpoint.models.machine import AbstractMachine


class Biases(NamedTuple):
    """What a past adds to the biases of an RBM; None: nothing."""

    hidden: Float[Array, "*time J"] | None
    visible: Float[Array, "*time M"] | None


class AbstractStepwise(AbstractUndirected):
    """One that is at each step what `at` makes of the carry."""

    @abstractmethod
    def at(self, carry) -> AbstractMachine:
        """The machine of one step."""

    def free_energy(self, carry, x):
        return self.at(carry).free_energy(None, x)

    def posterior(self, carry, x):
        return self.at(carry).posterior(None, x)

    def likelihood(self, carry, z):
        return self.at(carry).likelihood(None, z)


class AbstractConditional(AbstractStepwise):
    """p(x_t, z_t | past) = exp(-E_t(x_t, z_t)) / Z_t,   E_t(x, z) = -z'Wx - b_t'z - c_t'x

    or for real x as an RBM has it, and b_t, c_t = (b, c) + biases(past). Each step has a Z_t of its own.
    log p(x_1:T) = sum_t -F_t(x_t) - log Z_t where the past is a function of x_<t.
    """

    machine: eqx.AbstractVar[AbstractMachine]  # W, b and c

    @abstractmethod
    def biases(self, carry) -> Biases:
        """What the past adds."""

    def at(self, carry):
        return self.machine.moved(*self.biases(carry))

    def example(self):
        return self.machine.example()

    def dictionary(self):
        return self.machine.dictionary()


class AbstractDriven(AbstractConditional):
    """One whose past is a function of x alone: `memory` is the state before x_t, and `embed` gives e_t, the Biases that
    x_1 .. x_t make for the step after it."""

    @abstractmethod
    def memory(self) -> Any:
        """The state before the first step."""

    @abstractmethod
    def first(self) -> Biases:
        """What the state before the first step adds."""

    def initial(self):
        return Seen(self.first())

    def advance(self, carry, z, e):
        return Seen(e)

    def biases(self, carry):
        return carry.value
