"""The recognition model of the temporal sigmoid belief network."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import random

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import Bernoulli, Facts, layered
from counterpoint.errors import CounterpointError
from counterpoint.models.tsbn import TSBN, Given
from counterpoint.networks import Layer, lagged, layer


@dataclass(frozen=True)
class TSBNRecognitionConfig:
    """Weights drawn from N(0, scale^2); sizes, order and biases of a first step are those of the TSBN."""

    name: ClassVar[str] = "tsbn_recognition"
    scale: float = 0.01

    def build(self, p: AbstractDirected, facts: Facts, key) -> "TSBNRecognition":
        if not isinstance(p, TSBN):
            raise refusal(p)
        keys, under, parts = random.split(key, len(p.hidden)), p.family.width, []
        for k, part in zip(keys, p.hidden):
            units, first = len(part.bias), part.first is not None
            parts.append(layer(k, self.scale, units, p.order, now=under, across=units, below=under, first=first))
            under = units
        return TSBNRecognition(tuple(parts))


class TSBNRecognition(AbstractPosterior):
    """q(h_t = 1 | .) = s(sum_d U1_d h_t-d + U2 v_t + sum_d U3_d v_t-d + d), lags 1 .. n (Gan's slides, eq. 16).

    For several layers bottom-up, each from the one under it (Gan et al. 2015, supp. C), h^0 = v:

    q(h^l_t = 1 | .) = s(now h^l-1_t + sum_d across_d h^l_t-d + below_d h^l-1_t-d + bias)

    layers: lowest first, `now` (J_l, J_l-1), `across` (n, J_l, J_l), `below` (n, J_l, J_l-1). All products with v run
    before the scan.
    """

    layers: tuple[Layer, ...]
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    @property
    def order(self) -> int:
        """Lags."""
        return len(self.layers[0].across)

    def check(self, p):
        if not isinstance(p, TSBN):
            raise refusal(p)

    def memory(self):
        """The last n frames, oldest first."""
        return jnp.zeros((self.order, self.layers[0].now.shape[1]), self.layers[0].bias.dtype)

    def encode(self, p, memory, x, e, mask):
        v, lowest = jax.vmap(p.features)(x, e), self.layers[0]
        past = jnp.concatenate([memory, v])
        # lagged() gives row t what the frames up to t add to t + 1: dropping the newest frame shifts it to t
        return past[len(v) :], v @ lowest.now.T + lagged(lowest.below, past[:-1], len(v))

    def propose(self, p, carry, context, x, key):
        under, start = (None, *carry.hidden[:-1]), carry.seen.value.start
        past = [part.past(own, u, start) for part, own, u in zip(self.layers, carry.hidden, under)]
        laws = [Bernoulli(past[0] + context), *(Given(part.now, a) for part, a in zip(self.layers[1:], past[1:]))]
        return direct(layered(*laws, order=range(len(laws))))


def refusal(p) -> CounterpointError:
    return CounterpointError(
        f"tsbn_recognition conditions on h_t-1 .. h_t-n (Gan's slides, eq. 16), which only a TSBN carries; p is"
        f" {type(p).__name__}: choose q = filtering"
    )
