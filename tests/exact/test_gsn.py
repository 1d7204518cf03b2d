"""The generative stochastic network against its equations in NumPy, and its gradient along the chain."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import refusal, stirred
from counterpoint.bounds import Denoising
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.estimators import Walkback
from counterpoint.inference import SaltAndPepperConfig
from counterpoint.models import GSNConfig
from counterpoint.walk import walk

pytestmark = pytest.mark.usefixtures("x64")

KEY, NOISE = random.key(5), 0.7
X = np.array([1.0, 0.0, 1.0])


def pair(*units):
    known = facts((np.random.default_rng(0).integers(0, 2, (9, 3)).astype(float),))
    p = stirred(GSNConfig(units=units, noise=NOISE).build(known, KEY), 0)
    return p, SaltAndPepperConfig(0.4).build(p, known, KEY)


def test_a_move_computes_odd_layers_then_even_ones_anew():
    p, q = pair(4, 3, 2, 5)
    path = eqx.filter_jit(lambda p: walk(p, q, p.initial(), jnp.asarray(X), KEY, 3))(p)
    w1, w2, w3, w4 = (np.asarray(link.weight) for link in p.links)
    b1, b2, b3, b4 = (np.asarray(link.bias) for link in p.links)
    for n in range(3):
        frame, *noisy = (np.asarray(a[n]) for a in path.z)
        h2, h4 = (np.tanh(NOISE * u) + NOISE * v for u, v in (noisy[:2], noisy[2:]))
        h1, h3 = np.tanh(w1 @ frame + w2.T @ h2 + b1), np.tanh(w3 @ h2 + w4.T @ h4 + b3)
        z = tuple(a[n] for a in path.z)
        np.testing.assert_allclose(p.likelihood(None, z).logits, w1.T @ h1 + p.visible, atol=1e-12)
        (k2, none), (k4, _) = p.kept(None, z)
        np.testing.assert_allclose(NOISE * k2, w2 @ h1 + w3.T @ h3 + b2, atol=1e-12)
        np.testing.assert_allclose(NOISE * k4, w4 @ h3 + b4, atol=1e-12)
        assert (none == 0).all()


def test_the_chain_keeps_hidden_layers_and_adds_noise_to_them():
    p, q = pair(4, 3)
    run = eqx.filter_jit(lambda p, keys: jax.vmap(lambda key: walk(p, q, p.initial(), jnp.asarray(X), key, 3))(keys))
    z = run(p, random.split(KEY, 3000)).z
    kept = jax.vmap(jax.vmap(lambda *z: p.kept(None, z)))(*z)[0][0]
    before = np.concatenate([np.zeros_like(kept[:, :1]), kept[:, :-1]], 1)
    noise = np.asarray(z[1]) - before
    np.testing.assert_allclose(noise.mean(0), 0, atol=4 / 3000**0.5)
    np.testing.assert_allclose(noise.std(0), 1, atol=4 / 6000**0.5)
    np.testing.assert_allclose(z[2].mean(0), 0, atol=4 / 3000**0.5)
    assert before[:, 1:].std(0).min() > 0.1  # what is kept differs from chain to chain


@pytest.mark.slow
def test_the_gradient_passes_along_what_is_kept():
    """What is drawn from a key is a step function of the parameters, which differences do not see."""
    p, q = pair(4, 3)
    batch = Batch(jnp.asarray(X)[None, None], jnp.ones((1, 1), bool))
    bound, method = Denoising(information=False), Walkback(4)
    params, static = eqx.partition(p, eqx.is_inexact_array)
    loss = lambda a: method(eqx.combine(a, static), q, bound, batch, KEY, (), 0)[0].surrogate
    way = stirred(jax.tree.map(jnp.zeros_like, params), 3)
    moved = jax.jit(lambda h: loss(jax.tree.map(lambda a, b: a + h * b, params, way)))
    slope = jax.jit(lambda: jax.jvp(loss, (params,), (way,))[1])()
    assert slope == pytest.approx(float(moved(1e-6) - moved(-1e-6)) / 2e-6, abs=1e-6)
    upper = jax.jit(jax.grad(loss))(params).links[1]
    assert jnp.abs(upper.bias).min() > 1e-6  # used by later moves alone


def test_what_keeps_nothing_is_refused():
    assert "keeps nothing; give two or more, or p = dae" in refusal(lambda: GSNConfig(units=(3,)))
    assert "noise is 0.0" in refusal(lambda: GSNConfig(noise=0.0))
    real = facts((np.random.default_rng(0).normal(size=(9, 3)),), "real")
    assert "choose binary or grey data" in refusal(lambda: GSNConfig().build(real, KEY))
