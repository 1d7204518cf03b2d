"""The spike-and-slab RBM."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.distributions import Facts, SpikeSlab
from counterpoint.distributions.gaussian import LOG_TWO_PI
from counterpoint.errors import CounterpointError, at_least
from counterpoint.models.machine import AbstractMachine
from counterpoint.numerics import softplus, unsoftplus


@dataclass(frozen=True)
class SSRBMConfig:
    """`units` hidden units. Weights are drawn from N(0, scale^2); slabs start at mean 1 and about this `precision`,
    visible biases at the training marginal's."""

    name: ClassVar[str] = "ssrbm"
    units: int = 100
    scale: float = 0.01
    precision: float = 10.0

    def __post_init__(self):
        at_least(self, 1, "units")
        at_least(self, 0, "scale")
        if not self.precision > 0:
            raise CounterpointError(f"ssrbm: precision is {self.precision}; give a number above 0")

    def build(self, facts: Facts, key) -> "SSRBM":
        return ssrbm(self.name, self.units, self.scale, facts, key, self.precision)


def ssrbm(name: str, units: int, scale: float, facts: Facts, key, precision: float = 10.0) -> "SSRBM":
    """One as it starts, for the model of that name. Raises CounterpointError where frames are not real."""
    family = facts.family
    if family.name != "gaussian":
        raise CounterpointError(
            f"{name}: slabs are made for real frames, and likelihood {family.name!r} has none: choose data scaled to"
            " variance 1, or units without slabs"
        )
    weights = scale * random.normal(key, (units, family.width))
    visible = jnp.asarray(facts.marginal[: family.width].reshape(family.shape), weights.dtype)
    raw = unsoftplus(jnp.full(units, precision))
    return SSRBM(weights, jnp.zeros(units), visible, jnp.ones(units), raw, jnp.zeros_like(visible))


class SSRBM(AbstractMachine):
    """z_j = h_j s_j, a spike h_j of 0 or 1 and a slab s_j ~ N(mu_j, 1 / alpha_j):
    E(x, h, s) = |(x - c) / sigma|^2 / 2 + sum_j [alpha_j (s_j - mu_j)^2 / 2 - log(alpha_j / (2 pi)) / 2 - h_j (b_j +
    s_j a_j)],   a = W(x / sigma)
    F(x) = |(x - c) / sigma|^2 / 2 - sum_j softplus(b_j + mu_j a_j + a_j^2 / (2 alpha_j))
    p(h_j = 1 | x) = s(b_j + mu_j a_j + a_j^2 / (2 alpha_j)),   p(s_j | x, h_j = 1) = N(mu_j + a_j / alpha_j, 1 /
    alpha_j),   p(x | z) = N(c + sigma W'z, sigma^2)
    (Courville, Bergstra and Bengio 2011, with slabs of mean mu)

    Slabs are integrated out where their spike is 0, so that z is all there is. mu = 1 and alpha without end is the RBM
    over real frames, whose sigma this has. Ours:

        alpha_j = softplus(raw_j) + sum_k |W_j W_k'|

    for exp(-F) has an integral only where I - sum_j h_j W_j' W_j / alpha_j is positive definite for every h, and by
    Gershgorin's theorem so it always is; there the paper bounds x, or learns with a penalty.
    """

    weights: Float[Array, "J M"]
    hidden: Float[Array, " J"]
    visible: Float[Array, "*frame"]
    slab: Float[Array, " J"]
    raw: Float[Array, " J"]
    spread: Float[Array, "*frame"]

    @property
    def precision(self) -> Float[Array, " J"]:
        """alpha."""
        return softplus(self.raw) + jnp.abs(self.weights @ self.weights.T).sum(1)

    def log_odds(self, a):
        return self.hidden + self.slab * a + 0.5 * a**2 / self.precision

    def given(self, a):
        precision = self.precision
        return SpikeSlab(self.log_odds(a), self.slab + a / precision, 1 / jnp.sqrt(precision))

    def hidden_free_energy(self, z):
        """(h and s as one z: log p is a density where z_j is not 0.)"""
        precision = self.precision
        slab = 0.5 * (jnp.log(precision) - LOG_TWO_PI - precision * (z - self.slab) ** 2)
        return self.frame_free_energy(z) - jnp.where(z == 0, 0.0, self.hidden + slab).sum()

    def state_free_energy(self, on):
        """-log of the integral over x and all slabs, a Gaussian one of precision diag(alpha) - H W W' H."""
        precision, loc, sigma = self.precision, self.slab, self.deviation
        gram = jnp.outer(on, on) * (self.weights @ self.weights.T)
        lower = jnp.linalg.cholesky(jnp.diag(precision) - gram)
        shift = precision * loc + on * (self.weights @ jnp.ravel(self.visible / sigma))
        white = jax.scipy.linalg.solve_triangular(lower, shift, lower=True)
        volume = 0.5 * jnp.log(precision).sum() - jnp.log(jnp.diag(lower)).sum()
        frames = 0.5 * self.visible.size * LOG_TWO_PI + jnp.log(sigma).sum()
        return -(on @ self.hidden + frames + volume + 0.5 * (white @ white - precision @ loc**2))

    def strict(self):
        return self
