from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.core import AbstractPosterior
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import Family, facts
from counterpoint.errors import CounterpointError
from counterpoint.evaluation import Prediction, error, predict
from counterpoint.inference import (
    Filtering,
    FilteringConfig,
    ForwardBackward,
    Kalman,
    Prior,
    TSBNRecognition,
    TSBNRecognitionConfig,
)
from counterpoint.models import HMM, LDS, TSBN, Autoregressive, TSBNConfig, VRNNConfig

RNG = np.random.default_rng(0)
ROLLS = Sequences(tuple((RNG.random((n, 4)) < 0.4).astype(np.float32) for n in (6, 1, 9, 4, 6)))


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def test_an_autoregressive_prediction_by_hand():
    weights, bias = RNG.normal(size=(2, 4, 4)), RNG.normal(size=4)
    p = Autoregressive(jnp.asarray(weights), jnp.asarray(bias), Family("bernoulli", (4,)))
    found = predict(p, Prior(), ROLLS, random.key(0))
    errors = []
    for x, guess in zip(ROLLS.x, found.frames):
        past = np.concatenate([np.zeros((2, 4)), x])
        want = np.stack([sigmoid(weights[0] @ past[t + 1] + weights[1] @ past[t] + bias) for t in range(len(x))])
        np.testing.assert_allclose(guess, want, atol=1e-5)
        errors.append(np.mean([((x[t] - want[t]) ** 2).sum() for t in range(1, len(x))]) if len(x) > 1 else np.nan)
    found = error(found, ROLLS)
    np.testing.assert_allclose(found.values, errors, rtol=1e-5)
    known = np.array(errors)[[0, 2, 3, 4]]  # one frame has no error
    assert found.mean == pytest.approx(known.mean())
    assert found.spread == pytest.approx(known.std(ddof=1) / 2)


def test_a_linear_system_by_its_own_recursion():
    """Every z is linear in noise and x, so that the mean path goes through the gains: no sampling to compare with."""
    a, q, c, r = np.array([[0.9, 0.2], [-0.1, 0.8]]), 0.5 * np.eye(2), np.array([[1.0, 0.5]]), np.array([[0.3]])
    p = LDS.of(a, q, c, r, jnp.ones(2), jnp.eye(2), offset=jnp.array([0.7]))
    x = RNG.normal(size=(8, 1)).astype(np.float32)
    mean, cov, want = np.ones(2), np.eye(2), []
    for frame in x:
        want.append(c @ mean + 0.7)
        gain = cov @ c.T @ np.linalg.inv(c @ cov @ c.T + r)
        mean, cov = a @ (mean + gain @ (frame - want[-1])), q  # q(z_t | z_t-1, x_t) knows z_t-1: only Q is left
    found = predict(p, Kalman(smooth=False), Sequences((x,)), random.key(0), samples=20_000).frames[0]
    np.testing.assert_allclose(found, np.stack(want), atol=0.04)


LENGTHS = (5, 2)  # of sequences that the exact posteriors foretell


def test_the_posterior_of_a_linear_system_predicts_by_the_filter():
    a, q, c, r = np.array([[0.9, 0.2], [-0.1, 0.8]]), 0.5 * np.eye(2), np.array([[1.0, 0.5]]), np.array([[0.3]])
    p = LDS.of(a, q, c, r, jnp.ones(2), 2 * jnp.eye(2), offset=jnp.array([0.7]))
    x = [RNG.normal(size=(n, 1)).astype(np.float32) for n in LENGTHS]
    for frames, found in zip(x, predict(p, Kalman(), Sequences(tuple(x)), random.key(0)).frames, strict=True):
        mean, cov, want = np.ones(2), 2 * np.eye(2), []
        for frame in frames:
            want.append(c @ mean + 0.7)
            gain = cov @ c.T @ np.linalg.inv(c @ cov @ c.T + r)
            mean, cov = a @ (mean + gain @ (frame - want[-1])), a @ (cov - gain @ c @ cov) @ a.T + q
        np.testing.assert_allclose(found, np.stack(want), atol=1e-5)


@pytest.mark.parametrize("name", ["bernoulli", "categorical"])
def test_the_posterior_of_a_markov_model_predicts_by_the_forward_messages(name):
    start, move = np.array([0.3, 0.7]), np.array([[0.9, 0.1], [0.4, 0.6]])
    raw = np.array([[0.4, -1.2, 2.0], [-0.9, 0.3, 0.1]])
    p = HMM(jnp.log(jnp.asarray(start)), jnp.log(jnp.asarray(move)), jnp.asarray(raw), Family(name, (3,)))
    coins = name == "bernoulli"
    rates = sigmoid(raw) if coins else np.exp(raw) / np.exp(raw).sum(1, keepdims=True)
    x = [RNG.integers(0, 2, (n, 3)).astype(np.float32) if coins else RNG.integers(0, 3, n) for n in LENGTHS]
    for frames, found in zip(x, predict(p, ForwardBackward(), Sequences(tuple(x)), random.key(0)).frames, strict=True):
        belief, want = start, []
        for frame in frames:
            want.append(belief @ rates)
            said = np.prod(np.where(frame == 1, rates, 1 - rates), 1) if coins else rates[:, frame]
            belief = belief * said / (belief @ said) @ move
        np.testing.assert_allclose(found, np.stack(want), atol=1e-5)


def pairs():
    f = facts(ROLLS.x)
    tsbn = TSBNConfig(units=(3,), order=2, scale=1.0).build(f, random.key(0))
    tsbn = eqx.tree_at(lambda p: p.visible.below, tsbn, random.normal(random.key(3), tsbn.visible.below.shape))
    vrnn = VRNNConfig(latent=3, hidden=4, width=4).build(f, random.key(1))
    return {
        "tsbn": (tsbn, TSBNRecognitionConfig(scale=1.0).build(tsbn, f, random.key(2))),
        "vrnn": (vrnn, FilteringConfig(width=4).build(vrnn, f, random.key(2))),
    }


@pytest.mark.parametrize("name", ["tsbn", "vrnn"])
def test_what_comes_later_does_not_leak(name):
    p, q = pairs()[name]
    x = ROLLS.x[0]
    before = predict(p, q, Sequences((x,)), random.key(0), samples=5).frames[0]
    for t in range(len(x)):
        changed = x.copy()
        changed[t] = 1 - changed[t]
        after = predict(p, q, Sequences((changed,)), random.key(0), samples=5).frames[0]
        np.testing.assert_array_equal(before[: t + 1], after[: t + 1])
        assert t == len(x) - 1 or (before[t + 1] != after[t + 1]).any()  # x_t is used as soon as it may be


def test_a_tsbn_by_a_loop_of_the_paper():
    """v^_t = s(W2 h~_t + W4 v_t-1 + c), h~_t ~ p(h_t | h_t-1, v_t-1), h_t-1 ~ q: averaged over many draws."""
    p, q = pairs()["tsbn"]
    p, q = (jax.tree.map(lambda a: a[:1] if a.ndim == 3 else a, m) for m in (p, q))  # order 1
    assert isinstance(p, TSBN)
    assert isinstance(q, TSBNRecognition)
    h_, v_, g_ = p.hidden[0], p.visible, q.layers[0]
    w1, w2, w3, w4 = (np.asarray(a) for a in (h_.across[0], v_.now, h_.below[0], v_.below[0]))
    b, c = np.asarray(h_.bias), np.asarray(v_.bias)
    u1, u2, u3, d = (np.asarray(a) for a in (g_.across[0], g_.now, g_.below[0], g_.bias))
    x, rng, n = ROLLS.x[0], np.random.default_rng(1), 20_000
    h, v, want = np.zeros((n, 3)), np.zeros(4), []
    for frame in x:
        ahead = rng.random((n, 3)) < sigmoid(h @ w1.T + w3 @ v + b)
        want.append(sigmoid(ahead @ w2.T + w4 @ v + c).mean(0))
        h = rng.random((n, 3)) < sigmoid(h @ u1.T + u2 @ frame + u3 @ v + d)
        v = frame
    found = predict(p, q, Sequences((x,)), random.key(0), samples=n).frames[0]
    np.testing.assert_allclose(found, np.stack(want), atol=0.015)


def test_one_draw_is_reproducible_and_each_key_another():
    p, q = pairs()["vrnn"]
    one, same, other = (predict(p, q, ROLLS, random.key(k)).frames for k in (0, 0, 1))
    assert [a.shape for a in one] == [a.shape for a in ROLLS.x]
    assert all((a == b).all() for a, b in zip(one, same))
    assert any((a != b).any() for a, b in zip(one, other))


def test_an_index_is_compared_as_one_hot():
    guess = np.array([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7], [1.0, 0.0, 0.0]])
    found = error(Prediction((guess,)), Sequences((np.array([0, 2, 1]),)))
    assert found.mean == pytest.approx((0.01 + 0.04 + 0.09 + 2) / 2)
    p = HMM(jnp.zeros(2), jnp.zeros((2, 2)), jnp.zeros((2, 3)), Family("categorical", (3,)))
    found = predict(p, ForwardBackward(smooth=False), Sequences((np.array([0, 2, 1]),)), random.key(0))
    np.testing.assert_allclose(found.frames[0], 1 / 3, rtol=1e-5)


class Ahead(AbstractPosterior):
    """Says that it looks ahead."""

    sees_future: ClassVar[bool] = True
    fills_gaps: ClassVar[bool] = False

    def propose(self, p, carry, context, x, key):
        raise NotImplementedError


def test_refusals():
    x = Sequences((np.zeros((1, 1)),))
    one = jnp.ones((1, 1))
    p = LDS.of(one, one, one, one, jnp.zeros(1), one)
    with pytest.raises(CounterpointError, match="has seen x_t"):
        predict(p, Ahead(), x, random.key(0))
    with pytest.raises(CounterpointError, match="missing"):
        predict(p, Prior(), Sequences(x.x, (np.array([False]),)), random.key(0))
    with pytest.raises(CounterpointError, match="second frame"):
        error(predict(p, Prior(), x, random.key(0)), x)
    with pytest.raises(CounterpointError, match="lengths differ"):
        error(Prediction((np.zeros((2, 1)),)), x)
    assert not Filtering.sees_future
