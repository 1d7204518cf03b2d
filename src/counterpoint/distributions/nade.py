"""Bernoulli variables that depend on one another, in a fixed order."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from counterpoint import draws
from counterpoint.core import AbstractDistribution
from counterpoint.numerics import softplus
from counterpoint.support import BINARY, Support


class NADE(AbstractDistribution):
    """p(x) = prod_i p(x_i | x_<i),  p(x_i = 1 | x_<i) = s(b_i + V_i s(a_i)),  a_1 = c,  a_i+1 = a_i + W_i x_i

    the neural autoregressive distribution estimator (Larochelle and Murray 2011): exact, M J operations.

    weight W (M, J) from each entry, readout V (M, J) to each, bias b (M,) of the entries, start c (J,) of the hidden
    units (the paper's letters; an RBM here has b and c the other way round). An event is a vector (M,) of
    0.0 and 1.0. `like` makes members that share W and V and have their own b and c, one after the other in `raw`.
    """

    weight: Float[Array, "M J"]
    readout: Float[Array, "M J"]
    bias: Float[Array, " M"]
    start: Float[Array, " J"]
    pathwise: ClassVar[bool] = False
    support: ClassVar[Support] = BINARY  # pyright: ignore[reportIncompatibleMethodOverride]

    def follow(self, choose, *entries):
        """From the first entry to the last: choose(logit_i, ...) gives x_i, where ... is of each of `entries`. Returns
        the logits and x, (M,) each. A gradient keeps a at the first entry of each of sqrt(M) blocks, and finds those
        within anew: 2 times as fast at M = 88."""

        def step(a, now):
            weight, readout, bias, *own = now
            logit = bias + readout @ jax.nn.sigmoid(a)
            x = choose(logit, *own)
            return a + weight * x, (logit, x)

        count = self.bias.size
        side = math.isqrt(count - 1) + 1
        full = side * -(-count // side)  # what is put after the last entry adds 0 to a
        block = lambda v: jnp.pad(v, [(0, full - count), *[(0, 0)] * (v.ndim - 1)]).reshape(-1, side, *v.shape[1:])
        blocks = jax.tree.map(block, (self.weight, self.readout, self.bias, *entries))
        within = jax.checkpoint(lambda a, now: lax.scan(jax.checkpoint(step), a, now))
        return jax.tree.map(lambda v: v.reshape(full)[:count], lax.scan(within, self.start, blocks)[1])

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """Uniform numbers."""
        return draws.uniform(key, self.bias.shape, self.bias.dtype)

    def drawn(self, noise):
        return self.follow(lambda logit, u: (u < jax.nn.sigmoid(logit)).astype(logit.dtype), noise)[1]

    def log_prob(self, value, observed=None):
        """With `observed`, sum over what was observed of log p(x_i | x_<i), for a value that `complete` made whole. Its
        exponential has the marginal of what was observed for its mean over such draws: that sum itself is over 2^n
        terms for n missing entries."""
        logits, _ = self.follow(lambda logit, x: x, jnp.asarray(value, self.bias.dtype))
        each = value * logits - softplus(logits)
        return (each if observed is None else jnp.where(observed, each, 0.0)).sum()

    def complete(self, key, value, observed):
        """Missing entries drawn in order, each given those before it, seen or drawn."""

        def choose(logit, u, x, seen):
            return jnp.where(seen, x, (u < jax.nn.sigmoid(logit)).astype(logit.dtype))

        return self.follow(choose, self.noise(key), jnp.asarray(value, self.bias.dtype), observed)[1]

    @property
    def mean(self):
        """Of each entry given the means of those before it; the mean itself is over 2^M events."""
        return jax.nn.sigmoid(self.follow(lambda logit: jax.nn.sigmoid(logit))[0])

    @property
    def size(self):
        return self.bias.size + self.start.size

    def like(self, raw):
        """raw = [b, c]."""
        return NADE(self.weight, self.readout, *jnp.split(raw, [self.bias.size]))
