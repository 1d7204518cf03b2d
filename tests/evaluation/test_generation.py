import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.data.sequences import Sequences
from counterpoint.distributions import Family, facts
from counterpoint.errors import CounterpointError
from counterpoint.evaluation import generate, reconstruct
from counterpoint.inference import ForwardBackward, Kalman, Prior, TSBNRecognitionConfig
from counterpoint.models import HMM, LDS, Autoregressive, TSBNConfig

RNG = np.random.default_rng(0)
ROLLS = Sequences(tuple((RNG.random((n, 4)) < 0.4).astype(np.float32) for n in (6, 1, 9)))


def hmm(move, say):
    logs = (jnp.log(jnp.asarray(a)) for a in (np.full(len(move), 1 / len(move)), move, say))
    return HMM(*logs, Family("categorical", (len(say[0]),)))


def cycle(slip=1e-9):
    """0 1 2 0 1 2 ..., seen as itself."""
    sure = np.eye(3) * (1 - 3 * slip) + slip
    return hmm(np.roll(sure, 1, axis=1), sure)


def tsbn():
    f = facts(ROLLS.x)
    p = TSBNConfig(units=(3,), order=2, scale=1.0).build(f, random.key(0))
    return p, TSBNRecognitionConfig(scale=1.0).build(p, f, random.key(1))


def test_shapes_support_and_keys():
    p, _ = tsbn()
    one, same, other = (generate(p, random.key(k), length=7, count=3) for k in (0, 0, 1))
    assert [a.shape for a in one] == [(7, 4)] * 3
    assert np.isin(one, (0, 1)).all()
    np.testing.assert_array_equal(one, same)
    assert (np.stack(one) != np.stack(other)).any()
    assert (one[0] != one[1]).any()
    with pytest.raises(CounterpointError, match="at least 1"):
        generate(p, random.key(0), length=0)


def test_frequencies_are_the_models():
    move, say = np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([[0.8, 0.2, 0.0], [0.0, 0.1, 0.9]]) * 0.97 + 0.01
    x = np.stack(generate(hmm(move, say), random.key(0), length=40, count=2000))[:, 20:]
    law = np.array([0.75, 0.25])  # law @ move = law
    np.testing.assert_allclose(np.bincount(x.ravel(), minlength=3) / x.size, law @ say, atol=0.01)
    pair = np.zeros((3, 3))
    np.add.at(pair, (x[:, :-1].ravel(), x[:, 1:].ravel()), 1 / x[:, 1:].size)
    np.testing.assert_allclose(pair, say.T @ (law[:, None] * move) @ say, atol=0.01)


@pytest.mark.parametrize(
    ("q", "particles"), [(ForwardBackward(), 1), (ForwardBackward(smooth=False), 1), (None, 64), (Prior(), 64)]
)
def test_a_continuation_goes_on_where_its_prefix_ends(q, particles):
    given = [np.arange(n) % 3 for n in (7, 2, 1, 12)]
    given = Sequences((*given, np.array([2, 0, 1, 2, 0])))
    p = cycle() if particles == 1 else cycle(0.02)  # a bootstrap filter may lose all its particles to certainty
    found = generate(p, random.key(0), 5, count=3, prefix=given, q=q, particles=particles)
    assert len(found) == 15
    right = 0.0
    for i, x in enumerate(found):
        before = given.x[i // 3]
        np.testing.assert_array_equal(x[: len(before)], before)
        assert len(x) == len(before) + 5
        want = (before[0] + np.arange(len(x))) % 3
        right += (x == want).mean()
    assert right == len(found) if particles == 1 else right > 0.8 * len(found)


def test_a_continuation_of_what_the_model_itself_feeds_back():
    """Memory of x, lag 2, must stop where a short prefix ends, not where the batch does."""
    weights = jnp.zeros((2, 1, 1)).at[1].set(40.0)
    p = Autoregressive(weights, jnp.array([-20.0]), Family("bernoulli", (1,)))  # x_t = x_t-2
    given = Sequences(tuple(np.array(a, np.float32)[:, None] for a in ([1, 1, 0, 0, 1, 0], [0, 1], [1, 0, 0, 1])))
    for x, before in zip(generate(p, random.key(0), 6, prefix=given, particles=2), given.x):
        want = np.concatenate([before, np.tile(before[-2:], (3, 1))])
        np.testing.assert_array_equal(x, want)


@pytest.mark.slow
def test_a_continuation_has_the_law_of_the_model():
    one = jnp.ones((1, 1))
    p = LDS.of(0.9 * one, 0.5 * one, one, 0.8 * one, jnp.zeros(1), one)
    given = Sequences((np.array([[0.5], [-0.3], [1.2], [0.7]], np.float32),))
    mean, variance = 0.6205174368, 0.4076203966
    for q, particles in ((Kalman(), 1), (Kalman(smooth=False), 32), (None, 32)):
        x = np.stack(generate(p, random.key(1), 2, 4000, given, q, particles))[:, 4:, 0]
        np.testing.assert_allclose(x.mean(0), [0.9 * mean, 0.81 * mean], atol=0.08)
        ahead = 0.81 * variance + 0.5
        np.testing.assert_allclose(x.var(0), [ahead + 0.8, 0.81 * ahead + 1.3], rtol=0.08)
        np.testing.assert_allclose(np.cov(x.T)[0, 1], 0.9 * ahead, atol=0.1)


def test_a_prefix_with_gaps_comes_back_as_given():
    x = np.array([0.0, np.nan, 1.0, np.nan])[:, None]
    given = Sequences((x,), (~np.isnan(x[:, 0]),))
    weights = jnp.full((1, 1, 1), 40.0)
    p = Autoregressive(weights, jnp.array([-20.0]), Family("bernoulli", (1,)))  # x_t = x_t-1
    (found,) = generate(p, random.key(0), 2, prefix=given)
    np.testing.assert_array_equal(found[:4], x)
    np.testing.assert_array_equal(found[4:], 1)


def test_reconstruction():
    p, q = tsbn()
    found = reconstruct(p, q, ROLLS, random.key(0), samples=3)
    assert [a.shape for a in found] == [a.shape for a in ROLLS.x]
    assert all(((a > 0) & (a < 1)).all() for a in found)
    one = jnp.ones((1, 1))
    p = LDS.of(0.9 * one, 0.5 * one, one, 0.8 * one, jnp.zeros(1), one)
    x = np.array([[0.5], [-0.3], [1.2], [0.7]], np.float32)
    (found,) = reconstruct(p, Kalman(), Sequences((x,)), random.key(0), samples=20_000)
    cov = np.array([[0.9 ** abs(i - j) * 1.0 for j in range(4)] for i in range(4)])
    spread = [1.0]
    for _ in range(3):
        spread.append(0.81 * spread[-1] + 0.5)
    cov = np.array([[0.9 ** abs(i - j) * spread[min(i, j)] for j in range(4)] for i in range(4)])
    np.testing.assert_allclose(found, cov @ np.linalg.inv(cov + 0.8 * np.eye(4)) @ x, atol=0.03)


def test_a_reconstruction_fills_gaps_along_each_draw():
    weights = jnp.full((1, 1, 1), 40.0)
    p = Autoregressive(weights, jnp.array([-20.0]), Family("bernoulli", (1,)))
    x, seen = np.array([[1.0], [0.0], [0.0], [0.0]], np.float32), np.array([True, False, False, False])
    short = np.array([[0.0], [1.0]], np.float32), np.array([True, False])
    given = Sequences((x, short[0]), (seen, short[1]))
    found = reconstruct(p, Prior(), given, random.key(0), samples=3)
    np.testing.assert_allclose(found[0][1:], 1, atol=1e-6)  # what is drawn, not the zero that stands there, goes on
    np.testing.assert_allclose(found[1][1:], 0, atol=1e-6)
    sure = cycle()
    given = Sequences((np.array([0, 0, 0, 0, 1]),), (np.array([True, False, False, False, True]),))
    (found,) = reconstruct(sure, ForwardBackward(), given, random.key(0), samples=2)
    np.testing.assert_array_equal(found.argmax(-1), np.arange(5) % 3)


@pytest.mark.parametrize("name", ["gaussian", "discretised_gaussian"])
def test_the_mean_goes_on_without_noise(name):
    """x_t = .5 x_t-1 + 1 exactly, though the likelihood has a scale of its own; and again by the same key."""
    family = Family(name, (1,), step=0.01)
    p = Autoregressive(jnp.array([[[0.5]]]), jnp.array([1.0, 0.7]), family)
    (found,) = generate(p, random.key(0), 4, mean=True)
    np.testing.assert_allclose(found[:, 0], [1.0, 1.5, 1.75, 1.875], rtol=1e-6)
    (noisy,) = generate(p, random.key(0), 4)
    assert (np.abs(noisy - found) > 1e-3).all()
