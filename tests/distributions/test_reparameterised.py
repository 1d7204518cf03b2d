"""Densities and draws against SciPy, moments and their derivatives against closed forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy import special, stats

from counterpoint.distributions import (
    Beta,
    Concrete,
    Dirichlet,
    Gamma,
    Gaussian,
    Gumbel,
    GumbelMinimum,
    Kumaraswamy,
    LogNormal,
    divergence,
)

pytestmark = pytest.mark.usefixtures("x64")

COUNT = 40000
FEW = 2000  # of what is drawn and differentiated slowly
KINDS = (Gaussian, LogNormal, Gumbel, GumbelMinimum, Kumaraswamy, Gamma, Beta)
ONE, TWO = np.array([0.8, 2.5]), np.array([0.6, 1.7])


class Kumar(stats.rv_continuous):
    """SciPy has none."""

    def _cdf(self, x, a, b):
        return 1 - (1 - x**a) ** b

    def _pdf(self, x, a, b):
        return a * b * x ** (a - 1) * (1 - x**a) ** (b - 1)


SCIPY = {
    Gaussian: stats.norm,
    LogNormal: lambda m, s: stats.lognorm(s, scale=np.exp(m)),
    Gumbel: stats.gumbel_r,
    GumbelMinimum: stats.gumbel_l,
    Kumaraswamy: Kumar(a=0, b=1),
    Gamma: lambda a, b: stats.gamma(a, scale=1 / b),
    Beta: stats.beta,
}


def law(kind):
    return kind(jnp.asarray(ONE), jnp.asarray(TWO))


@eqx.filter_jit
def draws(law, key, count=COUNT):
    return jax.vmap(law.sample)(random.split(key, count))


@pytest.mark.parametrize("kind", KINDS)
def test_density_and_draws_are_those_of_scipy(kind):
    x = np.array([0.35, 0.8])
    want = np.array([SCIPY[kind](a, b).logpdf(v) for a, b, v in zip(ONE, TWO, x)])
    assert law(kind).log_prob(jnp.asarray(x)) == pytest.approx(want.sum(), abs=1e-10)
    missing = jnp.array([0.0, 0.8])  # zero where it is missing, where some densities are infinite
    grad = jax.grad(lambda law: law.log_prob(missing, jnp.array([False, True])))(law(kind))
    assert law(kind).log_prob(missing, jnp.array([False, True])) == pytest.approx(want[1], abs=1e-10)
    assert all(np.isfinite(a).all() and a[0] == 0 for a in jax.tree.leaves(grad))
    drawn = np.asarray(draws(law(kind), random.key(0), FEW))
    for i in range(2):
        assert stats.kstest(drawn[:, i], SCIPY[kind](ONE[i], TWO[i]).cdf).pvalue > 1e-4
    assert law(kind).support.contains(drawn).all()


MEANS = {  # of x, by the parameters
    Gaussian: lambda m, s: m,
    LogNormal: lambda m, s: jnp.exp(m + s**2 / 2),
    Gumbel: lambda m, s: m + np.euler_gamma * s,
    GumbelMinimum: lambda m, s: m - np.euler_gamma * s,
    Kumaraswamy: lambda a, b: b * jnp.exp(sum(map(jax.lax.lgamma, (1 + 1 / a, b))) - jax.lax.lgamma(1 + 1 / a + b)),
    Gamma: lambda a, b: a / b,
    Beta: lambda a, b: a / (a + b),
}
SQUARES = {  # of x^2
    Gaussian: lambda m, s: m**2 + s**2,
    LogNormal: lambda m, s: jnp.exp(2 * m + 2 * s**2),
    Gumbel: lambda m, s: MEANS[Gumbel](m, s) ** 2 + np.pi**2 / 6 * s**2,
    GumbelMinimum: lambda m, s: MEANS[GumbelMinimum](m, s) ** 2 + np.pi**2 / 6 * s**2,
    Kumaraswamy: lambda a, b: MEANS[Kumaraswamy](a / 2, b),  # x^2 has that law with a / 2
    Gamma: lambda a, b: a * (a + 1) / b**2,
    Beta: lambda a, b: a * (a + 1) / ((a + b) * (a + b + 1)),
}


def near(found, want):
    """Within 4.5 standard errors of the mean over draws."""
    assert (np.abs(found.mean(0) - want) <= 4.5 * np.asarray(found).std(0) / len(found) ** 0.5 + 1e-10).all()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_through_draws_are_those_of_the_moments(kind):
    """d E[x^n] / d parameters, n = 1, 2, within 4.5 standard errors; and the scores have mean zero."""
    given = law(kind)
    np.testing.assert_allclose(given.mean, MEANS[kind](*jax.tree.leaves(given)), rtol=1e-12)

    def one(key):
        moments = jax.jacobian(lambda law: jnp.stack([law.sample(key), law.sample(key) ** 2]))(given)
        score = jax.grad(lambda law, x: law.log_prob(x))(given, given.sample(key))
        return jax.tree.map(lambda a: jnp.diagonal(a, axis1=-2, axis2=-1), moments), score

    count = FEW if kind in (Beta, Gamma) else COUNT
    moments, score = jax.jit(jax.vmap(one))(random.split(random.key(1), count))
    diagonal = lambda f: [
        jnp.diagonal(a) for a in jax.tree.leaves(jax.jacobian(lambda law: f(*jax.tree.leaves(law)))(given))
    ]
    for found, first, second in zip(jax.tree.leaves(moments), *map(diagonal, (MEANS[kind], SQUARES[kind]))):
        near(found, jnp.stack([first, second]))
    for leaf in jax.tree.leaves(score):
        near(leaf, 0.0)


def scalar(kind, *parameters):
    return kind(*(jnp.full(1, value) for value in parameters))


def test_known_moments():
    assert scalar(Kumaraswamy, 2.0, 3.0).mean == pytest.approx(0.4571428571, abs=1e-9)
    assert scalar(Kumaraswamy, 0.5, 1.0).mean == pytest.approx(1 / 3, abs=1e-9)
    assert scalar(Kumaraswamy, 1.0, 4.0).mean == pytest.approx(0.2, abs=1e-9)
    assert scalar(LogNormal, 0.3, 0.5).mean == pytest.approx(1.5295904197, abs=1e-9)
    alpha, beta = 2.0, 1.5  # the letters of Shareghi 2018
    printed = scalar(GumbelMinimum, np.log(alpha) / beta, 1 / beta)
    assert printed.mean == pytest.approx(0.0772876771, abs=1e-9)
    assert scalar(Gumbel, np.log(alpha) / beta, 1 / beta).mean == pytest.approx(0.8469085636, abs=1e-9)
    # the median is what u = 1/2 draws
    assert printed.drawn(jnp.full(1, -np.log(-np.log(0.5)))) == pytest.approx(0.2177561732, abs=1e-9)


KNOWN = (
    (Kumaraswamy, (2.0, 3.0), 0.25),
    (Kumaraswamy, (0.5, 1.0), 0.2),
    (Kumaraswamy, (1.0, 4.0), 1 / 15),
    (LogNormal, (0.3, 0.5), 0.6645191720),
    (GumbelMinimum, (np.log(2.0) / 1.5, 1 / 1.5), 0.7310818075),
    (Gumbel, (np.log(2.0) / 1.5, 1 / 1.5), 0.7310818075),
)


@pytest.mark.parametrize(("kind", "parameters", "want"), KNOWN)
def test_known_second_moments(kind, parameters, want):
    """E x^2 of Kumaraswamy's laws and variances of the others, as integrals over the density."""
    y, given = np.linspace(-40.0, 30.0, 4001), scalar(kind, *parameters)
    x, slope = {
        Kumaraswamy: (special.expit(y), special.expit(y) * special.expit(-y)),
        LogNormal: (np.exp(y / 2), np.exp(y / 2) / 2),
    }.get(kind, (y, np.ones_like(y)))
    density = np.exp(jax.vmap(given.log_prob)(jnp.asarray(x)[:, None])) * slope
    centre = 0.0 if kind is Kumaraswamy else given.mean
    assert np.trapezoid(density * (x - centre) ** 2, y) == pytest.approx(want, abs=1e-9)
    assert SQUARES[kind](*parameters) - centre**2 == pytest.approx(want, abs=1e-9)


def test_where_kumaraswamys_law_is_a_beta_law():
    x = jnp.array([0.37])
    for a, b in ((1.0, 3.2), (2.7, 1.0)):
        assert scalar(Kumaraswamy, a, b).log_prob(x) == pytest.approx(float(scalar(Beta, a, b).log_prob(x)), abs=1e-10)
    assert abs(float(scalar(Kumaraswamy, 2.0, 3.0).log_prob(x) - scalar(Beta, 2.0, 3.0).log_prob(x))) > 0.01


def test_the_implicit_gradient_of_a_gamma_is_the_quotient_it_is_made_of():
    """dx/da = -(dF/da) / p(x; a), draw by draw; E log x = psi(a), and the mean of its derivative is psi'(a)."""
    value = jax.jit(jax.vmap(jax.value_and_grad(lambda a, key: Gamma(a[None], jnp.ones(1)).sample(key)[0]), (None, 0)))
    for a in (0.3, 2.5, 20.0):
        x, slope = map(np.asarray, value(jnp.asarray(a), random.split(random.key(2), FEW)))
        np.testing.assert_allclose(slope, quotient(a, x), rtol=1e-8)
        for found, want in ((np.log(x), special.digamma(a)), (slope / x, special.polygamma(1, a)), (slope, 1.0)):
            near(found, want)


def quotient(a, x):
    """-(dF(x; a)/da) / p(x; a), its numerator from differences of fourth order."""
    F = lambda h: special.gammainc(a + h, x)
    change = (8 * (F(1e-3) - F(-1e-3)) - (F(2e-3) - F(-2e-3))) / 12e-3
    return -change / np.exp(np.asarray(jax.vmap(Gamma(jnp.full(1, a), jnp.ones(1)).log_prob)(jnp.asarray(x)[:, None])))


def test_known_mean_of_a_gammas_logarithm_and_of_its_derivative_along_the_path():
    """E log x and E[d log x / da], the quotient of the test above, as integrals over the density."""
    y = np.linspace(-14.0, 4.5, 2001)
    x = np.exp(y)
    density = x * np.exp(jax.vmap(scalar(Gamma, 2.5, 1.0).log_prob)(jnp.asarray(x)[:, None]))
    assert np.trapezoid(density * y, y) == pytest.approx(0.7031566406, abs=1e-9)
    assert np.trapezoid(density * quotient(2.5, x) / x, y) == pytest.approx(0.4903577561, abs=1e-9)


def test_a_dirichlet_point_has_the_density_of_scipy_and_beta_marginals():
    alpha = np.array([0.7, 2.0, 1.1])
    given, x = Dirichlet(jnp.asarray(alpha)), np.array([0.2, 0.5, 0.3])
    assert given.log_prob(jnp.asarray(x)) == pytest.approx(stats.dirichlet(alpha).logpdf(x), abs=1e-10)
    drawn = np.asarray(draws(given, random.key(3), FEW))
    np.testing.assert_allclose(drawn.sum(1), 1, atol=1e-12)
    for i in range(3):
        assert stats.kstest(drawn[:, i], stats.beta(alpha[i], alpha.sum() - alpha[i]).cdf).pvalue > 1e-4


def test_gradients_through_dirichlet_points_are_those_of_the_moments():
    """E[x_i] = a_i / s and E[x_i^2] = a_i (a_i + 1) / (s (s + 1)), s = sum_j a_j; by every a_j."""
    alpha = jnp.array([0.7, 2.0, 1.1])
    both = lambda x: jnp.stack([x, x**2])
    one = lambda key: jax.jacobian(lambda alpha: both(Dirichlet(alpha).sample(key)))(alpha)
    total = alpha.sum()
    first = (jnp.eye(3) * total - alpha[:, None]) / total**2
    second = jax.jacobian(lambda a: a * (a + 1) / (a.sum() * (a.sum() + 1)))(alpha)
    near(jax.jit(jax.vmap(one))(random.split(random.key(4), FEW)), jnp.stack([first, second]))


def test_concrete_points_and_gradients_through_them_have_the_moments_of_the_integral():
    """Of two categories x_1 = sigmoid((a_1 - a_2 + y) / tau), y logistic: E[x_1^n], n = 1, 2, and its slopes by a."""
    a, tau, y = jnp.array([0.7, -0.4]), 0.5, np.linspace(-50, 50, 20001)

    def one(key):
        moments = lambda a: (lambda x: jnp.stack([x, x**2]))(Concrete(a, tau).sample(key)[0])
        return moments(a), jax.jacobian(moments)(a)

    moments, slopes = jax.jit(jax.vmap(one))(random.split(random.key(9), COUNT))
    x, weight = special.expit((1.1 + y) / tau), stats.logistic.pdf(y)
    for n in (1, 2):
        near(moments[:, n - 1], np.trapezoid(weight * x**n, y))
        slope = np.trapezoid(weight * n * x**n * (1 - x) / tau, y)
        near(slopes[:, n - 1], np.array([slope, -slope]))


def test_a_concrete_point_has_the_density_of_its_draws():
    """Of two categories x_1 is the logistic of a logistic variable: its density and law are known."""
    a, tau = np.array([0.7, -0.4]), 0.6
    given, x = Concrete(jnp.asarray(a), tau), np.array([0.3, 0.7])
    logit = stats.logistic(loc=(a[0] - a[1]) / tau, scale=1 / tau)
    want = logit.logpdf(special.logit(x[0])) - np.log(x).sum()
    assert given.log_prob(jnp.asarray(x)) == pytest.approx(want, abs=1e-10)
    drawn = np.asarray(draws(given, random.key(5)))
    assert stats.kstest(special.logit(drawn[:, 0]), logit.cdf).pvalue > 1e-4
    three = Concrete(jnp.array([0.5, -0.2, 1.0]), 0.8)
    score = jax.jit(jax.vmap(lambda x: jax.grad(lambda law: law.log_prob(x))(three).logits))(
        draws(three, random.key(6))
    )
    near(score, 0.0)
    cold = np.asarray(draws(Concrete(jnp.array([0.5, -0.2, 1.0]), 0.02), random.key(7)))
    np.testing.assert_allclose(cold.mean(0), three.mean, atol=0.02)
    assert (cold.max(1) > 0.99).mean() > 0.9


@pytest.mark.parametrize("given", [Dirichlet, Concrete, LogNormal, Gumbel, Kumaraswamy, Gamma])
def test_any_numbers_determine_a_member_of_the_family(given):
    one = law(given) if given in KINDS else given(jnp.ones(3))
    for raw in (np.zeros(one.size), 3 * np.random.default_rng(0).normal(size=one.size), np.full(one.size, -30.0)):
        member = one.like(jnp.asarray(raw))
        assert type(member) is given
        x = draws(member, random.key(0), 20)
        assert member.support.contains(np.asarray(x)).all()
        assert jnp.isfinite(jax.vmap(member.log_prob)(x)).all()


def test_single_precision_stays_inside():
    """Draws at the very edge have finite densities and gradients."""
    member = Kumaraswamy(jnp.full(2, 0.05, jnp.float32), jnp.full(2, 8.0, jnp.float32))
    one = lambda key: jax.grad(lambda law: law.log_prob(law.sample(key)))(member)
    grads = jax.jit(jax.vmap(one))(random.split(random.key(0), 2000))
    assert all(np.isfinite(a).all() for a in jax.tree.leaves(grads))
    for kind in (Gamma, Beta):
        member = kind(jnp.full(2, 0.02, jnp.float32), jnp.full(2, 8.0, jnp.float32))
        assert jnp.isfinite(jax.vmap(member.log_prob)(draws(member, random.key(0), 500))).all()


@pytest.mark.parametrize("kind", [Beta, Kumaraswamy])
def test_single_precision_resolves_what_lies_near_zero(kind):
    """Of a = .1, b = 1: E log x = -1 / a, its derivative 1 / a^2; a fifth of the draws is below the rounding of 1."""
    log = lambda a, key: jnp.log(kind(a[None], jnp.ones(1, a.dtype)).sample(key)[0])
    value = jax.jit(jax.vmap(jax.value_and_grad(log), (None, 0)))
    for found, want in zip(value(jnp.float32(0.1), random.split(random.key(8), FEW)), (-10.0, 100.0)):
        assert found.dtype == jnp.float32
        near(found, want)


def test_a_divergence_is_known_where_it_is_closed():
    assert divergence(law(Kumaraswamy), law(Beta)) is None


def test_the_share_that_is_rounded_near_one_is_what_its_docstring_says():
    law = Kumaraswamy(jnp.ones(20_000, jnp.float32), jnp.full(20_000, 0.1, jnp.float32))
    eps = jnp.finfo(jnp.float32).eps
    share = float((law.sample(random.key(0)) >= 1 - eps).mean())
    assert share == pytest.approx(float(eps**0.1), abs=0.02)
    assert 0.18 < share < 0.22
