"""Deep temporal sigmoid belief networks against their equations, path by path, in plain NumPy."""

import dataclasses
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.distributions import Family, facts
from counterpoint.errors import CounterpointError
from counterpoint.inference import DTSBNDRecognition, PriorConfig, TSBNRecognition
from counterpoint.models import DTSBND, TSBN, DTSBNDConfig, TSBNConfig
from counterpoint.networks import Layer
from counterpoint.rollout import rollout
from exact.cases import log_marginal, mk, score_paths, whole

pytestmark = pytest.mark.usefixtures("x64")

X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def log_coins(a, value):
    return float(np.sum(value * a - np.logaddexp(0, a)))


def part(seed, out, order, now=0, across=0, below=0, first=False):
    make = lambda i, *shape: mk(shape, seed + 31 * i, 1.1) if shape[-1] else None
    extra = mk(out, seed + 17, 0.8) if first else None
    return Layer(
        make(1, out, now), make(2, order, out, across), make(3, order, out, below), mk(out, seed + 7, 0.5), extra
    )


def deep(units, order, first=False, sees=True):
    """p and q of a TSBN with these layers, lowest first."""
    widths, seen = (2, *units, 0), 2 if sees else 0
    hidden = tuple(
        part(100 * i, n, order, widths[i + 2], n, widths[i] if i else seen, first) for i, n in enumerate(units)
    )
    p = TSBN(hidden, part(900, 2, order, units[0], 0, seen, first), Family("bernoulli", (2,)))
    rise = tuple(part(100 * i + 50, n, order, widths[i], n, widths[i], first) for i, n in enumerate(units))
    return p, TSBNRecognition(rise)


def paths(units, length):
    """Every way to set all units of all layers at all steps: a tuple of (N, T, J_l)."""
    flat = np.array(list(itertools.product([0.0, 1.0], repeat=sum(units) * length)))
    rows = flat.reshape(len(flat), length, sum(units))
    return tuple(np.split(rows, np.cumsum(units)[:-1], axis=2))


def logits(layer, near, own, under, t):
    """a_t of the docstring, term by term; `own` and `under` are whole sequences."""
    a = np.array(layer.bias) + (np.array(layer.first) if layer.first is not None and t == 0 else 0)
    if layer.now is not None:
        a = a + np.asarray(layer.now) @ near
    for d in range(1, 1 + max(0 if w is None else len(w) for w in (layer.across, layer.below))):
        if t - d >= 0 and layer.across is not None:
            a = a + np.asarray(layer.across[d - 1]) @ own[t - d]
        if t - d >= 0 and layer.below is not None:
            a = a + np.asarray(layer.below[d - 1]) @ under[t - d]
    return a


def by_loops(p, q, x, z):
    """log p(x, z) and log q(z | x) of one path, a tuple of (T, J_l)."""
    joint = guess = 0.0
    states, depth = (x, *z), len(z)
    for t in range(len(x)):
        for i, layer in enumerate(p.hidden, 1):
            near = states[i + 1][t] if i < depth else None
            joint += log_coins(logits(layer, near, states[i], states[i - 1], t), states[i][t])
        joint += log_coins(logits(p.visible, z[0][t], None, x, t), x[t])
        for i, layer in enumerate(q.layers, 1):
            guess += log_coins(logits(layer, states[i - 1][t], states[i], states[i - 1], t), states[i][t])
    return joint, guess


CASES = {
    "static": ((3,), 0, 1, {}),
    "hmsbn of two layers": ((2, 1), 1, 2, {"sees": False}),
    "three layers": ((2, 1, 1), 1, 2, {}),
    "three layers with first steps": ((1, 1, 2), 1, 2, {"first": True}),
    "two layers of order 2": ((1, 2), 2, 3, {}),
    "two layers of order 3, longer than the sequence": ((1, 1), 3, 3, {"first": True}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_path_has_the_probability_of_the_equations(case):
    units, order, length, more = CASES[case]
    p, q = deep(units, order, **more)
    z = paths(units, length)
    event = z if len(units) > 1 else z[0]
    trace = jax.jit(lambda p, q: score(p, q, X[:length], event))(p, q)
    want = np.array([by_loops(p, q, X[:length], [a[i] for a in z]) for i in range(0, len(z[0]), 7)])
    np.testing.assert_allclose((trace.log_prior + trace.log_likelihood).sum(0)[0, ::7], want[:, 0], atol=1e-10)
    np.testing.assert_allclose(trace.log_q.sum(0)[0, ::7], want[:, 1], atol=1e-10)
    assert jnp.exp(trace.log_q.sum(0)).sum() == pytest.approx(1, abs=1e-10)


def score(p, q, x, event):
    """Every path as a particle."""
    z = jax.tree.map(lambda a: jnp.moveaxis(jnp.asarray(a), 0, 1)[:, None], event)
    count = len(jax.tree.leaves(event)[0])
    return rollout(p, q, whole(x), random.key(0), particles=count, pathwise=False, z=z)[0]


@pytest.mark.slow
def test_a_deep_model_is_a_distribution_over_what_is_seen():
    p, q = deep((1, 1, 1), 2, first=True)
    z = paths((1, 1, 1), 2)
    every = [np.array(v).reshape(2, 2) for v in itertools.product([0.0, 1.0], repeat=4)]
    log_p = jax.jit(lambda x: log_marginal(score(p, q, x, z)))
    total = sum(np.exp(log_p(x)) for x in every)
    assert total == pytest.approx(1, abs=1e-10)


def deterministic(middle, top, order, first=False):
    widths = (2, *middle, top)
    rise = lambda seed: tuple(
        part(seed + 100 * i, n, order, widths[i + 2] if seed < 500 else widths[i], n, widths[i], first)
        for i, n in enumerate(middle)
    )
    p = DTSBND(
        rise(0),
        part(300, top, order, 0, top, 0, first),
        part(400, 2, order, middle[0], 0, 2, first),
        Family("bernoulli", (2,)),
    )
    return p, DTSBNDRecognition(rise(500), part(800, top, order, middle[-1], top, 0, first))


def deterministic_by_loops(p, q, x, z):
    length, depth = len(x), len(p.middle)
    down = [np.zeros((length, len(layer.bias))) for layer in p.middle]
    up = [np.zeros((length, len(layer.bias))) for layer in q.middle]
    joint = guess = 0.0
    for t in range(length):
        joint += log_coins(logits(p.top, None, z, None, t), z[t])
        for i in range(depth - 1, -1, -1):
            near = z[t] if i == depth - 1 else down[i + 1][t]
            down[i][t] = np.maximum(0, logits(p.middle[i], near, down[i], down[i - 1] if i else x, t))
        joint += log_coins(logits(p.visible, down[0][t], None, x, t), x[t])
        for i in range(depth):
            under = up[i - 1] if i else x
            up[i][t] = np.maximum(0, logits(q.middle[i], under[t], up[i], under, t))
        guess += log_coins(logits(q.top, up[-1][t], z, None, t), z[t])
    return joint, guess


@pytest.mark.parametrize(("middle", "order", "first"), [((3,), 1, False), ((3,), 2, True), ((2, 3), 2, False)])
def test_deterministic_middle_layers_follow_the_equations(middle, order, first):
    p, q = deterministic(middle, 2, order, first)
    (z,) = paths((2,), 3)
    trace = jax.jit(lambda p, q: score_paths(p, q, X, z))(p, q)
    want = np.array([deterministic_by_loops(p, q, X, z[i]) for i in range(0, len(z), 3)])
    np.testing.assert_allclose((trace.log_prior + trace.log_likelihood).sum(0)[0, ::3], want[:, 0], atol=1e-10)
    np.testing.assert_allclose(trace.log_q.sum(0)[0, ::3], want[:, 1], atol=1e-10)
    assert jnp.exp(trace.log_q.sum(0)).sum() == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("config", [TSBNConfig(units=(3, 2)), DTSBNDConfig(units=(3, 2))])
def test_the_dictionary_is_what_units_of_the_lowest_layer_add(config):
    known = facts((np.random.default_rng(0).normal(size=(4, 5)),), "real")
    p = config.build(known, random.key(1))
    words = p.dictionary()
    assert words.shape == (10, 3)  # means and scales of 5 numbers
    z = jax.tree.map(jnp.ones_like, p.example())
    lowest = p.rise(p.initial(), z)[0] if p.determined else jnp.ones(3)
    raised = p.likelihood(p.initial(), z)
    np.testing.assert_allclose(raised.mean, (words @ lowest + p.visible.bias)[:5], atol=1e-6)
    assert p.determined == isinstance(p, DTSBND)


@pytest.mark.slow
@pytest.mark.parametrize("config", [TSBNConfig(units=(3,), order=2), DTSBNDConfig(units=(3, 2), order=2)])
def test_residual_is_the_identity_added_to_the_first_lag(config):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 2))
    known = facts((x,), "real")
    plain = config.build(known, random.key(1))
    moved = dataclasses.replace(config, residual=True).build(known, random.key(1))
    below = moved.visible.below.at[0, :2].add(jnp.eye(2))
    same = dataclasses.replace(plain, visible=dataclasses.replace(plain.visible, below=below))
    q = PriorConfig().build(plain, known, random.key(2))
    run = eqx.filter_jit(lambda p: rollout(p, q, whole(x), random.key(3))[0].log_likelihood)
    found = [np.asarray(run(p)) for p in (moved, same, plain)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    assert np.abs(found[0][1:] - found[2][1:]).min() > 1e-3
    np.testing.assert_allclose(found[0][0], found[2][0], rtol=1e-12)  # before the first step there is no frame


def test_residual_refuses_what_has_no_frame_to_add_to():
    with pytest.raises(CounterpointError, match="suits real numbers"):
        TSBNConfig(residual=True).build(facts((X,), "binary"), random.key(0))
    for build in (lambda: TSBNConfig(residual=True, sees=False), lambda: DTSBNDConfig(residual=True, order=0)):
        with pytest.raises(CounterpointError, match="adds to the last frame"):
            build()
