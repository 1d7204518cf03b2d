"""The baseline that always stands in a table: no latent variables, a linear map of the last n frames."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractDirected, Seen
from counterpoint.distributions import Empty, Facts, Family, adding
from counterpoint.errors import CounterpointError, at_least
from counterpoint.networks import lagged


@dataclass(frozen=True)
class AutoregressiveConfig:
    """`order` 0 is the independent baseline: the training marginal, already the best when it is built. With `residual`,
    for real x, W_1 = I + what is learned: it starts as a copy of the last frame."""

    name: ClassVar[str] = "autoregressive"
    order: int = 1
    residual: bool = False

    def __post_init__(self):
        at_least(self, 0, "order")
        if self.residual and not self.order:
            raise CounterpointError("autoregressive: residual adds to the last frame; give an order of at least 1")

    def build(self, facts: Facts, key) -> "Autoregressive":
        family = facts.family
        shape = (self.order, family.width if family.linear else family.size, family.width)
        return Autoregressive(jnp.zeros(shape), jnp.asarray(facts.marginal), family, adding(self.residual, facts))


class Autoregressive(AbstractDirected):
    """p(x_t | x_<t) = family(sum_d W_d x_t-d + c), d = 1 .. n, zeros before the first step (Gan et al. 2015, supp.
    table 1, "AR"). Logistic for binary x, linear with a scale of its own for real x.

    weights (n, R, M), bias (R,); where the first M of the R numbers are a mean, W (n, M, M) moves that alone. z is
    empty: its q is `Prior`, and every bound is the exact log-likelihood of x that is whole; what is missing before the
    end is drawn, and the bound is one below it.
    """

    weights: Float[Array, "n V M"]
    bias: Float[Array, " R"]
    family: Family = eqx.field(static=True)
    residual: bool = eqx.field(static=True, default=False)

    def memory(self):
        """The last n - 1 frames, oldest first."""
        n, _, width = self.weights.shape
        return jnp.zeros((max(n - 1, 0), width), self.bias.dtype)

    def embed(self, memory, x):
        """e_t = what x_t .. x_t-n+1 add to the parameters at t + 1."""
        v = jax.vmap(self.family.flatten)(x).astype(self.bias.dtype)
        past = jnp.concatenate([memory, v])
        added = lagged(self.weights, past, len(v)) + (v if self.residual else 0.0)
        return past[len(v) :], jax.vmap(self.family.moved)(added) if self.family.linear else added

    def features(self, x, e):
        return self.family.flatten(x)

    def initial(self):
        return Seen(jnp.zeros_like(self.bias))

    def advance(self, carry, z, e):
        return Seen(e)

    def prior(self, carry):
        return Empty()

    def likelihood(self, carry, z):
        return self.family(carry.value + self.bias)
