"""The recognition model of the temporal sigmoid belief network."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import Bernoulli, Facts
from counterpoint.errors import CounterpointError
from counterpoint.models.tsbn import TSBN, lagged


@dataclass(frozen=True)
class TSBNRecognitionConfig:
    """Weights drawn from N(0, scale^2); sizes and order are those of the TSBN."""

    name: ClassVar[str] = "tsbn_recognition"
    scale: float = 0.1

    def build(self, p: AbstractDirected, facts: Facts, key) -> "TSBNRecognition":
        if not isinstance(p, TSBN):
            raise refusal(p)
        keys, (n, units, width) = random.split(key, 3), p.w3.shape
        normal = lambda i, *shape: self.scale * random.normal(keys[i], shape)
        return TSBNRecognition(
            normal(0, n, units, units), normal(1, units, width), normal(2, n, units, width), jnp.zeros(units)
        )


class TSBNRecognition(AbstractPosterior):
    """q(h_t = 1 | .) = s(sum_d U1_d h_t-d + U2 v_t + sum_d U3_d v_t-d + d), lags 1 .. n (seed 2, eq. 16).

    u1 (n, J, J), u2 (J, M), u3 (n, J, M), d (J,). All products with v run before the scan.
    """

    u1: Float[Array, "n J J"]
    u2: Float[Array, "J M"]
    u3: Float[Array, "n J M"]
    d: Float[Array, " J"]
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def check(self, p):
        if not isinstance(p, TSBN):
            raise refusal(p)

    def memory(self):
        """The last n frames, oldest first."""
        n, _, width = self.u3.shape
        return jnp.zeros((n, width), self.d.dtype)

    def encode(self, p, memory, x, e, mask):
        v = jax.vmap(p.features)(x, e)
        past = jnp.concatenate([memory, v])
        # lagged() gives row t what the frames up to t add to t + 1: dropping the newest frame shifts it to t
        return past[len(v) :], v @ self.u2.T + lagged(self.u3, past[:-1]) + self.d[None]

    def propose(self, p, carry, context, x, key):
        return direct(Bernoulli(jnp.einsum("dij,dj->i", self.u1, carry.hidden) + context))


def refusal(p) -> CounterpointError:
    return CounterpointError(
        f"tsbn_recognition conditions on h_t-1 .. h_t-n (seed 2, eq. 16), which only a TSBN carries; p is"
        f" {type(p).__name__}: choose q = filtering"
    )
