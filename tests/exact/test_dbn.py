"""The deep belief network, all states of all layers enumerated: what it says of x, and what greedy learning may do."""

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
from counterpoint.core import Pairing
from counterpoint.data import Sequences
from counterpoint.distributions import facts
from counterpoint.estimators import Greedy, GreedyConfig, Pathwise
from counterpoint.inference import DBNRecognition, DBNRecognitionConfig
from counterpoint.models import DBN, RBM, DBNConfig
from counterpoint.models.boltzmann import measured
from counterpoint.training import FitConfig, OptimiserConfig, fit
from exact.cases import mk
from exact.test_rbm import CD, DATA, HIDDEN, LOG_P, VISIBLE, batch_of_data, log_law, near, rbm

pytestmark = pytest.mark.usefixtures("x64")


def states(units: int):
    return jnp.asarray(list(itertools.product([0.0, 1.0], repeat=units)))


def network(tied: bool, *shapes, start=30) -> DBN:
    """Of the RBM of Bachman and Precup 2015, and of machines (upper, lower units) above it."""
    parts = [rbm()]
    for i, (over, under) in enumerate(shapes):
        draw = lambda shape, at, i=i: 0.0 * jnp.zeros(shape) if tied else mk(shape, start + 10 * i + at, 0.8)
        parts.append(RBM(draw((over, under), 0), draw((over,), 3), draw((under,), 7)))
    return DBN(parts=tuple(parts), tied=len(shapes) if tied else 0)


@eqx.filter_jit
def law(p: DBN):
    """log p(x) of every x, by NumPy's rules: every machine's weights, energies and sums written out."""
    *lower, top = p.machines
    h, over = states(top.visible.size), states(top.hidden.size)
    energy = -(h @ top.weights.T @ over.T + (h @ top.visible)[:, None] + (over @ top.hidden)[None])
    log_h = logsumexp(-energy, 1) - logsumexp(-energy)
    for machine in reversed(lower):
        under = states(machine.visible.size)
        rate = jax.nn.sigmoid(h @ machine.weights + machine.visible[None])  # (over, under units)
        each = jnp.where(under[None] == 1, jnp.log(rate)[:, None], jnp.log1p(-rate)[:, None]).sum(-1)
        h, log_h = under, logsumexp(each + log_h[:, None], 0)
    return log_h


@eqx.filter_jit
def bound(p: DBN, x):
    """E_q[log p(x, z) - log q(z | x)] of one x, every z of the two lower layers or one enumerated."""
    q, sizes = DBNRecognition(), [m.hidden.size for m in p.machines[:-1]]
    parts = [states(n) for n in sizes]
    index = jnp.asarray(list(itertools.product(*(range(len(a)) for a in parts))))
    z = [a[index[:, i]] for i, a in enumerate(parts)]
    z = tuple(z) if len(z) > 1 else z[0]

    def one(z):
        log_q = q.propose(p, None, x, x, random.key(0)).distribution.log_prob(z)
        return jnp.exp(log_q) * (p.prior(None).log_prob(z) + p.likelihood(None, z).log_prob(x) - log_q)

    return jax.vmap(one)(z).sum()


def bounds(p: DBN):
    return jnp.stack([bound(p, x) for x in jnp.asarray(VISIBLE)])


def test_tied_weights_are_the_machine_itself():
    """D1b, of two layers and of three."""
    for shapes in ([(3, 2)], [(3, 2), (2, 3)]):
        p = network(True, *shapes)
        near(law(p), log_law(rbm()), 1e-14)
        near(bounds(p)[:2], log_law(rbm())[:2], 1e-14)  # and what goes up is then exact
        near(law(p), LOG_P)


def test_its_likelihood_is_that_of_all_states():
    """By the priors and likelihoods of the protocol, for three layers that are not tied; the bound stays below."""
    p = network(False, (3, 2), (2, 3))
    h1, h2 = jnp.asarray(HIDDEN), states(3)

    @eqx.filter_jit
    def both(p, x):
        one = lambda a, b: p.prior(None).log_prob((a, b)) + p.likelihood(None, (a, b)).log_prob(x)
        return logsumexp(jax.vmap(lambda a: jax.vmap(lambda b: one(a, b))(h2))(h1))

    want = law(p)
    assert jnp.exp(want).sum() == pytest.approx(1)
    near(jnp.stack([both(p, x) for x in jnp.asarray(VISIBLE)]), want)
    assert (bounds(p)[:2] < want[:2] - 1e-3).all()


@pytest.mark.slow
def test_its_prior_is_drawn_by_chains():
    """Of two layers: h^1 by a chain of 100 temperatures."""
    p = network(False, (3, 2))
    drawn = eqx.filter_jit(lambda p, keys: jax.vmap(p.prior(None).sample)(keys))(p, random.split(random.key(0), 2000))
    log_h = -jax.vmap(lambda h: p.machine.free_energy(None, h))(jnp.asarray(HIDDEN)) - p.total
    near(p.prior(None).mean, np.exp(log_h) @ HIDDEN)
    share = np.bincount(np.asarray(drawn @ jnp.array([2.0, 1.0]), int), minlength=4) / 2000
    assert (np.abs(share - np.exp(log_h)) < 4 * np.sqrt(0.25 / 2000)).all()


@eqx.filter_jit
def step(p, batch, key, number, estimator):
    """(gradient of p, what is reported)."""
    loss = lambda p: estimator(p, DBNRecognition(), ELBO(), batch, key, (), number)[0]
    return eqx.filter_grad(lambda p: (loss(p).surrogate, loss(p).value), has_aux=True)(p)


@pytest.mark.slow
def test_greedy_learns_one_machine_at_a_time_by_contrastive_divergence():
    p, batch, estimator = network(True, (3, 2)), batch_of_data(400), Greedy(updates=5)
    grads = [step(p, batch, random.key(i), 4, estimator)[0] for i in range(30)]
    found = np.stack([g.parts[0].weights.T.ravel() for g in grads])
    error = found.std(0, ddof=1) / len(found) ** 0.5
    assert (np.abs(found.mean(0) + np.array(CD[1])) < 4 * error + 1e-3).all()
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(grads[0].parts[1]))
    grad, _ = step(p, batch, random.key(0), 5, estimator)  # its own five updates are over
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(grad.parts[0]))
    assert (grad.parts[1].weights != 0).all()


def test_a_layer_begins_where_the_one_before_it_ended_and_raises_the_bound():
    """Exactly: the gradient of the upper machine's own part is that of the bound, and the bound rises along it."""
    p = network(True, (3, 2))
    value = lambda p: jnp.asarray(DATA) @ bounds(p)
    begin = value(p)
    near(begin, DATA @ np.array(LOG_P))
    grad = eqx.filter_grad(value)(p)
    moved = eqx.tree_at(lambda p: p.parts[1], p, jax.tree.map(lambda a, g: a + 0.5 * g, p.parts[1], grad.parts[1]))
    assert value(moved) > begin + 1e-3
    assert jnp.asarray(DATA) @ law(moved) >= value(moved) - 1e-12


@pytest.mark.slow
def test_fit_learns_two_layers_above_what_one_reaches():
    rng = np.random.default_rng(0)
    x = np.repeat(np.asarray(VISIBLE), np.round(400 * DATA).astype(int), 0)[:, None]
    known = facts(tuple(x), "binary")
    p = DBNConfig(units=(2,), scale=0.5).build(known, random.key(0))
    config = FitConfig(epochs=600, batch_size=400, buckets=1, optimiser=OptimiserConfig(p=0.02))
    pairing = Pairing(p, DBNRecognition(), ELBO(), GreedyConfig(300, 5).build(p, known, random.key(1)))
    found = fit(pairing, Sequences(tuple(rng.permutation(x))), config=config).pairings[0].p
    alone = eqx.tree_at(lambda p: p.parts[1], found, jax.tree.map(jnp.zeros_like, found.parts[1]))
    assert DATA @ law(found) > DATA @ law(alone) - 5e-3
    assert DATA @ law(found) > DATA @ np.log(DATA) - 0.05


def test_an_estimated_z_has_the_gradient_of_the_exact_one():
    """A machine of more units than are counted, which falls apart into many that are known."""
    p = RBM(0.7 * jnp.eye(21), jnp.zeros(21), jnp.full(21, -0.3))
    found, grad = eqx.filter_jit(eqx.filter_value_and_grad(measured))(p)
    exact = 21 * np.log(1 + 1 + np.exp(-0.3) + np.exp(0.4))
    assert float(found) == pytest.approx(exact, abs=0.1)
    near(np.diag(grad.weights).mean(), np.exp(0.4) / (2 + np.exp(-0.3) + np.exp(0.4)), 0.03)


def test_what_does_not_fit_says_why():
    known = facts(tuple(VISIBLE[:, None]), "binary")
    real = facts((np.random.default_rng(0).normal(size=(5, 2)),), "real")
    assert "over real frames" in refusal(lambda: DBNConfig(units=(2,)).build(real, random.key(0)))
    assert "are an RBM: choose tied = 1" in refusal(lambda: DBNConfig(units=(2,), tied=0))
    other = lambda: DBNRecognitionConfig().build(rbm(), known, random.key(0))
    assert "choose q = filtering" in refusal(other)
    p = network(True, (3, 2))
    assert "dz/dphi" in refusal(lambda: Pairing(p, DBNRecognition(), ELBO(), Pathwise()))
