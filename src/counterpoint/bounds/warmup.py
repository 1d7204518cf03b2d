"""The weight of the KL term while training begins."""

from dataclasses import dataclass

import jax.numpy as jnp

from counterpoint.errors import at_least


@dataclass(frozen=True)
class Warmup:
    """beta(step) = start + (1 - start) min(1, step / steps)^power; steps = 0 is no warm-up.

    power 1 is linear (Marino et al. 2018, appendix), 2 the quadratic one of its published code.
    """

    steps: int = 0
    start: float = 0.0
    power: float = 1.0

    def __post_init__(self):
        at_least(self, 0, "steps", "start", "power")

    def __call__(self, step):
        """The weight at a step; 1 where step is None, as in evaluation."""
        if step is None or self.steps == 0:
            return 1.0
        return self.start + (1 - self.start) * jnp.minimum(1.0, step / self.steps) ** self.power
