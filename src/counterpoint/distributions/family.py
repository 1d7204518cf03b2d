"""Families of likelihoods by name: from unconstrained numbers to a distribution over one frame."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.distributions.bernoulli import Bernoulli
from counterpoint.distributions.categorical import Categorical
from counterpoint.distributions.gaussian import UNIT, FullGaussian, Gaussian


class Rule(NamedTuple):
    """How a family meets data."""

    template: Callable[[tuple[int, ...]], AbstractDistribution]  # any member with this shape
    flatten: Callable  # one frame -> the vector that networks read
    marginal: Callable[[np.ndarray, tuple[int, ...]], np.ndarray]  # frames (N, ...) -> raw numbers of the best member


def _coins(frames, shape):
    rate = np.clip((frames.sum(0) + 0.5) / (len(frames) + 1.0), 1e-4, 1 - 1e-4)
    return np.log(rate / (1 - rate)).ravel()


def _normal(frames, shape):
    scale = np.maximum(frames.std(0), 1e-2).ravel() - 1e-4
    return np.concatenate([frames.mean(0).ravel(), scale + np.log(-np.expm1(-scale)) - UNIT])


def _full_normal(frames, shape):
    half = _normal(frames, shape)
    d = half.size // 2
    return np.concatenate([half, np.zeros(d * (d - 1) // 2)])


def _frequencies(frames, shape):
    return np.log(np.bincount(frames.astype(int).ravel(), minlength=shape[0])[: shape[0]] + 0.5)


def _ravel(x, shape):
    return jnp.ravel(x)


FAMILIES: dict[str, Rule] = {
    "bernoulli": Rule(lambda shape: Bernoulli(jnp.zeros(shape)), _ravel, _coins),
    "gaussian": Rule(lambda shape: Gaussian(jnp.zeros(shape), jnp.ones(shape)), _ravel, _normal),
    "full_gaussian": Rule(lambda shape: FullGaussian(jnp.zeros(shape), jnp.eye(shape[0])), _ravel, _full_normal),
    "categorical": Rule(
        lambda shape: Categorical(jnp.zeros(shape)), lambda x, shape: jax.nn.one_hot(x, shape[0]), _frequencies
    ),
}


@dataclass(frozen=True)
class Family:
    """`name` is a key of FAMILIES; `shape` is that of a frame, or (n,) for an index below n."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many unconstrained numbers determine a member."""
        return FAMILIES[self.name].template(self.shape).size

    @property
    def width(self) -> int:
        """Length of a flattened frame."""
        return int(np.prod(self.shape))

    def __call__(self, raw: Float[Array, " size"]) -> AbstractDistribution:
        """The member that `raw` determines."""
        return FAMILIES[self.name].template(self.shape).like(raw)

    def flatten(self, x) -> Float[Array, " width"]:
        """A frame as the vector that networks read; an index becomes one-hot."""
        return FAMILIES[self.name].flatten(x, self.shape)


class Facts(NamedTuple):
    """What parts are built for: the family of the likelihood and the numbers of the best constant member."""

    family: Family
    marginal: np.ndarray  # (size,)


KINDS = {"binary": "bernoulli", "real": "gaussian", "index": "categorical"}


def facts(x: tuple[np.ndarray, ...], kind: str = "binary", observed=None) -> Facts:
    """Facts of training sequences x_i (T_i, ...) of a kind: "binary", "real" or "index".

    Missing frames (`observed` False) are left out of the marginal; a frame with any missing entry is, too.
    """
    frames = np.concatenate(x)
    if observed is not None:
        seen = np.concatenate(observed)
        frames = frames[seen.reshape(len(seen), -1).all(1)]
        frames = frames if len(frames) else np.zeros((1, *frames.shape[1:]), frames.dtype)
    shape = frames.shape[1:] if kind != "index" else (int(frames.max()) + 1,)
    family = Family(KINDS[kind], shape)
    return Facts(family, FAMILIES[family.name].marginal(frames, shape).astype(np.float64))
