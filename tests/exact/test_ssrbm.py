"""Spikes and slabs over one or two real numbers: integrals on grids, and in closed form."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from jax.scipy.special import logsumexp

from counterpoint import annealing
from counterpoint.bounds import Annealed, score
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.inference import Gibbs
from counterpoint.models import RBM, RTRBM, SRTRBM, SSRBM, SSRBMConfig
from counterpoint.rollout import swap
from counterpoint.walk import pasts
from exact.cases import loss_from_the_exact_law, mk, whole

pytestmark = pytest.mark.usefixtures("x64")

STATES = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
LINE = np.linspace(-14.0, 14.0, 561)  # of x, or of a slab
POINTS = np.array([[0.3, -1.1], [2.0, 0.7], [-0.4, 0.1]])
SEQUENCE = np.array([[0.6], [-1.2], [1.5]])


def machine(width=2) -> SSRBM:
    slabs = mk(2, 3, 1.3), mk(2, 5, 0.6)
    return SSRBM(mk((2, width), 1, 0.9), mk(2, 17, 0.7), mk(width, 19, 0.8), *slabs, mk(width, 5, 0.5))


def srtrbm() -> SRTRBM:
    """Over frames of one number."""
    return SRTRBM(RTRBM(machine(1), mk((2, 2), 5, 1.5), mk(2, 9, 0.7)), mk((1, 1), 3, 1.0), 2.0, 0.3)


def minus_energy(p, x, h, s):
    """In NumPy, as the docstring has it; s (..., J)."""
    W, b, c, mu, alpha = (np.array(a) for a in (p.weights, p.hidden, p.visible, p.slab, p.precision))
    slab = 0.5 * np.log(alpha / (2 * np.pi)) - 0.5 * alpha * (s - mu) ** 2
    sigma = np.array(p.deviation)
    return -0.5 * (((x - c) / sigma) ** 2).sum() + (slab + h * (b + s * (W @ (x / sigma)))).sum(-1)


def test_slabs_and_spikes_are_summed_out():
    """F against a grid of both slabs for every state of the spikes."""
    p, step = machine(), LINE[1] - LINE[0]
    slabs = np.stack(np.meshgrid(LINE, LINE, indexing="ij"), -1)
    for x in POINTS:
        total = sum(np.exp(minus_energy(p, x, h, slabs)).sum() for h in STATES) * step**2
        assert float(p.free_energy(None, jnp.asarray(x))) == pytest.approx(-np.log(total), abs=1e-10)


def test_one_joint_has_all_three_laws():
    """-E(x, z) = log p(z | x) - F(x) = log p(x | z) - F(z), slabs whose spike is 0 integrated out."""
    p = machine()
    for x, h in itertools.product(POINTS, STATES):
        z = jnp.asarray(h * np.array([0.7, -1.9]))
        x = jnp.asarray(x)
        alpha, mu = np.array(p.precision), np.array(p.slab)
        unused = 0.5 * np.log(alpha / (2 * np.pi)) - 0.5 * alpha * (np.array(z) - mu) ** 2
        want = minus_energy(p, np.array(x), h, np.array(z)) - (unused * (1 - h)).sum()
        up = p.posterior(None, x).log_prob(z) - p.free_energy(None, x)
        down = p.likelihood(None, z).log_prob(x) - p.hidden_free_energy(z)
        np.testing.assert_allclose([float(up), float(down)], want, atol=1e-12)


def test_what_it_sums_to():
    """log Z, and each state's part of it, against a grid of x."""
    p, line = machine(), 3 * LINE
    step, x = line[1] - line[0], jnp.asarray(np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2))
    log_z = float(logsumexp(-jax.vmap(lambda x: p.free_energy(None, x))(x))) + 2 * np.log(step)
    assert float(annealing.count(p)) == pytest.approx(log_z, abs=1e-9)
    for h in STATES:
        log_odds = jax.vmap(lambda x, h=h: h @ p.input(x) - p.own_energy(x))(x)
        part = float(logsumexp(log_odds)) + 2 * np.log(step)
        assert float(p.state_free_energy(jnp.asarray(h))) == pytest.approx(-part, abs=1e-9)


@pytest.mark.parametrize("scale", [0.1, 30.0])
def test_it_can_be_summed_whatever_the_weights_are(scale):
    rng = np.random.default_rng(0)
    for shape in ((5, 3), (3, 5), (40, 2)):
        sizes = (shape, shape[0], shape[1], shape[0], shape[0], shape[1])
        p = SSRBM(*(jnp.asarray(scale * rng.normal(size=s)) for s in sizes))
        W, alpha = np.array(p.weights), np.array(p.precision)
        assert np.linalg.eigvalsh(np.eye(shape[1]) - W.T @ (W / alpha[:, None])).min() > 0
        assert np.isfinite(float(p.state_free_energy(jnp.ones(shape[0]))))


def test_slabs_that_do_not_move_are_those_of_an_rbm_over_real_frames():
    p = machine()
    held = SSRBM(p.weights, p.hidden, p.visible, jnp.ones(2), jnp.full(2, 1e8), p.spread)
    plain = RBM(p.weights, p.hidden, p.visible, p.spread)
    for x in jnp.asarray(POINTS):
        assert float(held.free_energy(None, x)) == pytest.approx(float(plain.free_energy(None, x)), abs=1e-7)
    assert float(annealing.count(held)) == pytest.approx(float(annealing.count(plain)), abs=1e-7)


def test_slabs_start_at_a_precision_and_are_for_real_frames():
    real, binary = np.random.default_rng(0).normal(size=(5, 3)), np.zeros((5, 3))
    p = SSRBMConfig(units=2, scale=0.0, precision=4.0).build(facts((real,), "real"), random.key(0))
    np.testing.assert_allclose(p.precision, 4.0, atol=1e-6)
    with pytest.raises(CounterpointError, match="ssrbm: slabs"):
        SSRBMConfig().build(facts((binary,), "binary"), random.key(0))
    with pytest.raises(CounterpointError, match="ssrbm: precision"):
        SSRBMConfig(precision=0)


def test_the_past_moves_the_spikes_as_in_a_loop():
    p = srtrbm()
    m = machine(1)
    W, b, mu, alpha = (np.array(a) for a in (m.weights, m.hidden, m.slab, m.precision))
    found = swap(pasts(p, Gibbs(), whole(SEQUENCE), random.key(0))[0]).value.hidden[:, 0]
    past, want = np.array(mk(2, 9, 0.7)), []
    for x in SEQUENCE:
        want.append(past)
        a = W @ (x / np.array(m.deviation))
        past = np.array(mk((2, 2), 5, 1.5)) @ (1 / (1 + np.exp(-(b + mu * a + a**2 / (2 * alpha) + past))))
    np.testing.assert_allclose(found, want, atol=1e-12)


@eqx.filter_jit
def exact(p, x):
    return score(p, Gibbs(), Annealed(), Batch(x, jnp.ones(x.shape[:2], bool)), random.key(0))


def test_a_step_given_its_past_is_a_density():
    p, step = srtrbm(), LINE[1] - LINE[0]
    last = jnp.asarray(LINE)[:, None, None]
    x = jnp.concatenate([jnp.broadcast_to(jnp.asarray(SEQUENCE[:2])[None], (len(LINE), 2, 1)), last], 1)
    before = exact(p, jnp.asarray(SEQUENCE[:2])[None])[0]
    assert float(logsumexp(exact(p, x)) + np.log(step) - before) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_from_the_exact_law_contrastive_divergence_is_the_gradient_of_the_likelihood():
    """Each end of a chain on the grid, weighed by its density given the past."""
    p = srtrbm()

    @eqx.filter_jit
    def both(p):
        loss = lambda p: loss_from_the_exact_law(p, SEQUENCE, LINE[:, None])
        return jax.grad(loss)(p), jax.grad(lambda p: exact(p, jnp.asarray(SEQUENCE)[None])[0])(p)

    for a, b in zip(*(jax.tree.leaves(grad) for grad in both(p)), strict=True):
        np.testing.assert_allclose(-a, b, atol=1e-8)
    assert len(jax.tree.leaves(p)) == 9


@pytest.mark.slow
def test_chains_that_cool_lead_to_the_exact_value():
    p = srtrbm()
    want = float(exact(p, jnp.asarray(SEQUENCE)[None])[0])
    for conservative in (True, False):
        bound = Annealed(temperatures=400, particles=4, counted=0, conservative=conservative)
        values = eqx.filter_jit(score)(p, Gibbs(), bound, whole(SEQUENCE, 200), random.key(0))
        assert float(values.mean()) == pytest.approx(want, abs=0.03)
        assert 0 < float(values.std()) < 0.15
