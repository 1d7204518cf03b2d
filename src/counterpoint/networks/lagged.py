"""Layers that look back a fixed number of steps: what temporal sigmoid belief networks are made of."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float


class Layer(eqx.Module):
    """a_t = now y_t + sum_d (across_d s_t-d + below_d u_t-d) + bias, and + first at t = 1,   lags d = 1 .. n

    s is the layer itself, y its neighbour at the same time, u the layer under it. A connection that is None is not
    there; with n = 0 none looks back. now (out, in), across (n, out, out), below (n, out, under).
    """

    now: Any
    across: Any
    below: Any
    bias: Float[Array, " out"]
    first: Float[Array, " out"] | None = None

    def past(self, own: Float[Array, "n out"], under: Float[Array, "n under"] | None, start) -> Float[Array, " out"]:
        """All but the neighbour's share; lags newest first, `start` 1 at the first step and 0 after it."""
        a = self.constant(start)
        if self.across is not None:
            a = a + back(self.across, own)
        return a if self.below is None or under is None else a + back(self.below, under)

    def constant(self, start) -> Float[Array, " out"]:
        """The bias of a step."""
        return self.bias if self.first is None else self.bias + start * self.first


def layer(key, scale: float, out: int, order: int, *, now=0, across=0, below=0, bias=None, first=False) -> Layer:
    """Weights from N(0, scale^2); the widths of what is connected, 0 for no connection; bias 0 where none is given."""
    keys = random.split(key, 3)
    shapes = ((out, now), (order, out, across), (order, out, below))
    one, two, three = (scale * random.normal(k, shape) if shape[-1] else None for k, shape in zip(keys, shapes))
    bias = jnp.zeros(out) if bias is None else jnp.asarray(bias)
    return Layer(one, two, three, bias, jnp.zeros(out) if first else None)


def back(weights: Float[Array, "n out in"], lags: Float[Array, "n in"]) -> Float[Array, " out"]:
    """sum_d W_d u_t-d for one t; lags newest first."""
    return sum((u @ w.T for w, u in zip(weights, lags)), start=jnp.zeros(weights.shape[1], weights.dtype))


def shift(lags: Float[Array, "n in"], new: Float[Array, " in"]) -> Float[Array, "n in"]:
    """The newest comes first, the oldest falls off."""
    return jnp.concatenate([new[None], lags])[: len(lags)]


def lagged(weights: Float[Array, "n out in"], past: Float[Array, "S in"], length: int) -> Float[Array, "T out"]:
    """sum_d W_d u_t+1-d for each of the T = `length` newest rows of `past` (n - 1 older rows, then T).

    One product for all lags; what is shifted is its result.
    """
    n, out, width = weights.shape
    each = (past @ weights.reshape(n * out, width).T).reshape(len(past), n, out)
    start = len(past) - length
    rows = [each[start - d : start - d + length, d] for d in range(n)]
    return sum(rows, start=jnp.zeros((length, out), weights.dtype))
