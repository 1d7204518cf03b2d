"""The likelihood's own gradient by counting either side, and chains that change temperatures."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from jax.scipy.special import logsumexp

from conformance.parts import refusal
from counterpoint import counting
from counterpoint.bounds import Annealed, TrajectoryKL
from counterpoint.data import bars_and_stripes
from counterpoint.errors import CounterpointError
from counterpoint.estimators import ContrastiveDivergence, ContrastiveDivergenceConfig, MaximumLikelihood
from counterpoint.inference import Gibbs
from counterpoint.models import RBM
from counterpoint.tempering import temper
from exact.cases import mk
from exact.test_rbm import EXACT, VISIBLE, batch_of_data, log_law, near, rbm

pytestmark = pytest.mark.usefixtures("x64")


def wide() -> RBM:
    """More hidden units than visible ones, with biases."""
    return RBM(mk((5, 3), 1, 1.2), mk(5, 20, 0.5), mk(3, 30, 0.5))


@pytest.mark.parametrize("make", [rbm, wide], ids=["fewer z", "fewer x"])
def test_either_side_is_counted(make):
    p = make()

    @eqx.filter_jit
    def both(p):
        energy = jax.vmap(lambda x: p.free_energy(None, x))(jnp.asarray(VISIBLE))
        return counting.log_total(p), logsumexp(-energy)

    near(*both(p), 1e-12)
    assert counting.fewest(p) == min(p.weights.shape)
    assert counting.fewest(eqx.filter_eval_shape(lambda: p)) == min(p.weights.shape)


@pytest.mark.parametrize("make", [rbm, wide], ids=["fewer z", "fewer x"])
def test_its_gradient_is_that_of_the_likelihood(make):
    p = make()
    batch, shares = batch_of_data(20), np.array([0.25, 0.05, 0.1, 0.2, 0.05, 0.15, 0.05, 0.15])

    @eqx.filter_jit
    def both(p):
        method = lambda p: MaximumLikelihood()(p, Gibbs(), Annealed(), batch, random.key(0), (), 0)[0]
        of = lambda p: (method(p).surrogate, method(p).value)
        log_p = lambda p: jnp.asarray(shares) @ log_law(p)
        found, value = eqx.filter_grad(of, has_aux=True)(p)
        return found, eqx.filter_grad(lambda p: -log_p(p))(p), value, log_p(p)

    found, want, value, log_p = both(p)
    near(value, log_p, 1e-12)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)):
        near(a, b, 1e-12)
    if len(p.hidden) == 2:
        near(found.weights.T, -np.array(EXACT))


def test_too_many_states_are_refused():
    p = RBM(jnp.zeros((21, 22)), jnp.zeros(21), jnp.zeros(22))
    assert "2^21 states are too many" in refusal(lambda: MaximumLikelihood().check(p, Gibbs(), TrajectoryKL()))
    message = refusal(lambda: ContrastiveDivergenceConfig(temperatures=3))
    assert "choose chains above 0" in message


@eqx.filter_jit
def after(p, x, keys, sweeps):
    return jax.vmap(lambda x, key: temper(p, x, key, sweeps))(x, keys)


def shares(x) -> np.ndarray:
    return np.bincount(np.asarray(x @ jnp.array([4.0, 2.0, 1.0]), int), minlength=8) / len(x)


@pytest.mark.slow
def test_temperatures_keep_every_law():
    """From draws of all laws at once, the last is p's still; the wrong acceptance would move it."""
    p, count = wide(), 20_000
    law = np.exp(np.asarray(log_law(p)))
    cold = np.random.default_rng(0).choice(8, count, p=law)
    warm = after(p, jnp.zeros((count, 4, 3)), random.split(random.key(0), count), 20)
    x = after(p, warm.at[:, -1].set(VISIBLE[cold]), random.split(random.key(1), count), 1)
    assert (np.abs(shares(x[:, -1]) - law) < 4 * np.sqrt(law * (1 - law) / count)).all()
    assert (np.abs(shares(warm[:, -1]) - law) < 4 * np.sqrt(law * (1 - law) / count)).all()


def test_an_estimator_takes_the_coldest_chains():
    """Its gradient from ladders that begin in the law of each temperature is that of the likelihood."""
    p, count = wide(), 4000
    start = after(p, jnp.zeros((count, 3, 3)), random.split(random.key(3), count), 20)
    estimator, batch = ContrastiveDivergence(start, False, True), batch_of_data(20)

    @eqx.filter_jit
    def one(p, key, memory):
        def loss(p, method, memory):
            estimate, after = method(p, Gibbs(), TrajectoryKL(), batch, key, memory, 0)
            return estimate.surrogate, after

        found, memory = eqx.filter_grad(loss, has_aux=True)(p, estimator, memory)
        return found, memory, eqx.filter_grad(loss, has_aux=True)(p, MaximumLikelihood(), ())[0]

    found, memory, want = one(p, random.key(4), estimator.initial())
    assert memory.shape == start.shape
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)):
        near(a, b, 4 * 0.5 / count**0.5)


def test_bars_and_stripes_are_as_often_as_they_are_likely():
    x = np.stack(bars_and_stripes(3).train.x)[:, 0].reshape(-1, 3, 3)
    found, count = np.unique(x.reshape(-1, 9), axis=0, return_counts=True)
    everything = np.array(list(itertools.product([0, 1], repeat=9))).reshape(-1, 3, 3)
    even = [(a == a[:, :1]).all() or (a == a[:1]).all() for a in everything]
    np.testing.assert_array_equal(found, everything[even].reshape(-1, 9))
    assert sorted(count) == [1] * 12 + [2, 2]
    assert bars_and_stripes().train.event == (16,)
    with pytest.raises(CounterpointError, match="side is 0"):
        bars_and_stripes(0)
