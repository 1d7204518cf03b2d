"""The recurrent NADE, and NADE."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected, Seen
from counterpoint.distributions import NADE, Empty, Facts
from counterpoint.errors import CounterpointError, at_least, share
from counterpoint.networks import Recurrence, mlp, thinned


@dataclass(frozen=True)
class RNNNADEConfig:
    """`depth` layers of `hidden` recurrent units over time, `units` hidden ones within a frame. With `hidden` 0 nothing
    is remembered: every frame is drawn from one NADE. `dropout` is the share of what each layer but the NADE's own
    reads that training leaves out."""

    name: ClassVar[str] = "rnn_nade"
    hidden: int = 200
    units: int = 150
    depth: int = 1
    cell: Literal["logistic", "gru", "lstm"] = "logistic"
    dropout: float = 0.0

    def __post_init__(self):
        at_least(self, 0, "hidden")
        at_least(self, 1, "units", "depth")
        share(self, "dropout")

    def build(self, facts: Facts, key) -> "RNNNADE":
        if facts.family.name != "bernoulli" or len(facts.family.shape) != 1:
            raise CounterpointError(
                f"rnn_nade gives vectors of 0 and 1, entry after entry; the data are {facts.family.name} of shape"
                f" {facts.family.shape}: choose p = rnn"
            )
        return RNNNADE(self, facts, key=key)


class RNNNADE(AbstractDirected):
    """h_t = f(x_t-1, h_t-1),  p(x_t | x_<t) = NADE(W, V, b_t, c_t),  [b_t, c_t] = A h_t + [b, c]
    (Boulanger-Lewandowski et al. 2012; with hidden 0, where A h_t is nothing, NADE: Larochelle and Murray 2011)

    with x_0 = 0 and h_0 = 0, entries in the order of the frame. h (H,), W and V (M, J), A (M + J, H); b (M,) goes to
    the entries and c (J,) to the hidden units, as in `NADE`: an RBM's letters, the other way round. The first paper
    could not be had: this is at second hand. z is empty, its q is `Prior`, and every bound is the exact log-likelihood;
    where entries of a frame are missing, ELBO and IWAE are bounds again: see `NADE.log_prob`.
    """

    recurrence: Recurrence
    from_h: eqx.nn.Sequential
    weight: Float[Array, "M J"]
    readout: Float[Array, "M J"]
    dropout: float = eqx.field(static=True)

    def __init__(self, config: RNNNADEConfig, facts: Facts, *, key):
        keys, width = random.split(key, 4), facts.family.width
        begin = np.concatenate([facts.marginal, np.zeros(config.units)])
        self.recurrence = Recurrence(width, config.cell, config.hidden, config.depth, key=keys[0])
        self.from_h = mlp((config.hidden, len(begin)), key=keys[1], bias=begin)
        self.weight, self.readout = (0.1 * random.normal(k, (width, config.units)) for k in keys[2:])
        self.dropout = config.dropout

    def thinned(self, key):
        return thinned(self, key, self.dropout) if self.dropout else self

    def memory(self):
        """The state that holds h_1."""
        return self.recurrence.initial()

    def embed(self, memory, x):
        """e_t = [b_t+1, c_t+1]."""
        memory, h = self.recurrence(memory, x.astype(self.weight.dtype))
        return memory, jax.vmap(self.from_h)(h)

    def initial(self):
        return Seen(self.from_h(self.recurrence.output(self.memory())))

    def advance(self, carry, z, e):
        return Seen(e)

    def prior(self, carry):
        return Empty()

    def likelihood(self, carry, z):
        return NADE(self.weight, self.readout, *jnp.split(carry.value, [len(self.weight)]))
