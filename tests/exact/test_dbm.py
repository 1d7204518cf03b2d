"""The deep Boltzmann machine, all states enumerated: its machine, its mean-field bound, and what its gradient is."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from jax.scipy.special import logsumexp

from conformance.parts import refusal
from counterpoint.bounds import ELBO
from counterpoint.core import Batch, Pairing
from counterpoint.data import Sequences
from counterpoint.distributions import facts
from counterpoint.estimators import Persistent, PersistentConfig
from counterpoint.inference import MeanField, MeanFieldConfig
from counterpoint.models import DBM, RBM, DBMConfig
from counterpoint.models.dbm import Link
from counterpoint.training import FitConfig, OptimiserConfig, fit
from exact.cases import mk
from exact.test_rbm import VISIBLE, near

pytestmark = pytest.mark.usefixtures("x64")
SIZES = (3, 2, 3, 2)  # x, h^1, h^2, h^3


def states(units: int) -> np.ndarray:
    return np.array(list(itertools.product([0.0, 1.0], repeat=units)))


def network(depth: int) -> DBM:
    lowest = RBM(mk((2, 3), 1, 1.0), mk(2, 7, 0.5), mk(3, 9, 0.5))
    links = [Link(mk((over, under), 12 + 9 * i, 0.9), mk(over, 20 + i, 0.4))
             for i, (under, over) in enumerate(itertools.pairwise(SIZES[1:]))]  # fmt: skip
    return DBM(lowest=lowest, links=tuple(links[: depth - 1]))


def minus_energy(p: DBM, x, h):
    """-E(x, h), written out."""
    layers = [(p.lowest.weights, p.lowest.hidden), *((a.weights, a.bias) for a in p.links)]
    links = sum(over @ w @ under + b @ over for (w, b), over, under in zip(layers, h, (x, *h)))
    return links + p.lowest.visible @ x


def combinations(p: DBM) -> tuple:
    """Every h, a tuple of (N, J_l)."""
    sizes = SIZES[1 : 2 + len(p.links)]
    every = states(sum(sizes))
    return tuple(jnp.asarray(a) for a in np.split(every, np.cumsum(sizes)[:-1], 1))


@eqx.filter_jit
def joint(p: DBM):
    """-E of every x and h, (8, N)."""
    h = combinations(p)
    return jax.vmap(lambda x: jax.vmap(lambda *h: minus_energy(p, x, h))(*h))(jnp.asarray(VISIBLE))


def law(p: DBM):
    """log p(x) of every x."""
    return logsumexp(joint(p), 1) - logsumexp(joint(p))


@pytest.mark.parametrize("depth", [2, 3])
def test_it_is_one_machine_over_even_and_odd_layers(depth):
    p = network(depth)
    near(p.total, logsumexp(joint(p)))
    h, x = combinations(p), jnp.asarray(VISIBLE[5])
    one = lambda *z: p.prior(None).log_prob(z) + p.likelihood(None, z).log_prob(x)
    near(eqx.filter_jit(lambda p: jax.vmap(one)(*h))(p), joint(p)[5] - p.total)


def test_its_layers_are_drawn_by_a_chain():
    p, weights = network(3), 2.0 ** np.arange(7)
    keys = random.split(random.key(0), 2000)
    drawn = eqx.filter_jit(lambda p, keys: jax.vmap(p.prior(None).sample)(keys))(p, keys)
    h = combinations(p)
    number = lambda h: np.asarray(np.concatenate(h, 1) @ weights, int)
    share = np.zeros(128)
    share[number(h)] = np.exp(logsumexp(joint(p), 0) - p.total)
    for mean, layer in zip(p.prior(None).mean, h):
        near(mean, np.exp(logsumexp(joint(p), 0) - p.total) @ np.asarray(layer))
    found = np.bincount(number(drawn), minlength=128) / 2000
    # chi^2 of 127 degrees of freedom, nearly: a mean of 127 and a deviation of 16
    assert (2000 * (found - share) ** 2 / share).sum() < 127 + 5 * 16


def value(p: DBM, x, mean, total):
    """E_q[-E(x, h)] + H(q) - log Z at means, by the linearity of E."""
    entropy = sum(-(m * jnp.log(m) + (1 - m) * jnp.log1p(-m)).sum() for m in mean)
    return minus_energy(p, x, mean) + entropy - total


def means(q: MeanField, p: DBM, x):
    return tuple(map(jax.nn.sigmoid, q.logits(p, x)))


def test_the_mean_field_bound_grows_with_iterations_and_stays_below():
    p = network(3)
    run = eqx.filter_jit(lambda p, x, q: value(p, x, means(q, p, x), p.total))
    for x, want in zip(jnp.asarray(VISIBLE), law(p)):
        found = [float(run(p, x, MeanField(n))) for n in (1, 2, 4, 30)]
        assert found == sorted(found)
        assert found[-1] < want - 1e-4
    slope = eqx.filter_jit(jax.grad(lambda mean, p, x: value(p, x, mean, 0.0)))
    x = jnp.asarray(VISIBLE[3])
    for leaf in slope(means(MeanField(200), p, x), p, x):
        near(leaf, np.zeros(leaf.shape), 1e-6)


@pytest.fixture(scope="module")
def batch():
    return np.repeat(VISIBLE, [1, 3, 2, 4, 1, 3, 1, 3], 0)


def batch_of(x) -> Batch:
    return Batch(jnp.asarray(x[:, None]), jnp.ones((len(x), 1), bool))


def test_its_gradient_is_that_of_the_bound(batch):
    """Mean-field means and the chains' ends: exactly, but for the chains, which begin as draws of p itself."""
    p, q = network(3), MeanField(100)
    flat = joint(p) - p.total
    rng, h = np.random.default_rng(0), combinations(p)
    index = rng.choice(flat.size, 20_000, p=np.exp(np.ravel(flat)) / np.exp(flat).sum())
    x, hidden = VISIBLE[index // flat.shape[1]], index % flat.shape[1]
    estimator = Persistent(jnp.asarray(np.concatenate([x, np.asarray(h[1])[hidden]], 1)), 1)

    @eqx.filter_jit
    def both(p, rows):
        loss = lambda p: estimator(p, q, ELBO(), rows, random.key(0), estimator.initial(), 0)[0].surrogate
        mean = lambda p, x: value(p, x, jax.lax.stop_gradient(means(q, p, x)), logsumexp(joint(p)))
        whole = lambda p: jax.vmap(lambda x: mean(p, x))(rows.x[:, 0]).mean()
        return eqx.filter_grad(loss)(p), eqx.filter_grad(whole)(p)

    found, want = both(p, batch_of(batch))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)):
        near(-a, b, 4 * 0.5 / 20_000**0.5)
    assert max(float(np.abs(b).max()) for b in jax.tree.leaves(want)) > 0.1


@pytest.mark.slow
def test_fit_learns_it(batch):
    """The exact log-likelihood grows to near that of the data's own law."""
    x = np.repeat(batch, 10, 0)[:, None]
    known = facts(tuple(x), "binary")
    p = DBMConfig(units=(4, 3), scale=0.3).build(known, random.key(0))
    q = MeanFieldConfig(20).build(p, known, random.key(1))
    method = PersistentConfig(200).build(p, known, random.key(2))
    config = FitConfig(epochs=500, batch_size=len(x), buckets=1, optimiser=OptimiserConfig(p=0.02))
    found = fit(Pairing(p, q, ELBO(), method), Sequences(tuple(x)), config=config).pairings[0].p
    share = np.bincount(np.asarray(batch @ np.array([4, 2, 1]), int), minlength=8) / len(batch)
    log_p = logsumexp(jax.vmap(lambda x: jax.vmap(lambda *h: minus_energy(found, x, h))(*every(4, 3)))(
        jnp.asarray(VISIBLE)), 1) - found.total  # fmt: skip
    assert share @ np.asarray(log_p) > share @ np.log(share) - 0.1


def every(*sizes):
    return tuple(jnp.asarray(a) for a in np.split(states(sum(sizes)), np.cumsum(sizes)[:-1], 1))


def test_what_does_not_fit_says_why():
    real = facts((np.random.default_rng(0).normal(size=(5, 2)),), "real")
    assert "these frames are real" in refusal(lambda: DBMConfig().build(real, random.key(0)))
    other = RBM(mk((2, 3), 1, 1.0), mk(2, 7, 0.5), mk(3, 9, 0.5))
    assert "choose q = filtering" in refusal(lambda: MeanFieldConfig().build(other, real, random.key(0)))
    assert "choose p = dbm" in refusal(lambda: PersistentConfig().build(other, real, random.key(0)))
