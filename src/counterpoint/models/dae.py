"""The denoising auto-encoder, which with a chain is a generative stochastic network."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jax import random

from counterpoint.core import AbstractModel
from counterpoint.distributions import Facts, Family
from counterpoint.errors import CounterpointError, at_least
from counterpoint.networks import ACTIVATIONS, mlp


@dataclass(frozen=True)
class DAEConfig:
    """`depth` hidden layers of `width` units between the corrupted frame and its reconstruction; 0 for none."""

    name: ClassVar[str] = "dae"
    width: int = 500
    depth: int = 1
    activation: Literal["relu", "tanh"] = "tanh"

    def __post_init__(self):
        at_least(self, 1, "width")
        at_least(self, 0, "depth")

    def build(self, facts: Facts, key) -> "DAE":
        return DAE(self, facts, key=key)


class DAE(AbstractModel):
    """p(x | z) = family(phi(z)),   z ~ q(z | x) a corrupted frame,   p(z) = E_D[q(z | x)]
    (Bengio et al. 2013; Bengio et al. 2014; Bachman and Precup 2015, eq. 6)

    phi learns to undo what q does. p has no prior of its own: p(z) is what the corruption makes of the data, so p draws
    x by the chain x -> z ~ q(z | x) -> x ~ p(x | z), whose stationary distribution is the data's where p(x | z) is q's
    exact posterior over clean frames. Corruption, bound and gradient are those of CORRUPTED. Frames of a sequence are
    independent.

    A move starts from the corrupted frame alone; a `GSN` keeps hidden layers from move to move.
    """

    network: eqx.nn.Sequential
    family: Family = eqx.field(static=True)

    def __init__(self, config: DAEConfig, facts: Facts, *, key):
        self.family = facts.family
        sizes = (facts.family.width, *(config.width,) * config.depth, facts.family.size)
        self.network = mlp(sizes, key=key, activation=ACTIVATIONS[config.activation], bias=facts.marginal)

    def initial(self):
        return None

    def advance(self, carry, z, e):
        return carry

    def prior(self, carry):
        """Raises CounterpointError: what needs a prior cannot be done."""
        raise CounterpointError(f"{type(self).__name__} knows p(z) by what q makes of the data alone: {CORRUPTED}")

    def example(self):
        return self.family(jnp.zeros(self.family.size)).sample(random.key(0))

    def likelihood(self, carry, z):
        return self.family(self.network(self.family.flatten(z)))


CORRUPTED = "choose q = salt_and_pepper, gaussian_noise or learned_corruption, bound = denoising, estimator = walkback"
