"""Noising chains against enumeration, and against what a chain of pure noise is."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.core import Batch
from counterpoint.data.swiss_roll import swiss_roll
from counterpoint.distributions import Gaussian, Trajectory, divergence, facts
from counterpoint.errors import CounterpointError
from counterpoint.inference import FilteringConfig, Noising, NoisingConfig
from counterpoint.models import DiffusionConfig, TSBNConfig
from counterpoint.rollout import rollout

KEY = random.key(3)
PIXELS, STEPS = 2, 2


def diffusion(kind, steps, silent=False):
    x = np.array([[[0.0, 1.0]], [[1.0, 0.0]]]) if kind == "binary" else np.array([[[0.3, -1.0]], [[1.0, 0.4]]])
    p = DiffusionConfig(steps=steps, width=3, depth=1).build(facts(tuple(x), kind), KEY)
    return jax.tree.map(lambda a: (0.0 if silent else 2.0) * a if eqx.is_array(a) else a, p)


def everything(count):
    return jnp.array(list(itertools.product([0.0, 1.0], repeat=count)))


@pytest.fixture(scope="module")
def enumerated():
    """A binomial chain: log p(z), log q(z | x) and log p(x | z) of every x (rows) and z (columns), in float64."""
    jax.config.update("jax_enable_x64", True)
    p = diffusion("binary", STEPS)
    x, z = everything(PIXELS), everything(STEPS * PIXELS).reshape(-1, STEPS, PIXELS)
    log_p = jax.vmap(p.prior(None).log_prob)(z)
    log_q = jax.vmap(lambda x: jax.vmap(Noising().propose(p, None, None, x, KEY).distribution.log_prob)(z))(x)
    log_x = jax.vmap(lambda x: jax.vmap(lambda z: p.likelihood(None, z).log_prob(x))(z))(x)
    yield p, x, z, log_p, log_q, log_x
    jax.config.update("jax_enable_x64", False)


@pytest.mark.slow
def test_all_laws_sum_to_one(enumerated):
    _, _, _, log_p, log_q, log_x = enumerated
    np.testing.assert_allclose(jnp.exp(log_p).sum(), 1)
    np.testing.assert_allclose(jnp.exp(log_q).sum(1), 1)
    np.testing.assert_allclose(jnp.exp(log_p[None] + log_x).sum(), 1)


def test_the_chain_is_the_formula(enumerated):
    """Signal goes with probability 1/4, then surely: q(z_1 = x) = 7/8, q(z_2 = 1) = 1/2."""
    _, x, z, _, log_q, _ = enumerated
    stays = (z[None, :, 0] == x[:, None]).astype(float)
    by_hand = jnp.log(jnp.where(stays, 0.875, 0.125)).sum(2) + PIXELS * jnp.log(0.5)
    np.testing.assert_allclose(log_q, by_hand, atol=1e-12)


def test_the_bound_is_minus_the_divergence_of_the_trajectories(enumerated):
    """E_D[bound] = E_D[log D] - KL(q || p) over (x, z), and it is the mean of what rollouts give."""
    p, x, _, log_p, log_q, log_x = enumerated
    joint_p = log_p[None] + log_x
    weights = joint_p - log_q
    bound = (jnp.exp(log_q) * weights).sum(1)
    data = jnp.array([0.4, 0.3, 0.2, 0.1])
    joint_q = jnp.log(data)[:, None] + log_q
    divergence = (jnp.exp(joint_q) * (joint_q - joint_p)).sum()
    np.testing.assert_allclose(data @ bound, data @ jnp.log(data) - divergence)
    batch = Batch(x[:, None], jnp.ones((len(x), 1), bool))
    trace, _ = eqx.filter_jit(lambda p: rollout(p, Noising(), batch, KEY, particles=20_000))(p)
    found = trace.log_weight[0]
    found = np.asarray(found)
    assert (np.abs(found.mean(1) - bound) < 4 * found.std(1) / 20_000**0.5).all()
    exact = jnp.exp(joint_p).sum(1)
    ratio = np.exp(found)
    assert (np.abs(ratio.mean(1) - exact) < 4 * ratio.std(1) / 20_000**0.5).all()


def test_the_closed_divergence_of_every_step_has_the_same_mean_and_a_gradient_of_less_noise(enumerated):
    """Sums over all z."""
    p, x, z, log_p, log_q, _ = enumerated
    law = lambda x: Noising().propose(p, None, None, x, KEY).distribution
    closed = jax.jit(jax.vmap(lambda x: jax.vmap(lambda z: divergence(law(x), p.prior(None), z))(z)))(x)
    chance, sampled = jnp.exp(log_q), log_q - log_p[None]
    np.testing.assert_allclose((chance * closed).sum(1), (chance * sampled).sum(1), atol=1e-12)
    params, static = eqx.partition(p, eqx.is_inexact_array)

    def both(params, z):
        prior = eqx.combine(params, static).prior(None)
        return jnp.stack([divergence(law(x[1]), prior, z), -prior.log_prob(z)])

    slopes = jax.jit(jax.vmap(jax.jacrev(both), (None, 0)))(params, z)
    slopes = np.concatenate([np.asarray(a).reshape(len(z), 2, -1) for a in jax.tree.leaves(slopes)], 2)
    weight = np.asarray(chance[1])[:, None, None]
    mean = (weight * slopes).sum(0)
    np.testing.assert_allclose(mean[0], mean[1], atol=1e-12)
    closed, sampled = (weight * (slopes - mean) ** 2).sum((0, 2))
    assert closed < 0.1 * sampled


@pytest.mark.slow
def test_a_rollout_takes_the_closed_divergence_at_its_own_draws():
    p, seen = diffusion("real", 3), jnp.array([[[0.4, -1.0]]])
    batch = Batch(seen, jnp.ones((1, 1), bool))
    trace = eqx.filter_jit(lambda p: rollout(p, Noising(), batch, KEY, particles=4000, closed_form=True)[0])(p)
    apart = np.asarray(trace.kl - (trace.log_q - trace.log_prior))[0, 0]
    assert abs(apart.mean()) < 4 * apart.std() / 4000**0.5
    assert apart.std() > 0.01


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("kind", [pytest.param("real", marks=pytest.mark.slow), "binary"])
def test_of_pure_noise_a_network_of_zeros_is_the_exact_reversal(kind):
    p = diffusion(kind, 7, silent=True)
    x = random.normal(KEY, (1, 1, 2)) if kind == "real" else jnp.array([[[1.0, 0.0]]])
    want = -0.5 * (x**2 + np.log(2 * np.pi)).sum() if kind == "real" else -2 * np.log(2)
    trace, _ = rollout(p, Noising(), Batch(x, jnp.ones((1, 1), bool)), KEY, particles=5)
    slack = 1e-3 if kind == "real" else 1e-9  # deviations have a floor of 1e-4 of their own
    np.testing.assert_allclose(trace.log_weight, np.full((1, 1, 5), want), atol=slack * 20)


@pytest.mark.usefixtures("x64")
def test_the_gaussian_chain_forgets_slowly_at_first():
    """q(z_t | x) = N(sqrt(1 - (t / n)^2) x, (t / n)^2)."""
    p, x, n = diffusion("real", 5), jnp.array([2.0, -1.0]), 20_000
    law = Noising().propose(p, None, None, x, KEY).distribution
    z = jax.vmap(law.sample)(random.split(KEY, n))
    gone = (np.arange(1, 6)[:, None] / 5) ** 2
    np.testing.assert_allclose(z.mean(0), np.sqrt(1 - gone) * np.asarray(x), atol=4 / n**0.5)
    np.testing.assert_allclose(z.var(0), np.broadcast_to(gone, (5, 2)), atol=0.05)


@pytest.mark.usefixtures("x64")
@pytest.mark.slow
def test_a_trajectory_is_its_steps():
    step = lambda i, z: Gaussian(z * (i + 1), jnp.ones_like(z))
    up = Trajectory(Gaussian(jnp.zeros(2), jnp.ones(2)), step, 3)
    down = Trajectory(up.first, step, 3, down=True)
    z = up.sample(KEY)
    np.testing.assert_allclose(down.sample(KEY), z[::-1])
    unit = lambda a: -0.5 * (a**2 + np.log(2 * np.pi))
    each = jnp.stack([unit(z[0]), unit(z[1] - z[0]), unit(z[2] - 2 * z[1])])
    np.testing.assert_allclose(up.log_prob(z), each.sum())
    np.testing.assert_allclose(down.log_prob(z[::-1]), each.sum())
    seen = jnp.array([[True, False]] * 3)
    np.testing.assert_allclose(up.log_prob(z, seen), each[:, 0].sum())
    assert (up.mean == 0).all()
    np.testing.assert_allclose(up.like(jnp.zeros(up.size)).log_prob(z), unit(z).sum(), rtol=1e-3)


def test_what_has_no_chain_is_refused():
    counts = facts((np.array([[1.0, 2.0]]),), "count")
    with pytest.raises(CounterpointError, match="no noising chain is known for likelihood 'counts'"):
        DiffusionConfig().build(counts, KEY)
    binary = facts((np.array([[1.0, 0.0]]),), "binary")
    tsbn = TSBNConfig(units=(2,)).build(binary, KEY)
    with pytest.raises(CounterpointError, match="TSBN has none: choose q = filtering"):
        NoisingConfig().build(tsbn, binary, KEY)
    with pytest.raises(CounterpointError, match="steps is 0; give at least 1"):
        DiffusionConfig(steps=0)
    assert FilteringConfig(width=2).build(diffusion("real", 3), binary, KEY) is not None


def test_the_roll_has_the_moments_of_its_law():
    corpus = swiss_roll(train=20_000, valid=1, test=1)
    x = np.concatenate(corpus.train.x)
    assert x.shape == (20_000, 2)
    np.testing.assert_allclose(x.mean(0), [0, 0], atol=0.03)
    assert (x**2).mean() == pytest.approx(1, abs=0.02)
    with pytest.raises(CounterpointError, match="swiss_roll: valid is 0"):
        swiss_roll(valid=0)
