"""Connections left out: which, how much the others grow, and that training alone does so."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.bounds import ELBO, score
from counterpoint.core import THINNED, Batch, Pairing
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators import Pathwise, ScoreFunctionConfig
from counterpoint.inference import Prior
from counterpoint.models import RNNConfig, RNNNADEConfig
from counterpoint.networks import Linear, thinned

RNG = np.random.default_rng(0)
X = RNG.integers(0, 2, (2, 4, 3)).astype(np.float32)


def test_each_layer_loses_some_of_what_it_reads_and_the_rest_makes_up_for_it():
    layers = {"a": Linear(6, 2, key=random.key(0)), "b": (jnp.ones(3), Linear(5, 4, key=random.key(1)))}
    found = jax.jit(jax.vmap(lambda key: thinned(layers, key, 0.25)))(random.split(random.key(2), 4000))
    for one, was in ((found["a"], layers["a"]), (found["b"][1], layers["b"][1])):
        share = np.asarray(one.weight) / np.asarray(was.weight)
        np.testing.assert_allclose(share[:, :1].repeat(share.shape[1], 1), share, atol=1e-6)  # whole columns
        np.testing.assert_allclose(share, np.where(share > 0, 4 / 3, 0.0), rtol=1e-6)
        assert np.abs(share[:, 0].mean(0) - 1).max() < 4.5 * (1 / 3 / 4000) ** 0.5
        np.testing.assert_array_equal(one.bias, np.broadcast_to(was.bias, one.bias.shape))
    apart = np.corrcoef(np.asarray(found["a"].weight[:, 0, 0] != 0), np.asarray(found["b"][1].weight[:, 0, 0] != 0))
    assert abs(apart[0, 1]) < 0.06
    np.testing.assert_array_equal(found["b"][0], 1.0)


SLOW = pytest.param(RNNNADEConfig, Pathwise(), marks=pytest.mark.slow)


@pytest.mark.parametrize(("config", "by"), [(RNNConfig, Pathwise()), (RNNConfig, ScoreFunctionConfig()), SLOW])
@pytest.mark.slow
def test_training_is_of_what_is_left_and_evaluation_of_the_whole(config, by):
    p = config(hidden=4, cell="lstm", dropout=0.5).build(facts(tuple(X)), random.key(0))
    whole = config(hidden=4, cell="lstm").build(facts(tuple(X)), random.key(0))
    batch, key = Batch(jnp.asarray(X), jnp.ones((2, 4), bool)), random.key(3)
    estimator = by.build(p, facts(tuple(X)), random.key(1))

    @eqx.filter_jit
    def values(p):
        def loss(p):
            estimate = Pairing(p, Prior(), ELBO(), estimator)(batch, key, estimator.initial(), 0)[0]
            return estimate.surrogate, estimate.value

        grad, value = eqx.filter_grad(loss, has_aux=True)(p)
        left = p.thinned(random.fold_in(key, THINNED))
        return value, grad, left, *(score(p, Prior(), ELBO(), batch, key).sum() / 8 for p in (left, p))

    value, grad, left, of_left, of_whole = values(p)
    np.testing.assert_allclose(value, of_left, rtol=1e-6)
    np.testing.assert_allclose(of_whole, values(whole)[0], rtol=1e-6)
    assert abs(float(of_whole - of_left)) > 1e-4
    leaves = [[np.asarray(a).ravel() for a in jax.tree.leaves(tree) if eqx.is_array(a)] for tree in (p, left, grad)]
    was, now, slope = map(np.concatenate, leaves)
    out = (now == 0) & (was != 0)
    assert 0 < out.sum() < out.size / 2 + 1
    assert (slope[out] == 0).all()


def test_something_must_be_left():
    for config in (RNNConfig, RNNNADEConfig):
        for rate in (1.0, -0.1):
            with pytest.raises(CounterpointError, match="dropout"):
                config(dropout=rate)
