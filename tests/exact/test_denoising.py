"""Corrupting and reconstructing, against enumeration (REFERENCE D7), and the chain between the two."""

import itertools
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from jax.scipy.special import logit

from counterpoint.bounds import Denoising
from counterpoint.core import Batch, Pairing
from counterpoint.data import Corpus, Sequences
from counterpoint.distributions import SaltAndPepper, facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators import Walkback, WalkbackConfig
from counterpoint.evaluation import generate, parzen_windows
from counterpoint.inference import GaussianNoiseConfig, LearnedCorruptionConfig, SaltAndPepperConfig
from counterpoint.inference.learned_corruption import LEAST
from counterpoint.models import DAEConfig
from counterpoint.training import FitConfig, OptimiserConfig, fit

KEY = random.key(5)
LAW = np.array([0.5, 0.3, 0.2])  # D of three categories
PHI = 0.4  # that another category takes the place of one
COUNTS = (5, 3, 2)  # of a batch that is the whole of D


def categories(leak=0.2):
    """p(x | z) = (1 - leak) p*(x | z) + leak / 3, p* the exact posterior under a corruption that is learned; and it."""
    x = np.repeat(np.arange(3), COUNTS)
    known = facts((x,), "index")
    p = DAEConfig(depth=0).build(known, KEY)
    q = LearnedCorruptionConfig(depth=0).build(p, known, KEY)
    rate = (1.5 * PHI - LEAST) / (1 - LEAST)  # whatever takes its place may be the same again
    q = eqx.tree_at(lambda q: q.network, q, jnp.full(1, logit(rate)))
    joint = LAW[:, None] * corrupted(q, np.arange(3), np.arange(3))
    table = (1 - leak) * joint / joint.sum(0) + leak / 3  # (x, z)
    layer = lambda p: (p.network.layers[0].weight, p.network.layers[0].bias)
    return eqx.tree_at(layer, p, (jnp.log(table), jnp.zeros(3))), q, x


def corrupted(q, x, z):
    """q(z | x), a matrix."""
    law = lambda x: q.propose(None, None, x, x, KEY).distribution
    return np.asarray(jax.vmap(lambda x: jnp.exp(jax.vmap(law(x).log_prob)(jnp.asarray(z))))(jnp.asarray(x)))


def reconstructed(p, z, x):
    """p(x | z), a matrix."""
    return np.asarray(
        jax.vmap(lambda z: jnp.exp(jax.vmap(p.likelihood(None, z).log_prob)(jnp.asarray(x))))(jnp.asarray(z))
    )


def enumerated(p, q, x, z):
    """The trace of frames x and corruptions z (B, K) of them, of a batch that is the whole of D."""
    return Denoising(others=False).scored(
        p, q, jnp.asarray(x)[:, None], jnp.asarray(z)[:, None], jnp.ones((len(x), 1), bool)
    )


def slope():
    """d phi / d logit."""
    rate = (1.5 * PHI - LEAST) / (1 - LEAST)
    return rate * (1 - rate) * (1 - LEAST) / 1.5


@pytest.mark.usefixtures("x64")
@pytest.mark.slow
def test_the_mutual_information_that_the_print_drops():
    """D7: the gradient of KL(q || p) has it; eq. 9 alone has the other sign."""
    p, q, x = categories()
    z = np.tile(np.arange(3), (10, 1))

    def parts(q):
        trace = enumerated(p, q, x, z)
        chance = jnp.exp(trace.log_q)
        mean = lambda a: (chance * a).sum() / 10
        return mean(trace.log_likelihood), mean(trace.log_q - trace.log_prior), mean(trace.log_weight)

    (reconstruction, information, bound), gradients = jax.jit(lambda q: (parts(q), jax.jacobian(parts)(q)))(q)
    one, two, whole = (float(g.network[0]) / slope() for g in gradients)
    assert -one == pytest.approx(0.8070077242, abs=1e-8)
    assert two == pytest.approx(-1.0161201222, abs=1e-8)
    assert -whole == pytest.approx(-0.2091123980, abs=1e-8)
    # by hand
    joint = LAW[:, None] * corrupted(q, np.arange(3), np.arange(3))
    np.testing.assert_allclose(corrupted(q, [0], np.arange(3)), [[1 - PHI, PHI / 2, PHI / 2]], atol=1e-12)
    told = (joint * np.log(joint / joint.sum(0) / LAW[:, None])).sum()
    assert information == pytest.approx(told, abs=1e-12)
    table = reconstructed(p, np.arange(3), np.arange(3)).T
    divergence = (joint * np.log(joint / joint.sum(0) / table)).sum()
    assert bound == pytest.approx((LAW * np.log(LAW)).sum() - divergence, abs=1e-12)
    assert reconstruction - information == pytest.approx(float(bound), abs=1e-12)
    seen = table @ joint.sum(0)  # p(x)
    assert bound < (LAW * np.log(seen)).sum()


@pytest.mark.usefixtures("x64")
@pytest.mark.slow
def test_the_estimator_of_a_learned_corruption_has_that_gradient():
    """Five corruptions of each datum, as often as q has them, are its law; 50 of them are a sample whose baseline, the
    mean of the others, scales the score part by 50 / 49."""
    p, q, x = categories()
    z = np.stack([[i, i, i, (i + 1) % 3, (i + 2) % 3] for i in x])
    bound, method = Denoising(particles=5, others=False), Walkback()

    def surrogate(q):
        trace = enumerated(p, q, x, z)
        return jnp.stack([bound(trace).sum(), 49 / 50 * method.score(bound, trace, None)]) / 10

    direct, score = np.asarray(jax.jit(jax.jacobian(surrogate))(q).network[:, 0]) / slope()
    assert -(direct + score) == pytest.approx(-0.2091123980, abs=1e-8)
    assert abs(direct) < 1e-12  # held samples: scores of both laws have mean zero
    assert not method.law(p, q).pathwise
    batch, bound = Batch(jnp.asarray(x)[:, None], jnp.ones((10, 1), bool)), Denoising(others=False)
    sampled = lambda q, i: method(p, q, bound, batch, random.fold_in(KEY, i), (), 0)[0].surrogate
    found = jax.jit(jax.vmap(lambda i: jax.grad(sampled)(q, i)))(jnp.arange(3000)).network
    found = np.asarray(found[:, 0]) / slope()
    assert abs(found.mean() + 0.2091123980) < 4 * found.std() / 3000**0.5 < 0.1


def pixels(exact: bool):
    """Two binary pixels that are independent, and the p that knows it; or any p."""
    rng = np.random.default_rng(0)
    known = facts((rng.integers(0, 2, (9, 2)).astype(float),))
    q = SaltAndPepperConfig(0.4).build(None, known, None)
    if not exact:
        p = DAEConfig(width=3).build(known, KEY)
        return jax.tree.map(lambda a: 2.0 * a if eqx.is_inexact_array(a) else a, p), q
    p = DAEConfig(depth=0).build(known, KEY)
    told = np.log(0.8 / 0.2)
    layer = lambda p: (p.network.layers[0].weight, p.network.layers[0].bias)
    return eqx.tree_at(layer, p, (2 * told * jnp.eye(2), logit(jnp.array([0.2, 0.7])) - told)), q


ALL = np.array(list(itertools.product([0.0, 1.0], repeat=2)))


def moves(p, q, x, z):
    """The chain's transitions from x to x."""
    return corrupted(q, x, z) @ reconstructed(p, z, x)


@pytest.mark.usefixtures("x64")
def test_the_law_of_the_data_is_stationary_where_the_reconstruction_is_exact():
    p, q, _ = categories(leak=0.0)
    np.testing.assert_allclose(LAW @ moves(p, q, np.arange(3), np.arange(3)), LAW, atol=1e-12)
    p, q = pixels(exact=True)
    law = np.prod(np.where(ALL == 1, [0.2, 0.7], [0.8, 0.3]), 1)
    np.testing.assert_allclose(law @ moves(p, q, ALL, ALL), law, atol=1e-12)
    leaky, q, _ = categories()
    assert np.abs(LAW @ moves(leaky, q, np.arange(3), np.arange(3)) - LAW).max() > 0.01


@pytest.mark.parametrize("kind", ["binary", pytest.param("index", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_what_is_generated_follows_the_stationary_law(kind):
    (p, q), values = (categories()[:2], np.arange(3)) if kind == "index" else (pixels(exact=True), ALL)
    if kind == "binary":  # slow to move: the chain must have run for long
        layer = lambda p: (p.network.layers[0].weight, p.network.layers[0].bias)
        p = eqx.tree_at(layer, p, (jnp.array([[6.0, 1.0], [-1.0, 6.0]]), jnp.array([-3.0, -2.0])))
    chain = np.linalg.matrix_power(moves(p, q, values, values).astype(float), 200)
    law = chain[0] / chain[0].sum()
    made = np.concatenate(generate(p, KEY, 1, 4000, q=q))
    index = made if kind == "index" else made @ [2, 1]
    rate = np.bincount(index.astype(int), minlength=len(values)) / 4000
    assert (np.abs(rate - law) < 4 * (law * (1 - law) / 4000) ** 0.5).all()
    assert np.abs(law - 1 / len(values)).max() > 0.03


@pytest.mark.usefixtures("x64")
@pytest.mark.slow
def test_walkback_reconstructs_the_datum_from_along_the_chain():
    """E = sum_n sum_z q_n(z | x) grad log p(x | z), q_n the law of z_n."""
    p, q = pixels(exact=False)
    x = ALL[1]
    batch = Batch(jnp.asarray(x)[None, None], jnp.ones((1, 1), bool))
    bound, method = Denoising(information=False), Walkback(3)

    def each(p, i):
        return -method(p, q, bound, batch, random.fold_in(KEY, i), (), 0)[0].surrogate

    one = lambda i: jnp.concatenate([g.ravel() for g in jax.tree.leaves(eqx.filter_grad(each)(p, i))])
    found = np.asarray(jax.jit(jax.vmap(one))(jnp.arange(4000)))
    step, law = moves(p, q, ALL, ALL), corrupted(q, x[None], ALL)[0]
    laws = [np.linalg.matrix_power(step, n)[1] @ corrupted(q, ALL, ALL) for n in range(3)]
    np.testing.assert_allclose(laws[0], law)
    log_p = lambda p: jax.vmap(lambda z: p.likelihood(None, z).log_prob(jnp.asarray(x)))(jnp.asarray(ALL))
    exact = jax.jit(lambda law: jax.tree.leaves(eqx.filter_grad(lambda p: (log_p(p) * law).sum())(p)))
    want, other = (np.concatenate([g.ravel() for g in exact(law)]) for law in (sum(laws), 3 * law))
    error = found.std(0) / len(found) ** 0.5
    assert (np.abs(found.mean(0) - want) < 4.5 * error + 1e-12).all()
    assert (np.abs(other - want) > 9 * error).any()  # the later moves are told from the first


@pytest.mark.usefixtures("x64")
def test_noise_of_a_learned_size_has_a_pathwise_gradient():
    """Two real points: the expectation by Gauss-Hermite quadrature."""
    x = np.array([[-0.6], [0.9]])
    known = facts((x,), "real")
    p = DAEConfig(width=2).build(known, KEY)
    q = LearnedCorruptionConfig(depth=0, noise=0.7).build(p, known, KEY)
    bound, method = Denoising(particles=1, others=False), Walkback()
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def expected(q):
        scale = LEAST + jax.nn.softplus(q.network[0])
        z = x[:, None, None] + scale * nodes[None, None, :, None]
        trace = bound.scored(p, q, jnp.asarray(x)[:, None], z, jnp.ones((2, 1), bool))
        return (trace.log_weight @ weights).sum() / weights.sum() / 2

    batch = Batch(jnp.asarray(x)[:, None], jnp.ones((2, 1), bool))
    sampled = lambda q, i: -method(p, q, bound, batch, random.fold_in(KEY, i), (), 0)[0].surrogate
    found = np.asarray(jax.jit(jax.vmap(lambda i: jax.grad(sampled)(q, i).network[0]))(jnp.arange(3000)))
    want = float(jax.jit(jax.grad(expected))(q).network[0])
    assert abs(found.mean() - want) < 4 * found.std() / 3000**0.5
    assert abs(want) > 10 * found.std() / 3000**0.5
    level = q.propose(p, None, x[0], jnp.asarray(x[0]), KEY).distribution.scale
    np.testing.assert_allclose(level, 0.7)


@pytest.mark.usefixtures("x64")
def test_salt_and_pepper_is_a_mass_on_three_values():
    law = SaltAndPepper(jnp.array([0.3, 1.0]), jnp.array([0.4, 0.4]))
    one = lambda a, b: float(jnp.exp(law.log_prob(jnp.array([a, b]))))
    assert one(0.3, 1.0) == pytest.approx(0.6 * 0.8)
    assert one(0.0, 0.0) == pytest.approx(0.2 * 0.2)
    assert one(0.5, 0.0) == 0
    assert sum(one(a, b) for a in (0.3, 0.0, 1.0) for b in (0.0, 1.0)) == pytest.approx(1)
    z = np.asarray(jax.vmap(law.sample)(random.split(KEY, 4000)))
    assert set(np.unique(z[:, 0])) == {0.0, 0.3, 1.0}
    np.testing.assert_allclose(z.mean(0), law.mean, atol=0.03)
    np.testing.assert_allclose((z[:, 0] == 0.3).mean(), 0.6, atol=0.035)
    assert float(law.log_prob(jnp.array([0.5, 0.0]), jnp.array([False, True]))) == pytest.approx(np.log(0.2))
    np.testing.assert_allclose(law.like(jnp.zeros(law.size)).rate, 0.5)


@pytest.mark.usefixtures("x64")
def test_gaussian_noise_is_what_it_says():
    known = facts((np.array([[0.2, 0.8], [0.5, 0.1]]),), "grey")
    q = GaussianNoiseConfig(0.3).build(None, known, None)
    law = q.propose(None, None, None, jnp.array([0.2, 0.8]), KEY).distribution
    np.testing.assert_allclose(law.loc, [0.2, 0.8])
    np.testing.assert_allclose(law.scale, 0.3)


@pytest.mark.slow
def test_fit_learns_to_draw_what_agrees():
    """Four bits that agree but for noise: one frame in eight does by chance."""
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 2, (200, 1, 1)) ^ (rng.random((200, 1, 4)) < 0.02)).astype(float)
    known = facts(tuple(x))
    p = DAEConfig(width=10).build(known, KEY)
    q = SaltAndPepperConfig(0.3).build(p, known, KEY)
    method = WalkbackConfig(2).build(p, known, KEY)
    pairing = Pairing(p, q, Denoising(information=False), method)
    config = FitConfig(epochs=60, batch_size=50, buckets=1, optimiser=OptimiserConfig(p=0.03))
    found = fit(pairing, Sequences(tuple(x)), config=config).pairings[0]
    agree = lambda p: np.mean([len(np.unique(a)) == 1 for a in generate(p, KEY, 1, 400, q=q)])
    assert agree(found.p) > 0.5
    assert agree(p) < 0.2


def test_windows_stand_around_what_the_chain_ends_in():
    """A p that reconstructs everything alike: one window."""

    part = Sequences(tuple(np.random.default_rng(1).uniform(0, 1, (6, 1, 2)).astype(np.float32)))
    still = Corpus("still", part, part, part, kind="grey")
    known = facts(part.x, "grey")
    p = jax.tree.map(lambda a: 0 * a if eqx.is_inexact_array(a) else a, DAEConfig(width=2).build(known, KEY))
    q = SaltAndPepperConfig().build(p, known, KEY)
    mean, error, width = parzen_windows(p, q, still, KEY, 3)
    x = np.concatenate(part.x)
    by_hand = -((x - 0.5) ** 2).sum(1) / (2 * width**2) - 2 * np.log(width * np.sqrt(2 * np.pi))
    assert mean == pytest.approx(by_hand.mean(), abs=1e-4)
    assert error == pytest.approx(by_hand.std(ddof=1) / 6**0.5, abs=1e-4)
    with pytest.raises(CounterpointError, match="give at least 1"):
        parzen_windows(p, q, still, KEY, 0)
    films = replace(still, test=Sequences((np.zeros((2, 2), np.float32),)))
    with pytest.raises(CounterpointError, match="still frames of numbers, and these are sequences"):
        parzen_windows(p, q, films, KEY, 3)
