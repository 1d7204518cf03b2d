"""Estimators on networks of several layers, in exact expectation over all paths, and over all pairs of them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from jax import lax, random

from counterpoint.bounds import ELBO, IWAE
from counterpoint.estimators import VIMCO, ScoreFunction, WakeSleep
from counterpoint.estimators.wake_sleep import dream
from counterpoint.rollout import rollout
from estimators.test_score_function import seen
from exact.cases import tuples, whole
from exact.test_deep import X, deep, deterministic, paths, score

pytestmark = pytest.mark.usefixtures("x64")

# p and q, units of z, steps
CASES = {
    "three layers": (lambda: deep((1, 1, 1), 1), (1, 1, 1), 2),
    "two layers of order 2": (lambda: deep((1, 1), 2), (1, 1), 3),
    "DTSBN-D": (lambda: deterministic((2,), 2, 1), (2,), 2),
}
ESTIMATORS = {
    "score function": (ScoreFunction(None, normalise=False), ELBO()),
    "VIMCO": (VIMCO(), IWAE(2)),
    "VIMCO, elbo": (VIMCO(), ELBO(2, closed_form=False)),
}


def event(units, length):
    z = paths(units, length)
    return z if len(units) > 1 else z[0]


def given(p, q, x, z, particles, detach=False):
    """The trace of every tuple of paths, each tuple a row of the batch."""
    count = len(jax.tree.leaves(z)[0])
    chosen = tuples(count, particles)
    z = jax.tree.map(lambda a: jnp.moveaxis(jnp.asarray(a)[chosen], 2, 0), z)  # (T, N, K, J)
    how = {"particles": particles, "pathwise": False, "detach": detach}
    return rollout(p, q, whole(x, len(chosen)), random.key(0), z=z, **how)[0]


def weighed(value, trace):
    """The expectation of a value of each tuple, whose chance is held."""
    return (lax.stop_gradient(jnp.exp(trace.log_q.sum((0, 2)))) * value).sum()


def each(trace, f):
    """f of the trace of one tuple alone, for every tuple."""
    rows = jax.tree.map(lambda a: jnp.moveaxis(a, 1, 0)[:, :, None], trace._replace(x=()))
    return jax.vmap(f)(rows)


SLOW = pytest.param("VIMCO, elbo", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", ["score function", "VIMCO", SLOW])
@pytest.mark.parametrize("case", CASES)
def test_the_gradient_is_that_of_the_enumerated_bound(case, name):
    make, units, length = CASES[case]
    (p, q), x, z, (estimator, bound) = make(), X[:length], event(units, length), ESTIMATORS[name]

    @eqx.filter_jit
    @eqx.filter_grad
    def expected(parts):
        trace = given(*parts, x, z, bound.particles)
        one = whole(x)

        def surrogate(trace):
            if isinstance(estimator, VIMCO):
                return estimator.of_trace(bound, one, trace, 0).surrogate
            shown = trace._replace(x=jnp.asarray(x)[:, None])
            return estimator.of_trace(bound, one, shown, seen(), 0)[0].surrogate

        return weighed(-length * each(trace, surrogate), trace)

    @eqx.filter_jit
    @eqx.filter_grad
    def exact(parts):
        trace = score(*parts, x, z)
        weight, chance = trace.log_weight.sum(0)[0], jnp.exp(trace.log_q.sum(0)[0])
        if isinstance(bound, ELBO):
            return (chance * weight).sum()
        pairs = jnp.logaddexp(weight[:, None], weight[None, :]) - jnp.log(2)
        return (chance[:, None] * chance[None, :] * pairs).sum()

    for a, b in zip(*(jax.tree.leaves(f((p, q))) for f in (expected, exact)), strict=True):
        assert jnp.abs(a - b).max() < 1e-9


@pytest.mark.parametrize("case", CASES)
def test_wake_updates_follow_the_weights_of_every_pair(case):
    """d theta = sum_k w_k grad log p(x, z_k),  d phi = sum_k w_k grad log q(z_k | x),  w_k of the pair."""
    make, units, length = CASES[case]
    (p, q), x, z = make(), X[:length], event(units, length)

    @eqx.filter_jit
    @eqx.filter_grad
    def expected(parts):
        trace = given(*parts, x, z, 2, detach=True)
        awake = lambda trace: WakeSleep(1.0, 0.0).awake(IWAE(2), trace, None)
        return weighed(each(trace, awake), trace)

    @eqx.filter_jit
    @eqx.filter_grad
    def exact(parts):
        trace = score(*parts, x, z)
        joint, guess = (a.sum(0)[0] for a in (trace.log_prior + trace.log_likelihood, trace.log_q))
        held = lax.stop_gradient((joint - guess, jnp.exp(guess)))
        share = jax.nn.sigmoid(held[0][:, None] - held[0][None, :])  # of the first of a pair
        chance = held[1][:, None] * held[1][None, :]
        return 2 * (chance * share * (joint + guess)[:, None]).sum()

    for a, b in zip(*(jax.tree.leaves(f((p, q))) for f in (expected, exact)), strict=True):
        assert jnp.abs(a - b).max() < 1e-9


@pytest.mark.parametrize("case", CASES)
def test_dreams_follow_p_and_q_is_scored_on_them(case):
    """Of 4000 dreams as many show x as p(x) says, and log q of each is that of its path."""
    make, units, length = CASES[case]
    (p, q), x, z, count = make(), X[:length], event(units, length), 4000
    trace = eqx.filter_jit(lambda p, q: dream(p, q, whole(x, count), random.key(1)))(p, q)
    shown = (trace.x == jnp.asarray(x)[:, None]).all((0, 2))
    every = eqx.filter_jit(score)(p, q, x, z)
    chance = float(jnp.exp((every.log_prior + every.log_likelihood).sum(0)[0]).sum())
    assert abs(float(shown.mean()) - chance) < 4.5 * (chance / count) ** 0.5
    dreamt = jax.tree.map(lambda a: jnp.moveaxis(a[:, shown, 0], 1, 0), trace.z)
    alone = eqx.filter_jit(score)(p, q, x, dreamt)
    assert jnp.abs(trace.log_q.sum(0)[shown, 0] - alone.log_q.sum(0)[0]).max() < 1e-10
