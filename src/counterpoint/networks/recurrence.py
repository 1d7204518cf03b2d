"""A recurrent network over all of a sequence at once."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax, random
from jaxtyping import Float

from counterpoint.networks.linear import Linear
from counterpoint.networks.stacked import Stacked


class Recurrence(eqx.Module):
    """h_t = f(x_t-1, h_t-1), x_0 = 0 and h_0 = 0, with a cell f of `depth` layers of `hidden` units.

    Called with the state before a chunk of T frames, it gives the state after it and h_2 .. h_T+1, (T, hidden). The
    product with x runs over all t at once.
    """

    gates: Linear
    cell: Stacked

    def __init__(self, width: int, cell: str, hidden: int, depth: int, *, key):
        """width: of a frame. cell: a key of CELLS."""
        a, b = random.split(key)
        self.cell = Stacked(cell, hidden, depth, key=a)
        self.gates = Linear(width, self.cell.gates, key=b)

    def initial(self):
        """The state that holds h_1."""
        return self.cell(self.gates(jnp.zeros(self.gates.weight.shape[1])), self.cell.initial())

    def output(self, state) -> Float[jax.Array, " hidden"]:
        """h of a state."""
        return self.cell.output(state)

    def __call__(self, state, frames: Float[jax.Array, "T width"]):
        def step(state, gates):
            new = self.cell(gates, state)
            return new, self.cell.output(new)

        return lax.scan(step, state, jax.vmap(self.gates)(frames))
