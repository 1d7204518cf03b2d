"""Families of likelihoods that are linear in statistics of a frame, for sums over many frames at once:

    log p(x | raw) = s(x) . c(raw),      argmax_raw sum_t w_t log p(x_t | raw) = f(sum_t w_t s(x_t))

so the log-likelihoods of all frames under all members are one matrix product, and the weighted maximum likelihood is
another. Missing entries leave the statistics. Each class holds N members, raw (N, R). f is the best within the floors
below, which depend on the frames alone where the weights of a frame sum to one over the members.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from counterpoint.distributions.family import FAMILIES, Family
from counterpoint.distributions.gaussian import LOG_TWO_PI
from counterpoint.distributions.raw import unscaled
from counterpoint.errors import CounterpointError
from counterpoint.numerics import softplus

LEAST_RATE = 1e-6  # of a coin, or of a category
LOWEST = -1e30  # in place of the logarithm of nothing
LEAST_SCALE = 1e-2  # of a Gaussian entry, as a share of its scale over all frames


def joined(count, mask, *parts):
    """One statistic for how many entries were seen, or with a mask one for each entry; then the others."""
    if mask is None:
        return jnp.concatenate([count[..., None], *parts], -1)
    return jnp.concatenate([mask.astype(parts[0].dtype), *(jnp.where(mask, a, 0.0) for a in parts)], -1)


def constant(each, whole: bool):
    """What goes with the count: of all entries, or of each."""
    return each.sum(-1, keepdims=True) if whole else each


class Coins(NamedTuple):
    """log p(x) = sum_i x_i a_i - softplus(a_i): raw is the logits."""

    raw: Float[Array, "N M"]
    family: Family

    def coefficients(self, whole: bool) -> Float[Array, "N S"]:
        return jnp.concatenate([constant(-softplus(self.raw), whole), self.raw], -1)

    def told(self, statistics: Float[Array, "... S"], whole: bool) -> Float[Array, "... N"]:
        """log p(x) of each frame under each member."""
        return statistics @ self.coefficients(whole).T

    def statistics(self, x, mask: Bool[Array, "... M"] | None) -> Float[Array, "... S"]:
        """x (..., *frame), finite where it is missing; mask None: all was seen."""
        x = x.reshape(*x.shape[: x.ndim - len(self.family.shape)], -1)
        return joined(jnp.ones(x.shape[:-1], x.dtype), mask, x)

    def maximum(self, sums: Float[Array, "N S"]) -> Float[Array, "N R"]:
        """The best members; one that nothing was seen of stays."""
        count, first = jnp.split(sums, [sums.shape[1] - self.family.width], 1)
        rate = jnp.clip(first / jnp.maximum(count, 1e-30), LEAST_RATE, 1 - LEAST_RATE)
        return jnp.where(count > 0, jnp.log(rate) - jnp.log1p(-rate), self.raw)


class Indices(NamedTuple):
    """log p(x) = log softmax(a)_x: raw is the logits, -inf for what is impossible, and stays so."""

    raw: Float[Array, "N M"]
    family: Family

    def coefficients(self, whole: bool) -> Float[Array, "N S"]:
        return jax.nn.log_softmax(self.raw)

    def told(self, statistics: Float[Array, "... S"], whole: bool) -> Float[Array, "... N"]:
        # an infinity times zero would be no number
        found = statistics @ jnp.maximum(self.coefficients(whole), LOWEST).T
        return jnp.where(found <= LOWEST, -jnp.inf, found)

    def statistics(self, x, mask: Bool[Array, "..."] | None) -> Float[Array, "... S"]:
        found = jax.nn.one_hot(x, self.raw.shape[1], dtype=self.raw.dtype)
        return found if mask is None else jnp.where(mask[..., None], found, 0.0)

    def maximum(self, sums: Float[Array, "N S"]) -> Float[Array, "N R"]:
        count = sums.sum(1, keepdims=True)
        rate = jnp.maximum(sums / jnp.maximum(count, 1e-30), LEAST_RATE)
        return jnp.where((count > 0) & (self.raw > -jnp.inf), jnp.log(rate), self.raw)


class Normals(NamedTuple):
    """Gaussian entries, in the units of the mixture of all members, so that float32 loses little to x^2: about 1e-7
    (x / sigma)^2 nats an entry."""

    raw: Float[Array, "N R"]
    family: Family

    @property
    def moments(self):
        """loc and scale of the members, centre and unit of their mixture."""
        law = jax.vmap(self.family)(self.raw)
        loc, scale = (a.reshape(len(a), -1) for a in (law.loc, law.scale))  # pyright: ignore[reportAttributeAccessIssue]
        centre = loc.mean(0)
        return loc, scale, centre, jnp.sqrt((scale**2 + (loc - centre[None]) ** 2).mean(0))

    def coefficients(self, whole: bool) -> Float[Array, "N S"]:
        loc, scale, centre, unit = self.moments
        mean, precision = (loc - centre[None]) / unit[None], (unit[None] / scale) ** 2
        each = -0.5 * (precision * mean**2 + LOG_TWO_PI) - jnp.log(scale)
        return jnp.concatenate([constant(each, whole), precision * mean, -0.5 * precision], -1)

    def told(self, statistics: Float[Array, "... S"], whole: bool) -> Float[Array, "... N"]:
        return statistics @ self.coefficients(whole).T

    def statistics(self, x, mask: Bool[Array, "... M"] | None) -> Float[Array, "... S"]:
        *_, centre, unit = self.moments
        x = x.reshape(*x.shape[: x.ndim - len(self.family.shape)], -1)
        axes = (1,) * (x.ndim - 1)
        v = (x - centre.reshape(*axes, -1)) / unit.reshape(*axes, -1)
        return joined(jnp.ones(v.shape[:-1], v.dtype), mask, v, v**2)

    def maximum(self, sums: Float[Array, "N S"]) -> Float[Array, "N R"]:
        _, _, centre, unit = self.moments
        width = self.family.width
        count, first, second = jnp.split(sums, [sums.shape[1] - 2 * width, sums.shape[1] - width], 1)
        moments = lambda count, *sums: [a / jnp.maximum(count, 1e-30) for a in sums]
        mean, square = moments(count, first, second)
        of_all, square_of_all = moments(*(a.sum(0) for a in (count, first, second)))
        least = LEAST_SCALE**2 * jnp.maximum(square_of_all - of_all**2, 1e-6)  # of an entry that never changes: of unit
        scale = unit[None] * jnp.sqrt(jnp.maximum(square - mean**2, least[None]))
        numbers = {
            "gaussian": lambda: unscaled(scale),
            "gaussian_log_std": lambda: jnp.log(scale),
            "gaussian_log_variance": lambda: 2 * jnp.log(scale),
        }[self.family.name]()
        new = jnp.concatenate([centre[None] + unit[None] * mean, numbers], 1)
        seen = jnp.broadcast_to(count > 0, mean.shape)
        return jnp.where(jnp.concatenate([seen, seen], 1), new, self.raw)


EXPONENTIAL = {
    "bernoulli": Coins,
    "categorical": Indices,
    "gaussian": Normals,
    "gaussian_log_std": Normals,
    "gaussian_log_variance": Normals,
}


def exponential(family: Family, raw: Float[Array, "N R"]) -> Coins | Indices | Normals:
    """N members of a family, raw (N, R). Raises CounterpointError for a family that is none of EXPONENTIAL."""
    if family.name not in EXPONENTIAL:
        known = ", ".join(name for name in FAMILIES if name in EXPONENTIAL)
        raise CounterpointError(
            f"the best likelihood is known in closed form where it is {known}; this one is {family.name}: choose"
            " another likelihood, or estimator = score_function"
        )
    return EXPONENTIAL[family.name](raw, family)
