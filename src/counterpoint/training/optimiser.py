"""What turns gradients into steps: Optax, with a learning rate for each voice."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax

from counterpoint.errors import CounterpointError, at_least


@dataclass(frozen=True)
class OptimiserConfig:
    """Learning rates for p, for q and for the estimator's baselines (None: p's).

    "rmsprop" is the variant of Graves (2013, eq. 38-41) that Gan et al. (2015) train with: the gradient less `decay`
    times the weights, over its running standard deviation, with momentum 0.9. `schedule` "cosine" and "exponential"
    fall to `floor` times the rate over all epochs. `clip` is the largest global norm of a gradient, 0 for none. `decay`
    is weight decay, which Adam and SGD keep apart from the gradient.
    """

    name: Literal["adam", "rmsprop", "sgd"] = "adam"
    p: float = 1e-3
    q: float | None = None
    baseline: float | None = None
    schedule: Literal["constant", "cosine", "exponential"] = "constant"
    floor: float = 0.01
    clip: float = 1.0
    decay: float = 0.0

    def __post_init__(self):
        for voice in ("p", "q", "baseline"):
            rate = getattr(self, voice)
            if rate is not None and not rate >= 0:
                raise CounterpointError(f"optimiser: {voice}, the learning rate of {voice}, is {rate}; give at least 0")
        at_least(self, 0, "floor", "clip", "decay")

    def build(self, steps: int) -> optax.GradientTransformation:
        """For the parameters of a pairing and a run of `steps`."""
        rates = {
            "p": self.p,
            "q": self.p if self.q is None else self.q,
            "bound": self.p,
            "estimator": self.p if self.baseline is None else self.baseline,
        }
        moves: dict[Hashable, optax.GradientTransformation] = {
            field: self._rule(rate, steps) for field, rate in rates.items()
        }
        clip = optax.clip_by_global_norm(self.clip) if self.clip else optax.identity()
        return optax.chain(clip, optax.partition(moves, label))

    def _rule(self, rate: float, steps: int) -> optax.GradientTransformation:
        rates = {
            "constant": lambda: rate,
            "cosine": lambda: optax.cosine_decay_schedule(rate, max(steps, 1), self.floor),
            "exponential": lambda: optax.exponential_decay(rate, max(steps, 1), self.floor),
        }[self.schedule]()
        scale = optax.scale_by_learning_rate(rates)
        if self.name == "rmsprop":
            return optax.chain(graves(self.decay), optax.trace(0.9), scale)
        rule = {"adam": optax.scale_by_adam, "sgd": optax.identity}[self.name]()
        return optax.chain(rule, optax.add_decayed_weights(self.decay), scale)


class Spread(NamedTuple):
    """Running means of the gradient and of its square."""

    mean: optax.Updates
    square: optax.Updates


def graves(decay: float, rate: float = 0.95, floor: float = 1e-4) -> optax.GradientTransformation:
    """(g + decay w) / sqrt(n - m^2 + floor),  n <- rate n + (1 - rate) g^2,  m <- rate m + (1 - rate) g."""

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return Spread(zeros, zeros)

    def update(updates, state, params=None):
        moved = lambda old, new: jax.tree.map(lambda a, b: rate * a + (1 - rate) * b, old, new)
        mean, square = moved(state.mean, updates), moved(state.square, jax.tree.map(jnp.square, updates))
        step = lambda g, w, m, n: (g + decay * w) / jnp.sqrt(n - m**2 + floor)
        return jax.tree.map(step, updates, params, mean, square), Spread(mean, square)

    return optax.GradientTransformation(init, update)


def label(params):
    """Each leaf of a pairing's parameters by the field it stands under: "p", "q", "bound" or "estimator"."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[0].name, params)
