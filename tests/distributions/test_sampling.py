"""Draws follow the density, the density follows SciPy's."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy import stats

from counterpoint.distributions import (
    Bernoulli,
    Categorical,
    Chain,
    Counts,
    DiscretisedGaussian,
    Empty,
    Family,
    FullGaussian,
    Gaussian,
    Grey,
    SpikeSlab,
)

pytestmark = pytest.mark.usefixtures("x64")

COUNT = 40000
LOWER = np.array([[0.9, 0.0, 0.0], [-0.4, 0.7, 0.0], [0.5, 0.3, 1.2]])
LOC = np.array([0.5, -1.0, 0.2])


def draws(law, count=COUNT, key=0):
    return eqx.filter_jit(lambda law, keys: jax.vmap(law.sample)(keys))(law, random.split(random.key(key), count))


class Flip(eqx.Module):
    """A coin whose side depends on the layer drawn before it."""

    weight: jax.Array

    def __call__(self, above):
        return Bernoulli(self.weight @ above + 0.3)


def chain():
    """Drawn second layer first."""
    return Chain(Bernoulli(jnp.array([0.4, -0.8])), Flip(jnp.array([[1.5, -2.0]])), order=(1, 0))


def pairs(values):
    return (np.array(values[0]), np.array(values[1]))


ONE, TWO = ([0.0], [1.0]), ([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0])
FINITE = {
    "bernoulli": (lambda: Bernoulli(jnp.array([0.4, -1.2, 2.0])), [np.array(v, float) for v in np.ndindex(2, 2, 2)]),
    "categorical": (lambda: Categorical(jnp.array([0.1, 1.3, -0.7, 0.0])), list(np.arange(4, dtype=np.int32))),
    "chain": (chain, [pairs(v) for v in itertools.product(ONE, TWO)]),
}


@pytest.mark.parametrize("name", FINITE)
def test_draws_of_finitely_many_events_have_the_probabilities_of_log_prob(name):
    make, events = FINITE[name]
    law = make()
    stacked = jax.tree.map(lambda *a: jnp.stack([jnp.asarray(v) for v in a]), *events)
    chance = np.exp(jax.jit(jax.vmap(law.log_prob))(stacked))
    assert chance.sum() == pytest.approx(1, abs=1e-12)
    flat = lambda tree, n: np.concatenate([np.asarray(a).reshape(n, -1) for a in jax.tree.leaves(tree)], 1)
    seen = flat(draws(law), COUNT)
    counts = [(seen == event).all(1).sum() for event in flat(stacked, len(events))]
    assert sum(counts) == COUNT
    assert stats.chisquare(counts, COUNT * chance).pvalue > 1e-4


def test_gaussian_density_and_draws_are_those_of_scipy():
    law = Gaussian(jnp.asarray(LOC), jnp.array([0.3, 1.0, 2.5]))
    want = stats.norm(LOC, [0.3, 1.0, 2.5])
    x = np.array([0.1, 0.7, -2.0])
    assert law.log_prob(jnp.asarray(x)) == pytest.approx(want.logpdf(x).sum(), abs=1e-10)
    seen = np.array([True, False, True])
    assert law.log_prob(jnp.asarray(x), jnp.asarray(seen)) == pytest.approx(want.logpdf(x)[seen].sum(), abs=1e-10)
    drawn = np.asarray(draws(law))
    for i in range(3):
        assert stats.kstest(drawn[:, i], stats.norm(LOC[i], [0.3, 1.0, 2.5][i]).cdf).pvalue > 1e-4


def test_full_gaussian_density_and_draws_are_those_of_scipy():
    law = FullGaussian(jnp.asarray(LOC), jnp.asarray(LOWER))
    want = stats.multivariate_normal(LOC, LOWER @ LOWER.T)
    x = np.array([0.1, 0.7, -2.0])
    assert law.log_prob(jnp.asarray(x)) == pytest.approx(want.logpdf(x), abs=1e-10)
    white = np.linalg.solve(LOWER, np.asarray(draws(law)).T - LOC[:, None])
    assert stats.kstest((white**2).sum(0), stats.chi2(3).cdf).pvalue > 1e-4
    np.testing.assert_allclose(np.cov(white), np.eye(3), atol=0.03)


@pytest.mark.parametrize("seen", list(itertools.product([True, False], repeat=3)))
def test_full_gaussian_marginal_of_what_is_observed(seen):
    law, seen = FullGaussian(jnp.asarray(LOC), jnp.asarray(LOWER)), np.array(seen)
    x, cov = np.array([0.1, 0.7, -2.0]), LOWER @ LOWER.T
    want = stats.multivariate_normal(LOC[seen], cov[np.ix_(seen, seen)]).logpdf(x[seen]) if seen.any() else 0.0
    assert law.log_prob(jnp.asarray(x), jnp.asarray(seen)) == pytest.approx(want, abs=1e-10)


@pytest.mark.parametrize("seen", [(True, False, False), (False, True, True), (False, False, False)])
def test_what_is_missing_is_drawn_given_the_rest(seen):
    law, seen = FullGaussian(jnp.asarray(LOC), jnp.asarray(LOWER)), np.array(seen)
    x, cov = np.array([0.1, 0.7, -2.0]), LOWER @ LOWER.T
    complete = jax.jit(jax.vmap(lambda key: law.complete(key, jnp.asarray(x), jnp.asarray(seen))))
    drawn = np.asarray(complete(random.split(random.key(1), COUNT)))
    np.testing.assert_array_equal(drawn[:, seen], np.broadcast_to(x[seen], (COUNT, seen.sum())))
    gain = cov[np.ix_(~seen, seen)] @ np.linalg.inv(cov[np.ix_(seen, seen)])
    mean = LOC[~seen] + gain @ (x - LOC)[seen]
    spread = cov[np.ix_(~seen, ~seen)] - gain @ cov[np.ix_(seen, ~seen)]
    far = np.abs(drawn[:, ~seen].mean(0) - mean) / np.sqrt(np.diag(spread) / COUNT)
    assert far.max() < 4.5
    np.testing.assert_allclose(np.atleast_2d(np.cov(drawn[:, ~seen].T)), spread, atol=0.05)


def test_a_spike_is_a_mass_at_zero_and_a_slab_a_gaussian():
    logits, scale = jnp.array([0.4, -1.2, 2.0]), np.array([0.3, 1.0, 2.5])
    law, rate = SpikeSlab(logits, jnp.asarray(LOC), jnp.asarray(scale)), 1 / (1 + np.exp(-np.array(logits)))
    drawn = np.asarray(draws(law))
    assert (np.abs((drawn != 0).mean(0) - rate) < 4.5 * np.sqrt(rate * (1 - rate) / COUNT)).all()
    assert (np.abs(drawn.mean(0) - law.mean) / (drawn.std(0) / COUNT**0.5)).max() < 4.5
    for i in range(3):
        slab = stats.norm(LOC[i], scale[i])
        assert stats.kstest(drawn[drawn[:, i] != 0, i], slab.cdf).pvalue > 1e-4
        for value, want in ((0.0, np.log1p(-rate[i])), (0.7, np.log(rate[i]) + slab.logpdf(0.7))):
            only = jnp.arange(3) == i
            assert law.log_prob(jnp.full(3, value), only) == pytest.approx(want, abs=1e-12)


MEMBERS = {
    "bernoulli": lambda: Bernoulli(jnp.array([0.4, -1.2, 2.0])),
    "gaussian": lambda: Gaussian(jnp.asarray(LOC), jnp.array([0.3, 1.0, 2.5])),
    "discretised_gaussian": lambda: DiscretisedGaussian(jnp.asarray(LOC), jnp.array([1.0, 1.4, 2.5])),
    "full_gaussian": lambda: FullGaussian(jnp.asarray(LOC), jnp.asarray(LOWER)),
    "categorical": lambda: Categorical(jnp.array([0.1, 1.3, -0.7])),
    "counts": lambda: Counts(jnp.array([0.1, 1.3, -0.7]), 7),
    "multinomial": lambda: Counts(jnp.array([0.1, 1.3, -0.7]), 7, True),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_mean_is_the_mean_of_draws(name):
    law = MEMBERS[name]()
    drawn = np.asarray(draws(law, key=2))
    drawn = np.eye(3)[drawn] if name == "categorical" else drawn
    assert (np.abs(drawn.mean(0) - law.mean) / (drawn.std(0) / COUNT**0.5)).max() < 4.5


@pytest.mark.parametrize("name", MEMBERS)
def test_the_score_has_mean_zero(name):
    """E[grad log p(x)] = 0, which only holds where density and draws agree."""
    law = MEMBERS[name]()
    score = jax.jit(jax.vmap(lambda x: jax.grad(lambda law: law.log_prob(x))(law)))(draws(law, key=3))
    for leaf in jax.tree.leaves(score):
        leaf = np.asarray(leaf).reshape(COUNT, -1)
        error = leaf.std(0) / COUNT**0.5
        assert (np.abs(leaf.mean(0)) < 4.5 * error + 1e-12).all()


@pytest.mark.parametrize("name", MEMBERS)
def test_any_numbers_determine_a_member_of_the_family(name):
    law, rng = MEMBERS[name](), np.random.default_rng(0)
    for raw in (np.zeros(law.size), 3 * rng.normal(size=law.size), np.full(law.size, -30.0)):
        member = law.like(jnp.asarray(raw))
        assert type(member) is type(law)
        x = member.sample(random.key(0))
        assert x.shape == law.sample(random.key(0)).shape
        assert jnp.isfinite(member.log_prob(x))
        assert member.support.contains(x).all()
    family = Family(name, (3,))
    assert family.size == law.size
    x = law.sample(random.key(1))
    assert family.flatten(x).shape == (family.width,)
    assert family(jnp.zeros(law.size)).log_prob(x) == pytest.approx(float(law.like(jnp.zeros(law.size)).log_prob(x)))


def test_counts_are_multinomial_once_their_coefficient_is_there():
    law = Counts(jnp.array([0.1, 1.3, -0.7, 0.4]), 9, True)
    chance = np.asarray(jax.nn.softmax(law.logits))
    x = np.array([2.0, 0.0, 3.0, 1.0])  # of another total than is drawn
    assert law.log_prob(jnp.asarray(x)) == pytest.approx(stats.multinomial(6, chance).logpmf(x), abs=1e-10)
    words = np.repeat(np.arange(4), x.astype(int))
    in_order = Counts(law.logits, 9).log_prob(jnp.asarray(x))
    assert in_order == pytest.approx(np.log(chance[words]).sum(), abs=1e-10)
    assert (np.asarray(draws(law, 100)).sum(1) == 9).all()


def test_counts_that_are_seen_are_counts_among_the_seen_words():
    law, x = Counts(jnp.array([0.1, 1.3, -0.7]), 5, True), np.array([2.0, 4.0, 1.0])
    seen = np.array([True, False, True])
    chance = np.exp([0.1, -0.7]) / np.exp([0.1, -0.7]).sum()
    want = stats.multinomial(3, chance).logpmf([2, 1])
    assert law.log_prob(jnp.asarray(x), jnp.asarray(seen)) == pytest.approx(want, abs=1e-10)
    assert law.log_prob(jnp.asarray(x), jnp.zeros(3, bool)) == 0


def test_grey_values_are_held_against_coins():
    """It is the Bernoulli's log-probability where values are 0 and 1, the cross-entropy between, and no density."""
    logits = jnp.array([0.4, -1.2, 2.0])
    rate = np.asarray(jax.nn.sigmoid(logits))
    for x in (np.array([1.0, 0.0, 1.0]), np.array([0.2, 0.7, 0.5])):
        want = (x * np.log(rate) + (1 - x) * np.log(1 - rate)).sum()
        assert Grey(logits).log_prob(jnp.asarray(x)) == pytest.approx(want, abs=1e-12)
    assert not Grey(logits).normalised
    assert Bernoulli(logits).normalised
    np.testing.assert_array_equal(Grey(logits).sample(random.key(0)), Grey(logits).mean)


@pytest.mark.parametrize("name", ["gaussian", "full_gaussian"])
def test_zeros_determine_the_standard_normal(name):
    law = MEMBERS[name]().like(jnp.zeros(MEMBERS[name]().size))
    x = np.array([0.1, 0.7, -2.0])
    assert law.log_prob(jnp.asarray(x)) == pytest.approx(stats.norm.logpdf(x).sum(), abs=1e-3)


def test_layers_that_are_missing_count_nothing():
    law, event = chain(), (jnp.ones(1), jnp.array([1.0, 0.0]))
    seen = (jnp.ones(1, bool), jnp.zeros(2, bool))
    alone = Flip(jnp.array([[1.5, -2.0]]))(event[1]).log_prob(event[0])
    assert law.log_prob(event, seen) == pytest.approx(float(alone), abs=1e-12)


def test_a_chain_is_pathwise_where_all_its_layers_are():
    normal = Gaussian(jnp.zeros(2), jnp.ones(2))
    assert Chain(normal, normal).pathwise
    assert not Chain(normal, Bernoulli(jnp.zeros(2))).pathwise
    assert not chain().pathwise


def test_a_chain_wants_an_order_of_all_its_layers():
    with pytest.raises(ValueError, match="no permutation of the 2 layers"):
        Chain(Bernoulli(jnp.zeros(1)), Bernoulli(jnp.zeros(1)), order=(0, 0))


def test_nothing_has_probability_one():
    assert Empty().sample(random.key(0)) == ()
    assert Empty().log_prob(()) == 0
    assert Empty().size == 0
