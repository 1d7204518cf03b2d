"""Guessing without looking."""

from dataclasses import dataclass
from typing import ClassVar

from counterpoint.core import AbstractPosterior, direct


@dataclass(frozen=True)
class PriorConfig:
    """Nothing to set."""

    name: ClassVar[str] = "prior"

    def build(self, p, facts, key) -> "Prior":
        return Prior()


class Prior(AbstractPosterior):
    """q(z_t | .) = p(z_t | z_<t, x_<t): the bootstrap proposal; with every x_t missing, generation.

    For a model without latent variables it is exact. KL is zero by construction.
    """

    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = True

    def propose(self, p, carry, context, x, key):
        return direct(p.prior(carry))
