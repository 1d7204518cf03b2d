"""The reversal of a noising chain."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax.scipy.special import logit

from counterpoint.core import AbstractDirected, AbstractDistribution
from counterpoint.distributions import Bernoulli, Facts, Gaussian, Trajectory
from counterpoint.distributions.gaussian import UNIT
from counterpoint.errors import CounterpointError, at_least
from counterpoint.networks import mlp
from counterpoint.numerics import softplus

WAVES = 4  # cosines of time that the network reads


@dataclass(frozen=True)
class DiffusionConfig:
    """`steps` of noise; one network of `depth` layers of `width` tanh units reverses all of them."""

    name: ClassVar[str] = "diffusion"
    steps: int = 40
    width: int = 100
    depth: int = 2

    def __post_init__(self):
        at_least(self, 1, "steps", "width", "depth")

    def build(self, facts: Facts, key) -> "Diffusion":
        return Diffusion(self, facts, key=key)


class Noise(eqx.Module):
    """q(z_t+1 | z_t) = N(sqrt(1 - b) z_t, b I), or Bernoulli((1 - b) z_t + b / 2),   z_0 = x,   b of `rate`."""

    steps: int = eqx.field(static=True)
    real: bool = eqx.field(static=True)

    def rate(self, t):
        """b of the step from z_t to z_t+1."""
        return (2 * t + 1) / (self.steps**2 - t**2)

    def after(self, t, x) -> AbstractDistribution:
        """q(z_t | x) = N(sqrt(1 - c) x, c I), or Bernoulli((1 - c) x + c / 2),   c = (t / n)^2."""
        c = (t / self.steps) ** 2
        if self.real:
            return Gaussian(jnp.sqrt(1 - c) * x, jnp.sqrt(c) * jnp.ones_like(x))
        return Bernoulli(logit((1 - c) * x + c / 2))

    def before(self, t, z, x) -> AbstractDistribution:
        """q(z_t | z_t+1 = z, x), t > 0: q(z_t | x) q(z | z_t), normalised."""
        b, own = self.rate(t), self.after(t, x)
        if isinstance(own, Bernoulli):
            return Bernoulli(own.logits + (2 * z - 1) * (jnp.log1p(-b / 2) - jnp.log(b / 2)))
        assert isinstance(own, Gaussian)
        variance = 1 / (own.scale**-2 + (1 - b) / b)
        return Gaussian(variance * (own.loc / own.scale**2 + jnp.sqrt(1 - b) / b * z), jnp.sqrt(variance))


class Diffusion(AbstractDirected):
    """p(z_n) = N(0, I),   p(z_t | z_t+1) = N(sqrt(1 - b) z_t+1 + sqrt(b) m, b s^2),   t = n - 1 .. 0,   x = z_0
    p(z_n) = Bernoulli(1/2),   logit p(z_t = 1 | z_t+1) = logit((1 - b) z_t+1 + b / 2) + m          for binary x
    with m, s = network(z_t+1, t)   (Sohl-Dickstein et al. 2015; Bachman and Precup 2015, sec. 1 and 5.1)

    The reversal of the chain that q = `noising` runs from x. b = (2t + 1) / (n^2 - t^2), so that 1 - (t / n)^2 of what
    x was is left after t steps (of its variance, where x is real): little goes first, and all is gone in the end. The
    paper's binomial chain has b = 1 / (n - t), an even pace, which blurs more in its first step. A network of zeros is
    the exact reversal where x is pure noise. The bound is minus the divergence of the two distributions of whole
    trajectories (Bachman and Precup 2015, eq. 5), n + 1 variables each. z is (n, *frame), real x should have variance
    about 1; frames of a sequence are independent.
    """

    network: eqx.nn.Sequential
    noise: Noise
    shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, config: DiffusionConfig, facts: Facts, *, key):
        family = facts.family
        if family.name not in ("bernoulli", "gaussian"):
            raise CounterpointError(
                f"diffusion: no noising chain is known for likelihood {family.name!r}: choose binary data, or real ones"
                " scaled to variance 1"
            )
        self.noise, self.shape = Noise(config.steps, family.name == "gaussian"), family.shape
        self.network = mlp((family.width + WAVES, *(config.width,) * config.depth, family.size), key=key)

    def initial(self):
        return None

    def advance(self, carry, z, e):
        return carry

    def prior(self, carry):
        zero = jnp.zeros(self.shape)
        noise = Gaussian(zero, zero + 1) if self.noise.real else Bernoulli(zero)
        return Trajectory(noise, Reversal(self), self.noise.steps, down=True)

    def likelihood(self, carry, z):
        return self.reverse(0, z[0])

    def reverse(self, t, z) -> AbstractDistribution:
        """p(z_t | z_t+1 = z)."""
        waves = jnp.cos(jnp.pi * jnp.arange(1, WAVES + 1) * t / self.noise.steps)
        said, b = self.network(jnp.concatenate([jnp.ravel(z), waves])), self.noise.rate(t)
        if self.noise.real:
            moved, scale = (a.reshape(z.shape) for a in jnp.split(said, 2))
            scale = softplus(scale + UNIT) + 1e-4
            return Gaussian(jnp.sqrt(1 - b) * z + jnp.sqrt(b) * moved, jnp.sqrt(b) * scale)
        return Bernoulli(logit((1 - b) * z + b / 2) + said.reshape(z.shape))


class Reversal(eqx.Module):
    """From one drawn frame to the distribution of the next: z_n first."""

    p: Diffusion

    def __call__(self, i, z):
        return self.p.reverse(self.p.noise.steps - 1 - i, z)
