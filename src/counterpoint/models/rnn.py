"""The recurrent network without latent variables."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax
from jax import random

from counterpoint.core import AbstractDirected, Seen
from counterpoint.distributions import Empty, Facts, Family
from counterpoint.errors import at_least, share
from counterpoint.networks import Recurrence, mlp, thinned


@dataclass(frozen=True)
class RNNConfig:
    """`depth` layers of `hidden` units. "logistic" is the RNN that published tables compare latent variable models
    with, "lstm" a strong baseline. `dropout` is the share of what each layer reads that training leaves out."""

    name: ClassVar[str] = "rnn"
    hidden: int = 200
    depth: int = 1
    cell: Literal["logistic", "gru", "lstm"] = "logistic"
    dropout: float = 0.0

    def __post_init__(self):
        at_least(self, 1, "hidden", "depth")
        share(self, "dropout")

    def build(self, facts: Facts, key) -> "RNN":
        return RNN(self, facts, key=key)


class RNN(AbstractDirected):
    """h_t = f(x_t-1, h_t-1),  p(x_t | x_<t) = family(V h_t + c)          (Gan's slides, eq. 1-3)

    with x_0 = 0 and h_0 = 0; f is s(W x_t-1 + U h_t-1 + b) for the logistic cell. h (H,), W (H, M), U (H, H), b (H,);
    V (R, H) and c (R,), for R parameters of a frame of M numbers. Gan's slides write v_t-1 in eq. 1
    and x_t-1 in eq. 3 for one thing. All chance is in x: z is empty, its q is `Prior`, and every bound is the exact
    log-likelihood of x that is whole; what is missing before the end is drawn, and the bound is one below it. h is a
    function of x alone, so it runs over all t at once in `embed`.
    """

    recurrence: Recurrence
    readout: eqx.nn.Sequential
    family: Family = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(self, config: RNNConfig, facts: Facts, *, key):
        a, b = random.split(key)
        self.recurrence = Recurrence(facts.family.width, config.cell, config.hidden, config.depth, key=a)
        self.readout = mlp((config.hidden, facts.family.size), key=b, bias=facts.marginal)
        self.family, self.dropout = facts.family, config.dropout

    def thinned(self, key):
        return thinned(self, key, self.dropout) if self.dropout else self

    def memory(self):
        """The state that holds h_1."""
        return self.recurrence.initial()

    def embed(self, memory, x):
        """e_t = the parameters of x_t+1."""
        memory, h = self.recurrence(memory, jax.vmap(self.family.flatten)(x))
        return memory, jax.vmap(self.readout)(h)

    def features(self, x, e):
        return self.family.flatten(x)

    def initial(self):
        return Seen(self.readout(self.recurrence.output(self.memory())))

    def advance(self, carry, z, e):
        return Seen(e)

    def prior(self, carry):
        return Empty()

    def likelihood(self, carry, z):
        return self.family(carry.value)
