"""Amortised smoothing: a network that runs backwards over what is to come, and one that guesses z_t."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import jax
from jax import lax, random

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import Facts
from counterpoint.errors import at_least
from counterpoint.inference.amortised import Guess, embedded, features, seen_at
from counterpoint.networks import CELLS, GRU, LSTM, Linear
from counterpoint.rollout import where


@dataclass(frozen=True)
class SmoothingConfig:
    """A backward `cell` of `hidden` units, then a network of `depth` hidden layers of `width` units; "clipped" is the
    rectifier of an SRNN. `residual`: it says how far q's mean is from the prior's."""

    name: ClassVar[str] = "smoothing"
    hidden: int = 128
    width: int = 128
    depth: int = 1
    cell: Literal["gru", "lstm"] = "gru"
    activation: Literal["relu", "clipped"] = "relu"
    residual: bool = False

    def __post_init__(self):
        at_least(self, 1, "hidden", "width", "depth")

    def build(self, p: AbstractDirected, facts: Facts, key) -> "Smoothing":
        return Smoothing(p, self, key=key)


class Smoothing(AbstractPosterior):
    """a_t = RNN(a_t+1, features(x_t))
    q(z_t | z_<t, x) = family of p's prior, parameters phi(a_t, carry_t-1)      (Fraccaro et al. 2016, sec. 3.2)

    The factors of the true posterior have this form: given the past, z_t depends on x_t and what follows. For an SRNN
    features(x_t) is [x_t, d_t] and the carry z_t-1, d_t; for a deep Markov model x_t and z_t-1: the DKS of Krishnan et
    al. (2017). The paper gives mean and variance a network each; here they share the hidden layers. Works with any
    directed p: see `Guess`. Frames of which nothing was observed, and padding, leave the backward state as it is.
    """

    gates: Linear
    cell: GRU | LSTM
    from_a: Linear
    guess: Guess
    sees_future: ClassVar[bool] = True
    fills_gaps: ClassVar[bool] = False

    def __init__(self, p: AbstractDirected, config: SmoothingConfig, *, key):
        keys = random.split(key, 5)
        self.cell = CELLS[config.cell](config.hidden, key=keys[0])
        self.gates = Linear(features(p), self.cell.gates, key=keys[1])
        self.from_a = Linear(config.hidden, config.width, key=keys[2])
        self.guess = Guess(p, config, keys=keys[3:])

    def check(self, p):
        self.guess.check(p)

    def encode(self, p, memory, x, e, mask):
        def back(state, now):
            gates, seen = now
            state = where(seen, self.cell(gates, state), state)
            return state, self.cell.output(state)

        now = jax.vmap(self.gates)(embedded(p, e, x)), seen_at(mask)
        return memory, jax.vmap(self.from_a)(lax.scan(back, self.cell.initial(), now, reverse=True)[1])

    def propose(self, p, carry, context, x, key):
        return direct(self.guess(p, carry, context))
