"""The factored conditional RBM: connections that a style of the last frames gates."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import Seen
from counterpoint.distributions import Facts
from counterpoint.errors import at_least
from counterpoint.models.conditional import AbstractStepwise, Biases
from counterpoint.models.rbm import RBM, rbm
from counterpoint.networks import Factored, factored


@dataclass(frozen=True)
class FCRBMConfig:
    """`units` hidden units, `factors` of each product, `styles` and `order` lags. Entries of a product have about
    standard deviation `scale` at first; visible biases start at the training marginal's."""

    name: ClassVar[str] = "fcrbm"
    units: int = 100
    factors: int = 100
    styles: int = 4
    order: int = 3
    scale: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units", "factors", "styles", "order")
        at_least(self, 0, "scale")

    def build(self, facts: Facts, key) -> "FCRBM":
        keys, width = random.split(key, 5), facts.family.width
        past = self.order * width
        make = lambda key, rows, columns: factored(key, self.scale, rows, self.factors, columns, self.styles)
        machine = rbm(self.name, self.units, self.scale, facts, keys[0])
        machine = eqx.tree_at(lambda m: m.weights, machine, make(keys[1], self.units, width))
        style = self.scale * random.normal(keys[2], (self.styles, past))
        hidden, visible = make(keys[3], self.units, past), make(keys[4], width, past)
        return FCRBM(machine, hidden, visible, style, jnp.zeros(self.styles))


class FCRBM(AbstractStepwise):
    """E_t(x, z) = -z' W(y_t) x - b_t'z - c_t'x, or for real x as an RBM has it
    W(y) = U diag(G y) V,   b_t = b + B(y_t) p_t,   c_t = c + A(y_t) p_t
    y_t = softmax(R p_t + r),   p_t = (x_t-n, .., x_t-1), zeros before the first step
    log p(x_1:T) = sum_t -F_t(x_t) - log Z_t,   F_t(x) = -log sum_z exp(-E_t(x, z))
    (Taylor and Hinton 2009)

    A and B are of the same form as W, each with factors and gates of its own. There y are labels of style, given with
    the data, and features that a matrix makes of them gate the factors; that matrix stands within G here. Labels cannot
    be given here: ours is a soft label that the past gives, y_t. With one style it is a CRBM of matrices of rank F.

    machine: the RBM with b (J,), c (M,) and the W that awaits a y, U (J, F), G (F, S), V (F, M); to_hidden B and
    to_visible A, whose factors are (J, F) and (M, F), their gates (F, S), and (F, n M); style R (S, n M), bias r (S,).
    nats.
    """

    machine: RBM
    to_hidden: Factored
    to_visible: Factored
    style: Float[Array, "S past"]
    bias: Float[Array, " S"]

    def memory(self):
        """p_1: the last n frames, oldest first."""
        width = self.machine.visible.size
        return jnp.zeros((self.style.shape[1] // width, width), self.style.dtype)

    def embed(self, memory, x):
        frames = jax.vmap(jnp.ravel)(x).astype(memory.dtype)
        past, n = jnp.concatenate([memory, frames]), len(memory)
        windows = jnp.stack([past[1 + i : 1 + i + len(frames)] for i in range(n)], 1)
        return past[len(frames) :], jax.vmap(self.made)(windows)

    def made(self, past: Float[Array, "n M"]) -> tuple[Float[Array, " S"], Biases]:
        """y and what the past adds to the biases."""
        p = jnp.ravel(past)
        y = jax.nn.softmax(self.style @ p + self.bias)
        return y, Biases(self.to_hidden.chosen(y) @ p, self.to_visible.chosen(y) @ p)

    def initial(self):
        return Seen(self.made(self.memory()))

    def advance(self, carry, z, e):
        return Seen(e)

    def at(self, carry):
        y, biases = carry.value
        machine = eqx.tree_at(lambda m: m.weights, self.machine, self.machine.weights.chosen(y))
        return machine.moved(*biases)

    def example(self):
        return self.machine.example()
