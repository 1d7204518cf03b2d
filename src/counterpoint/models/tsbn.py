"""The temporal sigmoid belief network of order n."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected
from counterpoint.distributions import Bernoulli, Facts, Family
from counterpoint.errors import at_least


@dataclass(frozen=True)
class TSBNConfig:
    """`units` hidden units, `order` lags, weights drawn from N(0, scale^2).

    The paper draws with scale 0.001; 0.1 leaves the saddle where all units agree sooner.
    """

    name: ClassVar[str] = "tsbn"
    units: int = 100
    order: int = 1
    scale: float = 0.1

    def __post_init__(self):
        at_least(self, 1, "units", "order")

    def build(self, facts: Facts, key) -> "TSBN":
        keys, n = random.split(key, 3), self.order
        units, width, size = self.units, facts.family.width, facts.family.size
        normal = lambda i, *shape: self.scale * random.normal(keys[i], shape)
        return TSBN(
            w1=normal(0, n, units, units),
            w2=normal(1, size, units),
            w3=normal(2, n, units, width),
            w4=jnp.zeros((n, size, width)),
            b=jnp.zeros(units),
            c=jnp.asarray(facts.marginal),
            family=facts.family,
        )


class Past(NamedTuple):
    """What a TSBN remembers: the last n hidden vectors, newest first, and what x_<t adds to the two layers."""

    hidden: Float[Array, "n J"]
    to_hidden: Float[Array, " J"]
    to_visible: Float[Array, " R"]


class TSBN(AbstractDirected):
    """p(h_t = 1 | past) = s(sum_d W1_d h_t-d + W3_d v_t-d + b)      (seed 2, eq. 10)
    p(v_t | h_t, past) = family(W2 h_t + sum_d W4_d v_t-d + c)       (seed 2, eq. 11)

    with lags d = 1 .. n and zeros before the first step. w1 (n, J, J), w2 (R, J), w3 (n, J, M), w4 (n, R, M), where R
    is the number of the likelihood's parameters: M for binary v, 2 M for real v.
    W3 = W4 = 0 is the HMSBN. Its q is `TSBNRecognition`.
    """

    w1: Float[Array, "n J J"]
    w2: Float[Array, "R J"]
    w3: Float[Array, "n J M"]
    w4: Float[Array, "n R M"]
    b: Float[Array, " J"]
    c: Float[Array, " R"]
    family: Family = eqx.field(static=True)

    def memory(self):
        """The last n - 1 frames, oldest first."""
        return jnp.zeros((self.w3.shape[0] - 1, self.w3.shape[2]), self.w3.dtype)

    def embed(self, memory, x):
        """e_t = v_t and what v_t .. v_t-n+1 add to the layers at t + 1."""
        v = jax.vmap(self.family.flatten)(x).astype(self.w3.dtype)
        past = jnp.concatenate([memory, v])
        return past[len(v) :], (v, lagged(self.w3, past), lagged(self.w4, past))

    def features(self, x, e):
        return e[0]

    def initial(self):
        n, units, _ = self.w1.shape
        return Past(jnp.zeros((n, units), self.b.dtype), jnp.zeros_like(self.b), jnp.zeros_like(self.c))

    def advance(self, carry, z, e):
        return Past(jnp.concatenate([z[None], carry.hidden[:-1]]), e[1], e[2])

    def prior(self, carry):
        return Bernoulli(jnp.einsum("dij,dj->i", self.w1, carry.hidden) + carry.to_hidden + self.b)

    def likelihood(self, carry, z):
        return self.family(self.w2 @ z + carry.to_visible + self.c)


def lagged(weights: Float[Array, "n out in"], past: Float[Array, "S in"]) -> Float[Array, "S-n+1 out"]:
    """sum_d W_d v_t+1-d for every t of the T = S - n + 1 newest rows of `past` (n - 1 older rows, then T)."""
    n, length = weights.shape[0], past.shape[0] - weights.shape[0] + 1
    return sum(past[n - 1 - d : n - 1 - d + length] @ weights[d].T for d in range(n))  # pyright: ignore[reportReturnType]
