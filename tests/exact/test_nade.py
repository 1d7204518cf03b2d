"""NADE and the recurrent NADE, by enumeration and against loops in NumPy."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy import stats

from counterpoint.core import Batch
from counterpoint.distributions import NADE, Facts, Family
from counterpoint.errors import CounterpointError
from counterpoint.inference import Prior
from counterpoint.models import RNNNADEConfig
from counterpoint.rollout import rollout
from exact.cases import mk

pytestmark = pytest.mark.usefixtures("x64")

EVENTS = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
COUNT = 40000
log_prob = eqx.filter_jit(lambda law, x, seen=None: jax.vmap(law.log_prob)(x, seen))
drawn = eqx.filter_jit(lambda law, keys: jax.vmap(law.sample)(keys))
completed = eqx.filter_jit(lambda law, keys, x, seen: jax.vmap(lambda key: law.complete(key, x, seen))(keys))
sigmoid = lambda a: 1 / (1 + np.exp(-a))


def nade():
    """W (2, 3) and V (3, 2) as they are printed."""
    return NADE(mk((2, 3), 1, 1.0).T, mk((3, 2), 7, 1.0), mk(3, 13, 0.5), mk(2, 16, 0.5))


def loop(law, x):
    """log p(x) entry by entry."""
    weight, readout, bias, a = (np.asarray(part) for part in (law.weight, law.readout, law.bias, law.start))
    total = 0.0
    for i in range(len(bias)):
        rate = sigmoid(bias[i] + readout[i] @ sigmoid(a))
        total += np.log(rate if x[i] == 1 else 1 - rate)
        a = a + weight[i] * x[i]
    return total


def test_probabilities_sum_to_one_and_are_those_of_a_loop():
    found = np.asarray(log_prob(nade(), jnp.asarray(EVENTS)))
    assert np.exp(found).sum() == pytest.approx(1, abs=1e-12)
    assert found[5] == pytest.approx(-2.3632983031, abs=1e-8)  # 101
    np.testing.assert_allclose(found, [loop(nade(), x) for x in EVENTS], atol=1e-12)


def test_draws_have_the_probabilities_of_log_prob():
    chance = np.exp(np.asarray(log_prob(nade(), jnp.asarray(EVENTS))))
    at = np.asarray(drawn(nade(), random.split(random.key(0), COUNT))) @ [4, 2, 1]
    counts = np.bincount(at.astype(int), minlength=8)
    assert stats.chisquare(counts, COUNT * chance).pvalue > 1e-4


@pytest.mark.parametrize("seen", [(True, False, True), (False, True, False), (False, False, True)])
def test_what_is_missing_is_drawn_in_order_and_what_was_seen_weighs_it(seen):
    """Each draw has probability prod over missing of p(x_i | x_<i), and weight prod over seen of it: their product sums
    to the marginal."""
    law, seen, x = nade(), np.array(seen), EVENTS[6]
    agree = (x == EVENTS)[:, seen].all(1)
    whole = np.exp(np.asarray(log_prob(law, jnp.asarray(EVENTS))))
    weight = np.exp(np.asarray(log_prob(law, jnp.asarray(EVENTS), jnp.broadcast_to(jnp.asarray(seen), (8, 3)))))
    chance = whole / weight * agree
    assert chance.sum() == pytest.approx(1, abs=1e-12)
    assert (chance * weight).sum() == pytest.approx(whole[agree].sum(), abs=1e-12)
    at = np.asarray(completed(law, random.split(random.key(1), COUNT), jnp.asarray(x), jnp.asarray(seen))) @ [4, 2, 1]
    counts = np.bincount(at.astype(int), minlength=8)
    assert counts[chance == 0].sum() == 0
    assert stats.chisquare(counts[chance > 0], COUNT * chance[chance > 0]).pvalue > 1e-4


def test_the_mean_is_that_of_each_entry_given_the_means_before_it():
    law = nade()
    a, want = np.asarray(law.start), []
    for i in range(3):
        want.append(sigmoid(np.asarray(law.bias)[i] + np.asarray(law.readout)[i] @ sigmoid(a)))
        a = a + np.asarray(law.weight)[i] * want[-1]
    np.testing.assert_allclose(law.mean, want, atol=1e-12)


def test_a_member_of_the_family_keeps_the_weights_and_has_its_own_biases():
    law, raw = nade(), np.arange(5.0)
    found = law.like(jnp.asarray(raw))
    assert law.size == 5
    want = NADE(law.weight, law.readout, jnp.asarray(raw[:3]), jnp.asarray(raw[3:]))
    assert all((a == b).all() for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)))


def network(hidden, seed=0):
    """A network with all weights away from zero."""
    facts = Facts(Family("bernoulli", (3,)), np.array([0.3, -0.4, 0.1]))
    p, rng = RNNNADEConfig(hidden=hidden, units=2).build(facts, random.key(0)), np.random.default_rng(seed)
    return jax.tree.map(lambda a: a + jnp.asarray(rng.normal(0, 0.7, a.shape)) if eqx.is_array(a) else a, p)


scored = eqx.filter_jit(lambda p, batch, particles: rollout(p, Prior(), batch, random.key(0), particles=particles)[0])


@pytest.mark.parametrize("hidden", [0, 4])
def test_recurrent_likelihood_is_that_of_a_loop_over_time(hidden):
    p, x = network(hidden), np.random.default_rng(1).integers(0, 2, (5, 3)).astype(float)
    linear = lambda layer, a: np.asarray(layer.weight) @ a + np.asarray(layer.bias)
    net, h, want = p.recurrence, np.zeros(hidden), []
    for before, now in zip([np.zeros(3), *x[:-1]], x):
        h = sigmoid(linear(net.gates, before) + linear(net.cell.cells[0].recurrent, h))
        raw = linear(p.from_h.layers[0], h)
        want.append(loop(NADE(p.weight, p.readout, jnp.asarray(raw[:3]), jnp.asarray(raw[3:])), now))
    found = scored(p, Batch(jnp.asarray(x)[None], jnp.ones((1, 5), bool)), 1).log_likelihood[:, 0, 0]
    np.testing.assert_allclose(found, want, atol=1e-10)


def test_missing_entries_leave_an_unbiased_weight_of_what_was_seen():
    """Two frames, the first half seen: p(seen) is a sum over what was not."""
    p, x = network(4), np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    seen = np.array([[False, True, False], [True, False, True]])
    both = np.array([np.concatenate(pair) for pair in itertools.product(EVENTS, EVENTS)]).reshape(64, 2, 3)
    both = both[(both == x)[:, seen].all(1)]
    every = scored(p, Batch(jnp.asarray(both), jnp.ones(both.shape[:2], bool)), 1).log_likelihood.sum((0, 2))
    batch = Batch(jnp.asarray(x)[None], jnp.ones((1, 2), bool), jnp.asarray(seen)[None])
    ratio = np.exp(np.asarray(scored(p, batch, COUNT).log_weight.sum(0)[0])) / np.exp(np.asarray(every)).sum()
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / COUNT**0.5
    assert ratio.std() > 0.01


def test_frames_that_are_not_vectors_of_coins_are_refused():
    for family in (Family("gaussian", (3,)), Family("bernoulli", (2, 2))):
        with pytest.raises(CounterpointError, match="choose p = rnn"):
            RNNNADEConfig().build(Facts(family, np.zeros(family.size)), random.key(0))
