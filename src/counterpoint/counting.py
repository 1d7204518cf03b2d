"""What an RBM's probabilities sum to, over the states of whichever side has fewer units."""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from counterpoint import annealing
from counterpoint.models.machine import AbstractMachine
from counterpoint.models.rbm import RBM

MOST = 20  # units of the smaller side up to which its states are counted: a million of them


def fewest(p: AbstractMachine) -> int:
    """Units of the side that `log_total` counts."""
    return p.visible.size if turns(p) else len(p.hidden)


def log_total(p: AbstractMachine) -> Float[Array, ""]:
    """log Z, exact and with its gradient -E[grad E(x, z)]: see `fewest` for how many states that takes."""
    return annealing.count(smaller(p))


def smaller(p: AbstractMachine) -> AbstractMachine:
    """A machine with the same Z whose hidden side is x, where x is binary and has fewer units; else p."""
    return RBM(p.weights.T, jnp.ravel(p.visible), p.hidden) if turns(p) else p


def turns(p: AbstractMachine) -> bool:
    """Whether x is that side; of shapes alone as well."""
    return isinstance(p, RBM) and not p.real and p.visible.size < p.hidden.size
