"""What turns gradients into steps: Optax, with a learning rate for each voice."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

import jax
import optax

from counterpoint.errors import at_least


@dataclass(frozen=True)
class OptimiserConfig:
    """Learning rates for p, for q and for the estimator's baselines (None: p's).

    `schedule` "cosine" and "exponential" fall to `floor` times the rate over all epochs. `clip` is the largest global
    norm of a gradient, 0 for none. `decay` is weight decay, decoupled from the gradient.
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
        at_least(self, 0, "p", "q", "baseline", "floor", "clip", "decay")

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
        rule = {
            "adam": optax.scale_by_adam,
            "rmsprop": lambda: optax.scale_by_rms(decay=0.95, eps=1e-4),
            "sgd": optax.identity,
        }[self.name]()
        return optax.chain(rule, optax.add_decayed_weights(self.decay), optax.scale_by_learning_rate(rates))


def label(params):
    """Each leaf of a pairing's parameters by the field it stands under: "p", "q", "bound" or "estimator"."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[0].name, params)
