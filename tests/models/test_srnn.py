"""An SRNN against its equations, written out in NumPy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import stirred
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.inference import Prior
from counterpoint.models import SRNNConfig
from counterpoint.networks import Linear
from counterpoint.rollout import rollout

pytestmark = pytest.mark.usefixtures("x64")

RNG = np.random.default_rng(0)
X = RNG.integers(0, 2, (5, 3)).astype(float)
sigmoid = lambda a: 1 / (1 + np.exp(-a))
softplus = lambda a: np.log1p(np.exp(a))
clipped = lambda a: np.clip(np.where(a > 0, a, a / 3), -3, 3)


def build(cell):
    config = SRNNConfig(latent=2, hidden=4, width=5, depth=2, readout=1, cell=cell)
    return stirred(config.build(facts((X,)), random.key(0)), 1)


def affine(layer, a):
    return np.asarray(layer.weight) @ a + (0 if layer.bias is None else np.asarray(layer.bias))


def network(net, a):
    layers = [layer for layer in net.layers if isinstance(layer, Linear)]
    for layer in layers[:-1]:
        a = clipped(affine(layer, a))
    return affine(layers[-1], a)


def lstm(p, x, state):
    h, c = state
    i, f, g, o = np.split(affine(p.gates, x) + affine(p.cell.recurrent, h), 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(p, x, state):
    h = state[0]
    (r, u, n), (h_r, h_u, h_n) = np.split(affine(p.gates, x), 3), np.split(affine(p.cell.recurrent, h), 3)
    update, new = sigmoid(u + h_u), np.tanh(n + sigmoid(r + h_r) * h_n)
    return ((1 - update) * new + update * h,)


@pytest.mark.parametrize(("cell", "step"), [("lstm", lstm), ("gru", gru)])
def test_a_path_has_the_probability_of_the_equations(cell, step):
    p = build(cell)
    paths = RNG.normal(size=(5, 2))
    run = eqx.filter_jit(
        lambda p, z: rollout(p, Prior(), Batch(X[None], jnp.ones((1, 5), bool)), random.key(0), pathwise=False, z=z)[0]
    )
    trace = run(p, jnp.asarray(paths)[:, None, None])
    d, z = step(p, np.zeros(3), (np.zeros(4), np.zeros(4))), np.zeros(2)  # d_1 has seen x_0 = 0
    for t, (x, new) in enumerate(zip(X, paths)):
        loc, raw = np.split(network(p.to_prior, np.concatenate([z, d[0]])), 2)
        scale = softplus(raw + np.log(np.e - 1)) + 1e-4
        logits = network(p.to_x, np.concatenate([new, d[0]]))
        log_prior = (-0.5 * ((new - loc) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)).sum()
        assert float(trace.log_prior[t, 0, 0]) == pytest.approx(log_prior, abs=1e-9)
        assert float(trace.log_likelihood[t, 0, 0]) == pytest.approx((x * logits - softplus(logits)).sum(), abs=1e-9)
        d, z = step(p, x, d), new


def test_the_carry_knows_d_of_the_next_step_and_features_that_of_this_one():
    p = build("gru")
    memory, e = p.embed(p.memory(), jnp.asarray(X))
    carry = p.initial()
    for t in range(5):
        now = jax.tree.map(lambda a, t=t: a[t], e)
        np.testing.assert_allclose(p.features(X[t], now), np.concatenate([X[t], carry[1].value]), atol=1e-12)
        carry = p.advance(carry, jnp.zeros(2), now)
    np.testing.assert_allclose(carry[1].value, p.cell.output(memory), atol=1e-12)
