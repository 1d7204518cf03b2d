"""A chain that turns data into noise."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx

from counterpoint.core import AbstractPosterior, direct
from counterpoint.distributions import Trajectory
from counterpoint.errors import CounterpointError
from counterpoint.models.diffusion import Diffusion


@dataclass(frozen=True)
class NoisingConfig:
    """Nothing to choose: how much noise a step adds is p's."""

    name: ClassVar[str] = "noising"

    def build(self, p, facts, key) -> "Noising":
        q = Noising()
        q.check(p)
        return q


class Noising(AbstractPosterior):
    """q(z_1 .. z_n | x) = prod_t q(z_t+1 | z_t),  z_0 = x   (Sohl-Dickstein et al. 2015, eq. 1; seed 4, sec. 5.1)

    Each step takes a share of the signal away and puts noise in its place: see Diffusion. It has no parameters, so
    only p learns.
    """

    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def check(self, p):
        if not isinstance(p, Diffusion):
            raise CounterpointError(
                f"noising runs the chain that a diffusion reverses, and {type(p).__name__} has none: choose"
                " q = filtering"
            )

    def propose(self, p, carry, context, x, key):
        return direct(Trajectory(p.noised(0, x), Forward(p), p.steps))


class Forward(eqx.Module):
    """From one drawn frame to the law of the next: z_1 first."""

    p: Diffusion

    def __call__(self, i, z):
        return self.p.noised(i + 1, z)
