"""Recurrent cells over one another."""

import equinox as eqx
from jax import Array, random
from jaxtyping import Float

from counterpoint.networks.cells import CELLS, GRU, LSTM, Elman
from counterpoint.networks.linear import Linear


class Stacked(eqx.Module):
    """s^1' = RNN(g, s^1),  s^l' = RNN(W^l output(s^l-1'), s^l),  l = 2 .. depth

    To be used like one cell: `gates` counts what the lowest takes, the state is a tuple of theirs, the output that of
    the highest.
    """

    cells: tuple[GRU | LSTM | Elman, ...]
    between: tuple[Linear, ...]

    def __init__(self, cell: str, hidden: int, depth: int, *, key):
        """cell: a key of CELLS."""
        keys = random.split(key, (2, depth))
        self.cells = tuple(CELLS[cell](hidden, key=k) for k in keys[0])
        self.between = tuple(Linear(hidden, above.gates, key=k) for above, k in zip(self.cells[1:], keys[1]))

    @property
    def gates(self) -> int:
        return self.cells[0].gates

    def initial(self):
        return tuple(cell.initial() for cell in self.cells)

    def output(self, state) -> Float[Array, " hidden"]:
        return self.cells[-1].output(state[-1])

    def __call__(self, gates: Float[Array, " gates"], state):
        new = [self.cells[0](gates, state[0])]
        for under, layer, cell, own in zip(self.cells, self.between, self.cells[1:], state[1:]):
            new.append(cell(layer(under.output(new[-1])), own))
        return tuple(new)
