"""The recognition model of the deep temporal sigmoid belief network with deterministic middle layers."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import lax, random

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import Bernoulli, Facts
from counterpoint.errors import CounterpointError
from counterpoint.models.dtsbn_d import DTSBND
from counterpoint.networks import Layer, lagged, layer, shift


@dataclass(frozen=True)
class DTSBNDRecognitionConfig:
    """Weights drawn from N(0, scale^2); sizes, order and biases of a first step are those of the DTSBN-D."""

    name: ClassVar[str] = "dtsbn_d_recognition"
    scale: float = 0.01

    def build(self, p: AbstractDirected, facts: Facts, key) -> "DTSBNDRecognition":
        if not isinstance(p, DTSBND):
            raise refusal(p)
        keys, under, parts = random.split(key, len(p.middle) + 1), p.family.width, []
        shared = {"order": p.order, "first": p.top.first is not None}
        for k, part in zip(keys, p.middle):
            units = len(part.bias)
            parts.append(layer(k, self.scale, units, now=under, across=units, below=under, **shared))
            under = units
        units = len(p.top.bias)
        return DTSBNDRecognition(tuple(parts), layer(keys[-1], self.scale, units, now=under, across=units, **shared))


class DTSBNDRecognition(AbstractPosterior):
    """g_t = relu(U5 v_t + sum_d U4_d g_t-d + U6_d v_t-d + c2)
    q(z_t = 1 | .) = s(U2 g_t + sum_d U1_d z_t-d + c1),   lags 1 .. n      (Gan et al. 2015, supp. C)

    More rectified layers stand between, each over the one under it. They are functions of v alone, so they run before
    the scan that draws z. middle: lowest first, `now` (K_l, K_l-1), `across` (n, K_l, K_l), `below` (n, K_l, K_l-1).
    """

    middle: tuple[Layer, ...]
    top: Layer
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    @property
    def order(self) -> int:
        """Lags."""
        return len(self.top.across)

    def check(self, p):
        if not isinstance(p, DTSBND):
            raise refusal(p)

    def memory(self):
        """The last n frames, oldest first; the last n states of each rectified layer, newest first; 1 at the start."""
        dtype = self.top.bias.dtype
        frames = jnp.zeros((self.order, self.middle[0].now.shape[1]), dtype)
        return (
            frames,
            tuple(jnp.zeros((self.order, len(part.bias)), dtype) for part in self.middle),
            jnp.ones((), dtype),
        )

    def encode(self, p, memory, x, e, mask):
        frames, lags, start = memory
        v, lowest = jax.vmap(p.features)(x, e), self.middle[0]
        past = jnp.concatenate([frames, v])
        drive = v @ lowest.now.T + lagged(lowest.below, past[:-1], len(v))

        def step(loop, drive):
            lags, start = loop
            under, new = None, []
            for part, own in zip(self.middle, lags):
                a = part.past(own, None if under is None else lags[len(new) - 1], start)
                under = jax.nn.relu(a + (drive if under is None else part.now @ under))
                new.append(under)
            return (tuple(map(shift, lags, new)), jnp.zeros_like(start)), under

        (lags, start), highest = lax.scan(step, (lags, start), drive)
        return (past[len(v) :], lags, start), highest @ self.top.now.T

    def propose(self, p, carry, context, x, key):
        return direct(Bernoulli(self.top.past(carry.top, None, carry.seen.value.start) + context))


def refusal(p) -> CounterpointError:
    return CounterpointError(
        f"dtsbn_d_recognition conditions on the top layer of a DTSBN-D (Gan et al. 2015, supp. C); p is"
        f" {type(p).__name__}: choose q = filtering"
    )
