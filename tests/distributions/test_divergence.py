import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy import special

from counterpoint.distributions import (
    CLOSED,
    Bernoulli,
    Beta,
    Categorical,
    Chain,
    Dirichlet,
    Empty,
    FullGaussian,
    Gamma,
    Gaussian,
    Gumbel,
    GumbelMinimum,
    LogNormal,
    divergence,
    has_divergence,
)

pytestmark = pytest.mark.usefixtures("x64")


def normal(loc, scale):
    return Gaussian(jnp.asarray(loc), jnp.asarray(scale))


def full(loc, seed):
    lower = np.tril(np.random.default_rng(seed).normal(size=(3, 3)), -1) * 0.5 + np.diag([0.8, 1.1, 0.6])
    return FullGaussian(jnp.asarray(loc), jnp.asarray(lower))


def two(kind, *parameters):
    """q and p, two entries each."""
    one, other, first, second = map(jnp.array, parameters)
    return kind(one, other), kind(first, second)


PAIRS = {
    (Gaussian, Gaussian): lambda: (normal([0.5, -1.0], [0.8, 2.0]), normal([-0.2, 0.3], [1.3, 0.9])),
    (FullGaussian, FullGaussian): lambda: (full([0.5, -1.0, 0.2], 0), full([0.1, 0.4, -0.3], 1)),
    (Gaussian, FullGaussian): lambda: (normal([0.5, -1.0, 0.2], [0.8, 0.5, 1.2]), full([0.1, 0.4, -0.3], 1)),
    (FullGaussian, Gaussian): lambda: (full([0.5, -1.0, 0.2], 0), normal([0.1, 0.4, -0.3], [0.8, 0.5, 1.2])),
    (Bernoulli, Bernoulli): lambda: (Bernoulli(jnp.array([0.4, -3.0])), Bernoulli(jnp.array([-1.0, 2.0]))),
    (Categorical, Categorical): lambda: (Categorical(jnp.array([0.1, 1.3, -9.0])), Categorical(jnp.array([1.0, 0, 0]))),
    (LogNormal, LogNormal): lambda: two(LogNormal, (0.3, -1.0), (0.5, 1.2), (0.1, 0.4), (0.9, 0.7)),
    (Gumbel, Gumbel): lambda: two(Gumbel, (0.3, -1.0), (0.5, 1.2), (0.1, 0.4), (0.9, 0.7)),
    (GumbelMinimum, GumbelMinimum): lambda: two(GumbelMinimum, (0.3, -1.0), (0.5, 1.2), (0.1, 0.4), (0.9, 0.7)),
    (Gamma, Gamma): lambda: two(Gamma, (2.5, 0.7), (1.5, 0.8), (1.2, 1.4), (0.9, 2.0)),
    (Beta, Beta): lambda: two(Beta, (2.5, 0.7), (1.5, 0.8), (1.2, 1.4), (0.9, 2.0)),
    (Dirichlet, Dirichlet): lambda: (Dirichlet(jnp.array([0.7, 2.0, 1.1])), Dirichlet(jnp.array([1.5, 0.8, 3.0]))),
    (Empty, Empty): lambda: (Empty(), Empty()),
}


def test_known_divergences_of_normals():
    q = normal(0.5, 0.8)
    assert divergence(q, normal(-0.2, 1.3)) == pytest.approx(0.3198273424, abs=1e-9)
    assert divergence(q, normal(0.0, 1.0)) == pytest.approx(0.1681435513, abs=1e-9)
    one = lambda loc, scale: FullGaussian(jnp.full(1, loc), jnp.full((1, 1), scale))
    assert divergence(one(0.5, 0.8), one(-0.2, 1.3)) == pytest.approx(0.3198273424, abs=1e-9)


def test_every_closed_form_is_tested():
    assert set(CLOSED) == set(PAIRS)


@pytest.mark.parametrize("kinds", PAIRS, ids=lambda kinds: "-".join(kind.__name__ for kind in kinds))
def test_a_closed_form_is_the_mean_log_ratio_of_draws(kinds):
    q, p = PAIRS[kinds]()
    ratio = jax.jit(jax.vmap(lambda key: (lambda z: q.log_prob(z) - p.log_prob(z))(q.sample(key))))
    count = 2000 if kinds[0] in (Gamma, Beta, Dirichlet) else 100000  # those are drawn slowly
    values = np.asarray(ratio(random.split(random.key(0), count)))
    assert abs(values.mean() - float(divergence(q, p))) <= 4.5 * values.std() / count**0.5
    assert divergence(q, q) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", [LogNormal, Gumbel, GumbelMinimum, Gamma, Beta])
def test_a_closed_form_of_one_number_is_the_integral(kind):
    q, p = PAIRS[kind, kind]()
    # of y: x and dx / dy
    scales = {
        LogNormal: (np.linspace(-30, 8, 20001), np.exp, np.exp),
        Gamma: (np.linspace(-60, 5, 20001), np.exp, np.exp),
        Beta: (np.linspace(-28, 28, 20001), special.expit, lambda y: special.expit(y) * special.expit(-y)),
        Gumbel: (np.linspace(-5, 60, 20001), lambda y: y, np.ones_like),
        GumbelMinimum: (np.linspace(-60, 5, 20001), lambda y: y, np.ones_like),
    }
    y, to_x, slope = scales[kind]
    log_q, log_p = (np.asarray(jax.vmap(law.each, out_axes=1)(jnp.asarray(to_x(y)[:, None]))) for law in (q, p))
    each = np.where(np.exp(log_q) > 0, np.exp(log_q) * (log_q - log_p), 0.0)
    found = np.trapezoid(each * slope(y), y).sum()
    assert found == pytest.approx(float(divergence(q, p)), rel=1e-5)


def test_of_two_categories_a_dirichlet_is_a_beta():
    point = lambda a, b: Dirichlet(jnp.array([a, b]))
    want = divergence(*two(Beta, [2.5], [1.5], [1.2], [0.9]))
    assert divergence(point(2.5, 1.5), point(1.2, 0.9)) == pytest.approx(float(want), abs=1e-12)


def test_full_gaussians_without_correlation_are_gaussians():
    q, p = PAIRS[Gaussian, Gaussian]()
    wide = lambda law: FullGaussian(law.loc, jnp.diag(law.scale))
    for pair in ((wide(q), wide(p)), (q, wide(p)), (wide(q), p)):
        assert divergence(*pair) == pytest.approx(float(divergence(q, p)), abs=1e-12)
    q, p = PAIRS[FullGaussian, Gaussian]()
    assert divergence(q, p) == pytest.approx(float(divergence(q, wide(p))), abs=1e-12)


def test_finite_events_by_enumeration():
    q, p = PAIRS[Categorical, Categorical]()
    chance, other = np.asarray(q.mean), np.asarray(p.mean)
    assert divergence(q, p) == pytest.approx((chance * np.log(chance / other)).sum(), abs=1e-10)
    q, p = PAIRS[Bernoulli, Bernoulli]()
    a, b = np.asarray(q.mean), np.asarray(p.mean)
    want = (a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b))).sum()
    assert divergence(q, p) == pytest.approx(want, abs=1e-10)


def test_a_category_that_never_occurs_costs_nothing_and_breaks_no_gradient():
    q, p = Categorical(jnp.array([0.0, 0.0, -1e4])), Categorical(jnp.zeros(3))
    assert divergence(q, p) == pytest.approx(np.log(1.5), abs=1e-12)
    assert np.isfinite(jax.grad(lambda q: divergence(q, p))(q).logits).all()


def test_pairs_without_a_closed_form_say_so():
    normal_law, coins = PAIRS[Gaussian, Gaussian]()[0], Bernoulli(jnp.zeros(2))
    assert divergence(normal_law, coins) is None
    assert not has_divergence(Chain(coins, coins))
