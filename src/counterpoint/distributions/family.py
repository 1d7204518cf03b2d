"""Families of likelihoods by name: from unconstrained numbers to a distribution over one frame."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.distributions.bernoulli import Bernoulli
from counterpoint.distributions.categorical import Categorical
from counterpoint.distributions.counts import Counts
from counterpoint.distributions.discretised import DiscretisedGaussian, on_grid, spacing
from counterpoint.distributions.gaussian import UNIT, FullGaussian, Gaussian
from counterpoint.distributions.grey import Grey
from counterpoint.errors import CounterpointError, nearest


class Rule(NamedTuple):
    """How a family meets data. `family` is the Family it is of: its shape, and what it keeps of the data."""

    kinds: tuple[str, ...]  # of data that it is a likelihood of
    size: Callable[[Any], int]  # how many unconstrained numbers determine a member
    member: Callable[[Array, Any], AbstractDistribution]  # (raw, family) -> the member that they determine
    marginal: Callable[[np.ndarray, Any], np.ndarray]  # (frames (N, ...), family) -> raw numbers of the best member
    flatten: Callable = lambda x, family: jnp.ravel(x)  # one frame -> the vector that networks read
    linear: bool = False  # the first numbers of raw are the mean


@dataclass(frozen=True)
class Family:
    """`name` is a key of FAMILIES; `shape` is that of a frame, or (n,) for an index below n.

    total  of counts: how many a draw has
    unit   of counts: networks read x / unit; None is the mean count of the frame, so that long texts look like short
    step, origin   of values on a grid: how far apart they lie, and one of them
    """

    name: str
    shape: tuple[int, ...]
    total: int = 1
    unit: float | None = None
    step: float = 1.0
    origin: float = 0.0

    @property
    def size(self) -> int:
        """How many unconstrained numbers determine a member."""
        return FAMILIES[self.name].size(self)

    @property
    def width(self) -> int:
        """Length of a flattened frame."""
        return int(np.prod(self.shape))

    def __call__(self, raw: Float[Array, " size"]) -> AbstractDistribution:
        """The member that `raw` determines."""
        return FAMILIES[self.name].member(raw, self)

    @property
    def linear(self) -> bool:
        """Whether the first numbers of `raw` are the mean."""
        return FAMILIES[self.name].linear

    def moved(self, frame: Float[Array, " width"]) -> Float[Array, " size"]:
        """What moves the mean by a frame when it is added to `raw`, for a family that is `linear`."""
        return jnp.pad(frame, (0, self.size - self.width))

    def flatten(self, x) -> Float[Array, " width"]:
        """A frame as the vector that networks read; an index becomes one-hot."""
        return FAMILIES[self.name].flatten(x, self)


def _coins(frames, family):
    rate = np.clip((frames.sum(0) + 0.5) / (len(frames) + 1.0), 1e-4, 1 - 1e-4)
    return np.log(rate / (1 - rate)).ravel()


def _normal(frames, family):
    scale = np.maximum(frames.std(0), 1e-2).ravel() - 1e-4
    return np.concatenate([frames.mean(0).ravel(), scale + np.log(-np.expm1(-scale)) - UNIT])


def _log_normal(power: int):
    return lambda frames, family: np.concatenate(
        [frames.mean(0).ravel(), power * np.log(np.maximum(frames.std(0), 1e-2)).ravel()]
    )


def _full_normal(frames, family):
    half = _normal(frames, family)
    d = half.size // 2
    return np.concatenate([half, np.zeros(d * (d - 1) // 2)])


def _frequencies(frames, family):
    n = family.shape[0]
    return np.log(np.bincount(frames.astype(int).ravel(), minlength=n)[:n] + 0.5)


def _words(frames, family):
    return np.log(frames.sum(0) + 0.5)


def _shares(x, family):
    x = jnp.ravel(x)
    return x / jnp.maximum(x.mean(), 1 / len(x)) if family.unit is None else x / family.unit


def _scaled(raw, family, scale):
    loc, rest = jnp.split(raw, 2)
    return Gaussian(loc.reshape(family.shape), scale(rest).reshape(family.shape))


def _on_grid(raw, family):
    zero = jnp.zeros(family.shape)
    return DiscretisedGaussian(zero, zero + 1, family.step, family.origin).like(raw)


def _width(family):
    return family.width


def _twice(family):
    return 2 * family.width


FAMILIES: dict[str, Rule] = {
    "bernoulli": Rule(("binary",), _width, lambda raw, f: Bernoulli(raw.reshape(f.shape)), _coins),
    "grey": Rule(("grey",), _width, lambda raw, f: Grey(raw.reshape(f.shape)), _coins),
    "gaussian": Rule(
        ("real",),
        _twice,
        lambda raw, f: Gaussian(jnp.zeros(f.shape), jnp.ones(f.shape)).like(raw),
        _normal,
        linear=True,
    ),
    # the two readings of Gan et al. 2015: log sigma in the supplement and the code, log sigma^2 in the paper
    "gaussian_log_std": Rule(("real",), _twice, lambda raw, f: _scaled(raw, f, jnp.exp), _log_normal(1), linear=True),
    "gaussian_log_variance": Rule(
        ("real",), _twice, lambda raw, f: _scaled(raw, f, lambda r: jnp.exp(r / 2)), _log_normal(2), linear=True
    ),
    "discretised_gaussian": Rule(("real", "grey"), _twice, _on_grid, _normal, linear=True),
    "full_gaussian": Rule(
        ("real",),
        lambda f: 2 * f.width + f.width * (f.width - 1) // 2,
        lambda raw, f: FullGaussian(jnp.zeros(f.shape), jnp.eye(f.shape[0])).like(raw),
        _full_normal,
        linear=True,
    ),
    "categorical": Rule(
        ("index",), _width, lambda raw, f: Categorical(raw), _frequencies, lambda x, f: jax.nn.one_hot(x, f.shape[0])
    ),
    "counts": Rule(("count",), _width, lambda raw, f: Counts(raw, f.total), _words, _shares),
    "multinomial": Rule(("count",), _width, lambda raw, f: Counts(raw, f.total, True), _words, _shares),
}
KINDS = {"binary": "bernoulli", "grey": "grey", "real": "gaussian", "index": "categorical", "count": "counts"}


class Facts(NamedTuple):
    """What parts are built for: the family of the likelihood and the numbers of the best constant member."""

    family: Family
    marginal: np.ndarray  # (size,)


def adding(residual: bool, facts: Facts) -> bool:
    """`residual`. Raises CounterpointError where the likelihood has no mean that a frame can be added to."""
    if residual and not facts.family.linear:
        known = ", ".join(name for name, rule in FAMILIES.items() if rule.linear)
        raise CounterpointError(
            f"residual: each frame is added to the mean of the next, which suits real numbers (likelihood {known}) and"
            f" not {facts.family.name}: choose a recipe for such data, as docs/choosing.md says, or residual = False"
        )
    return residual


def facts(x: tuple[np.ndarray, ...], kind: str = "binary", observed=None, likelihood: str | None = None) -> Facts:
    """Facts of training sequences x_i (T_i, ...) of a kind, a key of KINDS; `likelihood` is a key of FAMILIES for data
    of that kind, None the usual one. "discretised_gaussian" finds the step of the grid in the data, or is told it:
    "discretised_gaussian:0.25".

    Missing frames (`observed` False) are left out of the marginal; a frame with any missing entry is, too. Raises
    CounterpointError for a likelihood that is unknown, or of another kind of data, or on a grid that is not there.
    """
    name, told, step = (likelihood or KINDS[kind]).partition(":")
    if name not in FAMILIES or kind not in FAMILIES[name].kinds:
        known = [key for key, rule in FAMILIES.items() if kind in rule.kinds]
        raise CounterpointError(f"likelihood {name!r} is none of {kind} data{nearest(name, known)}")
    frames = np.concatenate(x)
    if observed is not None:
        seen = np.concatenate(observed)
        frames = frames[seen.reshape(len(seen), -1).all(1)]
        frames = frames if len(frames) else np.zeros((1, *frames.shape[1:]), frames.dtype)
    shape = frames.shape[1:] if kind != "index" else (int(frames.max()) + 1,)
    if len(shape) != 1 and name in ("counts", "multinomial", "full_gaussian"):
        raise CounterpointError(
            f"likelihood {name!r} needs frames that are vectors; these have shape {shape}: flatten them"
        )
    if kind == "count" and shape == (1,):
        raise CounterpointError(
            "counts of one column have nothing to learn, for its share of them is always 1; give whole numbers as"
            " symbols, (N, T)"
        )
    total = max(1, round(float(frames.sum()) / len(frames))) if kind == "count" else 1
    grid = _grid(frames, step if told else None) if name == "discretised_gaussian" else (1.0, 0.0)
    if told and name != "discretised_gaussian":
        raise CounterpointError(f"likelihood {likelihood!r}: only discretised_gaussian has a step; leave {told}{step}")
    family = Family(name, shape, total, None, *grid)
    return Facts(family, FAMILIES[name].marginal(frames, family).astype(np.float64))


def _grid(frames: np.ndarray, told: str | None) -> tuple[float, float]:
    """The step of the grid that values lie on, as it was told or as it is found, and one of its points."""
    name, origin = "discretised_gaussian", float(frames.flat[0])
    own = "those of an .npz of your own keep their grid where mean=0 and deviation=1 are saved beside them"
    if told is None:
        step = spacing(frames)
        if step is None:
            raise CounterpointError(
                f"likelihood {name!r}: the values of the training data lie on no common grid; round them to one, or"
                f" name its step where too few of them show it: {name}:0.01; {own}"
            )
        return step, origin
    try:
        step = float(told)
    except ValueError:
        step = 0.0
    if not 0 < step < np.inf:
        raise CounterpointError(f"likelihood '{name}:{told}': the step of the grid is a positive number, such as 0.01")
    beside = ~on_grid(frames, step, origin)
    if beside.any():
        raise CounterpointError(
            f"likelihood '{name}:{told}': the training data have {float(frames[beside][0]):g}, which is not"
            f" {origin:g} and whole steps of {step:g}; name the step that they have; {own}"
        )
    return step, origin
