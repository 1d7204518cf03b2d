"""Recurrent cells whose input product is taken apart from the recurrence.

`project` maps inputs to gates and can run over all t at once, before the scan; several projections add up. What is
left in the scan is one product, with the previous state.
"""

import itertools
from collections.abc import Callable
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.networks.linear import Linear


class GRU(eqx.Module):
    """h' = (1 - u) n + u h,  r, u = s(g_r, g_u),  n = tanh(i_n + r h_n)   (Cho et al. 2014).

    State (hidden,); gates 3 * hidden.
    """

    recurrent: Linear
    hidden: int = eqx.field(static=True)

    def __init__(self, hidden: int, *, key):
        self.recurrent = Linear(hidden, 3 * hidden, key=key)
        self.hidden = hidden

    @property
    def gates(self) -> int:
        return 3 * self.hidden

    def initial(self):
        return jnp.zeros(self.hidden)

    def output(self, state) -> Float[Array, " hidden"]:
        return state

    def __call__(self, gates: Float[Array, " gates"], state):
        r, u, n = jnp.split(gates, 3)
        h_r, h_u, h_n = jnp.split(self.recurrent(state), 3)
        update = jax.nn.sigmoid(u + h_u)
        new = jnp.tanh(n + jax.nn.sigmoid(r + h_r) * h_n)
        return new + update * (state - new)


class LSTM(eqx.Module):
    """c' = f c + i g,  h' = o tanh(c')   (Hochreiter and Schmidhuber 1997, forget gate with bias 1).

    State (h, c), each (hidden,); gates 4 * hidden.
    """

    recurrent: Linear
    hidden: int = eqx.field(static=True)

    def __init__(self, hidden: int, *, key):
        linear = Linear(hidden, 4 * hidden, key=key)
        forget = jnp.zeros(4 * hidden).at[hidden : 2 * hidden].set(1.0)
        self.recurrent = eqx.tree_at(lambda layer: layer.bias, linear, forget)
        self.hidden = hidden

    @property
    def gates(self) -> int:
        return 4 * self.hidden

    def initial(self):
        return jnp.zeros(self.hidden), jnp.zeros(self.hidden)

    def output(self, state) -> Float[Array, " hidden"]:
        return state[0]

    def __call__(self, gates: Float[Array, " gates"], state):
        h, c = state
        i, f, g, o = jnp.split(gates + self.recurrent(h), 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c


class Elman(eqx.Module):
    """h' = f(g + U h), f logistic (Gan's slides, eq. 3) or tanh. State (hidden,); gates hidden."""

    recurrent: Linear
    hidden: int = eqx.field(static=True)
    activation: Callable = eqx.field(static=True)

    def __init__(self, activation: Callable, hidden: int, *, key):
        self.recurrent = Linear(hidden, hidden, key=key)
        self.hidden, self.activation = hidden, activation

    @property
    def gates(self) -> int:
        return self.hidden

    def initial(self):
        return jnp.zeros(self.hidden)

    def output(self, state) -> Float[Array, " hidden"]:
        return state

    def __call__(self, gates: Float[Array, " gates"], state):
        return self.activation(gates + self.recurrent(state))


CELLS = {
    "gru": GRU,
    "lstm": LSTM,
    "logistic": partial(Elman, jax.nn.sigmoid),
    "tanh": partial(Elman, jnp.tanh),
}


def clipped(a):
    """The leaky rectifier of slope 1/3, clipped at -3 and 3 (Fraccaro et al. 2016, supp.)."""
    return jnp.clip(jax.nn.leaky_relu(a, 1 / 3), -3.0, 3.0)


ACTIVATIONS = {"relu": jax.nn.relu, "clipped": clipped, "tanh": jnp.tanh}


def mlp(sizes: tuple[int, ...], *, key, activation=jax.nn.relu, last=None, bias=None) -> eqx.nn.Sequential:
    """Linear layers of the given sizes with `activation` between and `last` (or nothing) at the end.

    `bias`, where given, is the last layer's first bias, and its weights start a tenth as large: the network begins
    at that output.
    """
    layers = []
    pairs = list(itertools.pairwise(sizes))
    for i, (inputs, outputs) in enumerate(pairs):
        linear = Linear(inputs, outputs, key=random.fold_in(key, i))
        end = i == len(pairs) - 1
        if end and bias is not None:
            linear = eqx.tree_at(lambda n: (n.weight, n.bias), linear, (0.1 * linear.weight, jnp.asarray(bias)))
        layers.append(linear)
        follows = last if end else activation
        layers += [] if follows is None else [eqx.nn.Lambda(follows)]
    return eqx.nn.Sequential(layers)
