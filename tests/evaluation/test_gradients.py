"""Estimators side by side: their moments, and what they show of which estimators are biased."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import batch_of, build, build_p, facts_of
from counterpoint.bounds import ELBO, Annealed, TrajectoryKL, Warmup, score
from counterpoint.core import Batch, Pairing
from counterpoint.estimators import (
    ContrastiveDivergence,
    ContrastiveDivergenceConfig,
    MaximumLikelihood,
    Pathwise,
    ScoreFunctionConfig,
    VIMCOConfig,
    WakeSleepConfig,
)
from counterpoint.evaluation.gradients import CHUNK, Noise, gradients, once
from counterpoint.inference import Gibbs
from counterpoint.models import RBM


def pairing(model, q, estimator):
    p, q = build(model, q)
    return Pairing(p, q, ELBO(particles=2, closed_form=False), estimator.build(p, facts_of(model), random.key(0)))


@pytest.mark.usefixtures("x64")
@pytest.mark.slow
def test_moments_are_those_of_the_draws():
    one, batch, key = pairing("vrnn-gru", "filtering", Pathwise()), batch_of("vrnn-gru"), random.key(3)
    found = gradients({"one": one}, batch, key, 2 * CHUNK)["one"]
    keys = jnp.concatenate([random.split(random.fold_in(key, i), CHUNK) for i in (1, 2)])
    drawn = jax.jit(partial(jax.lax.map, lambda key: once(one, batch, key, one.initial(), 0)[0]))(keys)
    for noise, values in zip((found.p, found.q), drawn):
        np.testing.assert_allclose(noise.mean, values.mean(0), atol=1e-10)
        np.testing.assert_allclose(noise.variance, values.var(0, ddof=1).sum())
        assert noise.count == 2 * CHUNK
    np.testing.assert_allclose(found.bound, drawn[2].mean())
    np.testing.assert_allclose(found.bound_error, drawn[2].std(ddof=1) / (2 * CHUNK) ** 0.5)


@pytest.mark.slow
def test_the_bound_is_measured_where_an_estimator_reports_something_else():
    """Without chains log p is exact: all draws agree."""
    p, known, batch = build_p("rbm-binary"), facts_of("rbm-binary"), batch_of("rbm-binary")
    one = Pairing(p, Gibbs(), Annealed(), ContrastiveDivergenceConfig().build(p, known, random.key(0)))
    found = gradients({"one": one}, batch, random.key(3), CHUNK)["one"]
    want = score(p, Gibbs(), Annealed(), batch, random.key(0)).sum() / batch.valid.sum()
    assert found.bound == pytest.approx(float(want), abs=1e-5)
    assert found.bound_error < 1e-5


@pytest.mark.slow
def test_the_bound_itself_is_followed_unless_a_step_is_named():
    """At the start of a warm-up the KL weighs nothing."""
    one, batch = pairing("vrnn-gru", "filtering", Pathwise()), batch_of("vrnn-gru")
    warming = eqx.tree_at(lambda a: a.bound, one, ELBO(particles=2, closed_form=False, kl_weight=Warmup(100)))
    mean = lambda a, **how: gradients({"": a}, batch, random.key(3), CHUNK, **how)[""].q.mean
    np.testing.assert_array_equal(mean(warming), mean(one))
    np.testing.assert_allclose(mean(warming, step=100), mean(one), rtol=1e-5)
    assert np.abs(mean(warming, step=0) - mean(one)).max() > 1e-3


def test_bias_and_signal_are_told_from_the_noise_of_their_means():
    rng, n, size = np.random.default_rng(0), 4000, 30
    true, shift = np.full(size, 0.2), np.full(size, 0.1)
    noise = lambda mean: Noise(mean + rng.normal(size=size) * (4 / n) ** 0.5, 4.0 * size, n)
    a, b, moved = noise(true), noise(true), noise(true + shift)
    assert a.norm == pytest.approx(0.2 * size**0.5, rel=0.1)
    assert a.snr == pytest.approx(0.1, rel=0.1)
    found, floor = moved.bias(a)
    assert found == pytest.approx(0.5, rel=0.3)
    assert b.bias(a)[0] < floor < found
    assert moved.cosine(a) > 0.9
    assert Noise(-true, 1.0, n).cosine(Noise(true, 1.0, n)) == pytest.approx(-1.0)


@pytest.fixture(scope="module")
def tsbn():
    configs = VIMCOConfig.variants() | ScoreFunctionConfig.variants() | WakeSleepConfig.variants()
    pairings = {name: pairing("tsbn-1", "tsbn_recognition", config) for name, config in configs.items()}
    return pairings, gradients(pairings, batch_of("tsbn-1"), random.key(5), 3000)


@pytest.mark.slow
def test_an_estimator_is_biased_where_it_does_not_say_otherwise(tsbn):
    pairings, found = tsbn
    reference = found["vimco"].q
    for name, one in pairings.items():
        bias, floor = found[name].q.bias(reference)
        if one.estimator.unbiased(one.bound):
            assert bias < floor, name
        elif "local" not in name:  # whose bias is small here
            assert bias > 2 * floor, name
    assert {name for name, one in pairings.items() if one.estimator.unbiased(one.bound)} == {
        "vimco", "score_function", "score_function, bare",
    }  # fmt: skip


@pytest.mark.slow
def test_baselines_take_variance_away_and_local_signals_more(tsbn):
    noise = {name: result.q.variance for name, result in tsbn[1].items()}
    assert noise["vimco, local"] < noise["vimco"] < noise["score_function, bare"] / 10
    assert noise["score_function, local"] < noise["score_function"] < noise["score_function, bare"] / 10


@pytest.mark.slow
def test_chains_that_persist_are_given_time_to_leave_their_start():
    """All start in one of p's two modes, and leave it for the other once in some eighty sweeps."""
    p = RBM(jnp.full((1, 3), 6.0), jnp.full(1, -9.0), jnp.full(3, -3.0))
    pcd = ContrastiveDivergence(jnp.ones((1000, 3)))
    rbm = Pairing(p, Gibbs(), TrajectoryKL(), pcd)
    assert pcd.settling(Gibbs(3)) == 334
    assert ContrastiveDivergence(None).settling(Gibbs()) == Pathwise().settling(Gibbs()) == CHUNK
    batch = Batch(jnp.zeros((4, 1, 3)), jnp.ones((4, 1), bool))
    exact = once(eqx.tree_at(lambda a: a.estimator, rbm, MaximumLikelihood()), batch, random.key(0), (), None)[0][0]
    found = gradients({"": rbm}, batch, random.key(1), 4 * CHUNK)[""].p
    np.testing.assert_allclose(found.mean, exact, atol=0.05)
