"""A network that says how much noise each entry gets."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from counterpoint.distributions import Facts, Family, Gaussian
from counterpoint.errors import CounterpointError, at_least
from counterpoint.inference.corruption import REAL_FAMILIES, AbstractCorruption, refuse, salted
from counterpoint.networks import mlp
from counterpoint.numerics import softplus

LEAST = 1e-4  # noise, so that no entry is ever told for sure


@dataclass(frozen=True)
class LearnedCorruptionConfig:
    """A network of `depth` layers of `width` units; 0 for the same noise whatever the frame. It starts at `noise`: the
    probability that an entry is replaced, or the standard deviation on real and grey data."""

    name: ClassVar[str] = "learned_corruption"
    width: int = 100
    depth: int = 1
    noise: float = 0.4

    def __post_init__(self):
        at_least(self, 1, "width")
        at_least(self, 0, "depth")
        if not LEAST < self.noise < 1:
            raise CounterpointError(f"learned_corruption: noise is {self.noise}; give a number between {LEAST} and 1")

    def build(self, p, facts: Facts, key) -> "LearnedCorruption":
        known = ("bernoulli", "categorical", *REAL_FAMILIES)
        refuse(self.name, facts.family, known, "binary data, an index, or real data")
        q = LearnedCorruption(self, facts.family, key=key)
        q.check(p)
        return q


class LearnedCorruption(AbstractCorruption):
    """q(z | x) = prod_i (1 - r_i) [z_i = x_i] + r_i / n,   logit r = phi(x)      for binary x and an index
    q(z | x) = N(x, diag(s^2)),   s = softplus(phi(x))                             for real and grey x
    (Bachman and Precup 2015, eq. 6-9)

    An index has one r. What q learns is worth something only against what z says of x: without the mutual information
    I(x; z), which eq. 9 drops, less noise is always better. See `Denoising`.
    """

    network: eqx.nn.Sequential | jax.Array
    family: Family = eqx.field(static=True)

    def __init__(self, config: LearnedCorruptionConfig, family: Family, *, key):
        size = 1 if family.name == "categorical" else family.width
        level = config.noise - LEAST
        start = np.log(np.expm1(level)) if family.name in REAL_FAMILIES else np.log(level / (1 - LEAST - level))
        bias = jnp.full(size, start)
        sizes = (family.width, *(config.width,) * config.depth, size)
        self.network = mlp(sizes, key=key, bias=bias) if config.depth else bias
        self.family = family

    def corrupted(self, x):
        said = self.network if isinstance(self.network, jax.Array) else self.network(self.family.flatten(x))
        if self.family.name in REAL_FAMILIES:
            return Gaussian(x, LEAST + softplus(said).reshape(x.shape))
        rate = LEAST + (1 - LEAST) * jax.nn.sigmoid(said)
        return salted(self.family, x, rate.reshape(jnp.shape(x)))
