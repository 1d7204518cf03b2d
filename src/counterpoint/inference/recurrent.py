"""Amortised filtering with a memory of its own: a network that runs forwards over x, and one that guesses z_t."""

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
class RecurrentFilteringConfig:
    """A `cell` of `hidden` units, then a network of `depth` hidden layers of `width` units; "clipped" is the rectifier
    of an SRNN. `past`: it also reads p's carry, and so z_<t. `residual`: it says how far q's mean is from the prior's.
    """

    name: ClassVar[str] = "recurrent_filtering"
    hidden: int = 128
    width: int = 128
    depth: int = 1
    cell: Literal["gru", "lstm"] = "lstm"
    activation: Literal["relu", "clipped"] = "relu"
    past: bool = True
    residual: bool = False

    def __post_init__(self):
        at_least(self, 1, "hidden", "width", "depth")

    def build(self, p: AbstractDirected, facts: Facts, key) -> "RecurrentFiltering":
        return RecurrentFiltering(p, self, key=key)


class RecurrentFiltering(AbstractPosterior):
    """a_t = RNN(a_t-1, features(x_t))
    q(z_t | x_<=t, z_<t) = family of p's prior, parameters phi(a_t, carry_t-1)

    With past = False, q(z_t | x_<=t) = phi(a_t): the posterior of Denton and Fergus 2018, for whose p features(x_t) is
    Enc(x_t), but for the hidden layers of phi. It remembers what p's carry may not, such as the frames that a
    state-space model has seen. Works with any directed p: see `Guess`. Frames of which nothing was observed, and
    padding, leave the state as it is.
    """

    gates: Linear
    cell: GRU | LSTM
    from_a: Linear
    guess: Guess
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def __init__(self, p: AbstractDirected, config: RecurrentFilteringConfig, *, key):
        keys = random.split(key, 5)
        self.cell = CELLS[config.cell](config.hidden, key=keys[0])
        self.gates = Linear(features(p), self.cell.gates, key=keys[1])
        self.from_a = Linear(config.hidden, config.width, key=keys[2])
        self.guess = Guess(p, config, config.past, keys=keys[3:])

    def check(self, p):
        self.guess.check(p)

    def memory(self):
        """The cell's state."""
        return self.cell.initial()

    def encode(self, p, memory, x, e, mask):
        def step(state, now):
            gates, seen = now
            state = where(seen, self.cell(gates, state), state)
            return state, self.cell.output(state)

        memory, a = lax.scan(step, memory, (jax.vmap(self.gates)(embedded(p, e, x)), seen_at(mask)))
        return memory, jax.vmap(self.from_a)(a)

    def propose(self, p, carry, context, x, key):
        return direct(self.guess(p, carry, context))
