"""Posteriors optimised for each observation: from any start to the best of their family."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy.optimize import minimize

from counterpoint.distributions import Bernoulli, Categorical, Chain, Dirichlet, FullGaussian, Gaussian
from counterpoint.distributions.raw import raw
from counterpoint.errors import CounterpointError
from counterpoint.inference import Optimised, OptimisedConfig, Prior
from exact.cases import LDS_FRAMES, lds, mk, score_paths
from exact.test_sbn import STATES, V, sbn

pytestmark = pytest.mark.usefixtures("x64")


def laws():
    normal = Gaussian(mk((2, 2), 1, 1.0), 0.5 + mk((2, 2), 5, 0.4))
    full = FullGaussian(mk(2, 9, 1.0), jnp.array([[0.7, 0.0], [-0.4, 1.3]]))
    coins = Bernoulli(mk((2, 3), 11, 2.0))
    return normal, full, coins, Categorical(mk(3, 17, 1.0)), Chain(normal, full)


def test_raw_numbers_lead_back_to_their_distribution():
    for law in laws():
        numbers = raw(law)
        assert numbers.shape == (law.size,)
        for a, b in zip(jax.tree.leaves(law.like(numbers)), jax.tree.leaves(law), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)
    with pytest.raises(CounterpointError, match="Dirichlet is not among"):
        raw(Dirichlet(jnp.ones(3)))


def proposed(p, q, x):
    """q's law of the first step of a sequence."""

    @eqx.filter_jit
    def law(q, x, key):
        e = p.embed(p.memory(), x)[1]
        context = q.encode(p, q.memory(), x, e, jnp.ones(x.shape, bool))[1]
        return q.propose(p, p.initial(), jax.tree.map(lambda a: a[0], context), x[0], key).distribution

    return law(q, jnp.asarray(x), random.key(2))


@pytest.mark.slow
def test_coins_reach_the_best_of_their_family_from_any_start():
    p, q = sbn()
    trace = score_paths(p, Prior(), V, STATES)
    log_joint, h = np.asarray(trace.log_prior + trace.log_likelihood)[0, 0], STATES[:, 0]

    def elbo(a):
        log_q = h @ a - np.logaddexp(0, a).sum()
        return np.exp(log_q) @ (log_joint - log_q)

    starts = 2 * np.random.default_rng(0).normal(size=(4, 3))
    best = max(-minimize(lambda a: -elbo(a), a).fun for a in starts)
    for start in (q, Prior()):
        begin, found = (elbo(np.asarray(proposed(p, one, V).logits)) for one in (start, Optimised(start, 150, 16)))
        assert begin < best - 1
        assert best - 0.02 < found < best + 1e-6


def test_gaussians_reach_the_best_answer_of_a_step():
    """The first step of the linear system, whose best q is known: mean 0.2777777778, variance 0.4444444444."""
    found = proposed(lds(), Optimised(Prior(), 300, 16), LDS_FRAMES)
    assert found.loc[0] == pytest.approx(0.2777777778, abs=0.03)
    assert found.cholesky[0, 0] ** 2 == pytest.approx(0.4444444444, abs=0.03)


def test_the_gradient_reaches_the_weights_of_the_start():
    """As though the way to the optimum were fixed: d log q / d start at the optimum."""
    p, q = sbn()
    at = lambda q: score_paths(p, Optimised(q, 3, 4, 0.1), V, STATES[:1]).log_q.sum()
    grad = eqx.filter_jit(eqx.filter_grad(at))(q).layers[0].bias
    assert ((grad < 0) & (grad > -1)).all()  # of h = 0: minus the probability of h = 1


def test_it_does_not_start_at_itself():
    with pytest.raises(CounterpointError, match="starts at another"):
        OptimisedConfig("optimised")
