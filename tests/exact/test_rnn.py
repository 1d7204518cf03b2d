"""Recurrent networks without latent variables, against loops in NumPy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.bounds import ELBO, IWAE
from counterpoint.core import Batch
from counterpoint.distributions import Facts, Family
from counterpoint.inference import Prior
from counterpoint.models import RNNConfig
from counterpoint.rollout import rollout

pytestmark = pytest.mark.usefixtures("x64")

COINS, PLANE = Family("bernoulli", (3,)), Family("gaussian", (2,))
sigmoid = lambda a: 1 / (1 + np.exp(-a))
bounded = eqx.filter_jit(lambda p, bound, batch: bound(bound.run(p, Prior(), batch, random.key(0))))
scored = eqx.filter_jit(lambda p, batch: rollout(p, Prior(), batch, random.key(0), particles=2)[0].log_likelihood)


def network(family, seed=0, **sizes):
    """A network with all weights away from zero."""
    p = RNNConfig(hidden=4, **sizes).build(Facts(family, np.zeros(family.size)), random.key(0))
    rng, (arrays, rest) = np.random.default_rng(seed), eqx.partition(p, eqx.is_array)
    return eqx.combine(jax.tree.map(lambda a: jnp.asarray(rng.normal(0, 0.7, a.shape)), arrays), rest)


def linear(layer, a):
    return np.asarray(layer.weight) @ a + np.asarray(layer.bias)


def move(kind, cell, gates, state):
    """One step of a cell: its new state (h, c)."""
    (h, c), own = state, linear(cell.recurrent, state[0])
    if kind == "logistic":
        return sigmoid(gates + own), c
    if kind == "gru":
        (r, u, n), (h_r, h_u, h_n) = np.split(gates, 3), np.split(own, 3)
        update = sigmoid(u + h_u)
        return (1 - update) * np.tanh(n + sigmoid(r + h_r) * h_n) + update * h, c
    i, f, g, o = np.split(gates + own, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def states(p, kind, x):
    """h_t for each frame, (T, hidden), from those before it."""
    net, found = p.recurrence, []
    state = [(np.zeros(4), np.zeros(4)) for _ in net.cell.cells]
    for frame in [np.zeros(x.shape[1]), *x[:-1]]:
        gates = linear(net.gates, frame)
        for i, cell in enumerate(net.cell.cells):
            state[i] = move(kind, cell, gates, state[i])
            gates = linear(net.cell.between[i], state[i][0]) if i < len(net.cell.between) else None
        found.append(state[-1][0])
    return np.stack(found)


@pytest.mark.parametrize(("kind", "depth"), [("logistic", 1), ("gru", 1), ("lstm", 2)])
def test_likelihood_is_that_of_a_loop_over_time(kind, depth):
    p = network(COINS, cell=kind, depth=depth)
    x = np.random.default_rng(1).integers(0, 2, (6, 3)).astype(float)
    a = np.stack([linear(p.readout.layers[0], h) for h in states(p, kind, x)])
    want = (x * a - np.log1p(np.exp(a))).sum(1)
    found = scored(p, Batch(jnp.asarray(x)[None], jnp.ones((1, 6), bool)))[:, 0]
    np.testing.assert_allclose(found, np.stack([want, want], 1), atol=1e-10)


def test_real_frames_have_a_mean_and_a_scale_from_the_state():
    p, x = network(PLANE), np.random.default_rng(2).normal(size=(4, 2))
    raw = np.stack([linear(p.readout.layers[0], h) for h in states(p, "logistic", x)])
    scale = np.log1p(np.exp(raw[:, 2:] + np.log(np.expm1(1)))) + 1e-4
    want = (-0.5 * ((x - raw[:, :2]) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)).sum(1)
    found = scored(p, Batch(jnp.asarray(x)[None], jnp.ones((1, 4), bool)))[:, 0, 0]
    np.testing.assert_allclose(found, want, atol=1e-7)


def test_every_bound_is_the_likelihood_of_what_was_seen():
    """The last frame is missing: the likelihood is that of the others."""
    p, x = network(COINS), jnp.asarray(np.random.default_rng(3).integers(0, 2, (1, 4, 3)).astype(float))
    whole = scored(p, Batch(x[:, :3], jnp.ones((1, 3), bool)))[:, 0, 0].sum()
    batch = Batch(x, jnp.ones((1, 4), bool), jnp.asarray([[True, True, True, False]]))
    for bound in (ELBO(2), IWAE(3)):
        assert bounded(p, bound, batch)[0] == pytest.approx(float(whole), abs=1e-10)
