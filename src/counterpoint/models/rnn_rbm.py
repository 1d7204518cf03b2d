"""An RBM whose biases a recurrent network makes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.distributions import Facts
from counterpoint.errors import at_least
from counterpoint.models.conditional import AbstractDriven, Biases
from counterpoint.models.rbm import RBM, rbm
from counterpoint.networks import Recurrence


@dataclass(frozen=True)
class RNNRBMConfig:
    """`units` hidden units of the RBM, `depth` layers of `hidden` ones in the network; "tanh" is what the
    published network is said to have. The RBM's weights and those from the network to its biases are drawn from N(0,
    scale^2)."""

    name: ClassVar[str] = "rnn_rbm"
    units: int = 150
    hidden: int = 100
    depth: int = 1
    cell: Literal["tanh", "logistic", "gru", "lstm"] = "tanh"
    scale: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units", "hidden", "depth")
        at_least(self, 0, "scale")

    def build(self, facts: Facts, key) -> "RNNRBM":
        keys, width = random.split(key, 3), facts.family.width
        machine = rbm(self.name, self.units, self.scale, facts, keys[0])
        recurrence = Recurrence(width, self.cell, self.hidden, self.depth, key=keys[1])
        return RNNRBM(machine, recurrence, self.scale * random.normal(keys[2], (self.units + width, self.hidden)))


class RNNRBM(AbstractDriven):
    """E_t(x, z) = -z'Wx - b_t'z - c_t'x, or for real x as an RBM has it
    b_t = b + W_b u_t-1,   c_t = c + W_c u_t-1,   u_t = tanh(W_u u_t-1 + W_x x_t + d)
    log p(x_1:T) = sum_t -F_t(x_t) - log Z_t,   F_t(x) = -log sum_z exp(-E_t(x, z))
    (Boulanger-Lewandowski, Bengio and Vincent 2012)

    The H units of the network need not be those of the RBM: an RTRBM has u_t = r_t and W_c = 0. W (J, M), b (J,), c
    (M,); W_u (H, H), W_x (H, M), d (H,); `to_biases` (J + M, H) holds W_b above W_c. nats.

    The paper could not be had: these are its equations at second hand, and that the cell is tanh is said, not read.
    Ours are the other cells, further layers, and u_0 = tanh(d): the network has seen an empty frame.
    """

    machine: RBM
    recurrence: Recurrence
    to_biases: Float[Array, "out hidden"]

    def memory(self):
        """The state that holds u_0."""
        return self.recurrence.initial()

    def first(self):
        return self.made(self.recurrence.output(self.memory()))

    def embed(self, memory, x):
        memory, u = self.recurrence(memory, jax.vmap(jnp.ravel)(x))
        return memory, jax.vmap(self.made)(u)

    def made(self, u: Float[Array, " hidden"]) -> Biases:
        """What a state of the network adds."""
        both, units = self.to_biases @ u, len(self.machine.hidden)
        return Biases(both[:units], both[units:])
