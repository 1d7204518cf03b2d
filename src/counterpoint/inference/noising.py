"""A chain that turns data into noise."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
from jax import Array

from counterpoint.core import AbstractPosterior, direct
from counterpoint.distributions import Trajectory
from counterpoint.errors import CounterpointError
from counterpoint.models.diffusion import Diffusion, Noise


@dataclass(frozen=True)
class NoisingConfig:
    """Nothing to choose: how much noise a step adds is p's."""

    name: ClassVar[str] = "noising"

    def build(self, p, facts, key) -> "Noising":
        q = Noising()
        q.check(p)
        return q


class Noising(AbstractPosterior):
    """q(z_1 .. z_n | x) = prod_t q(z_t+1 | z_t),  z_0 = x
    (Sohl-Dickstein et al. 2015, eq. 1; Bachman and Precup 2015, sec. 5.1)
                      = q(z_n | x) prod_t q(z_t | z_t+1, x)

    Each step takes a share of the signal away and puts noise in its place: see Diffusion. The second line, which is the
    same distribution, is how it is drawn: in the order of p's reversal, so that the divergence of every step has a
    closed form (Sohl-Dickstein et al. 2015, eq. 14; see `divergence`). It has no parameters, so only p learns.
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
        return direct(Trajectory(p.noise.after(p.noise.steps, x), Before(p.noise, x), p.noise.steps, down=True))


class Before(eqx.Module):
    """From one drawn frame to the distribution of the next: z_n first."""

    noise: Noise
    x: Array

    def __call__(self, i, z):
        return self.noise.before(self.noise.steps - 1 - i, z, self.x)
