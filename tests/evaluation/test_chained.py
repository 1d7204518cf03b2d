"""Undirected models predict, generate and are measured: 2 visible and 2 hidden units, everything enumerated."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import refusal
from counterpoint.bounds import Annealed, TrajectoryKL, score
from counterpoint.core import Batch, Pairing
from counterpoint.data import Sequences
from counterpoint.estimators import ContrastiveDivergence
from counterpoint.evaluation import activity, evaluate, generate, passes, predict, reconstruct, standard_bounds
from counterpoint.evaluation.chained import directed
from counterpoint.inference import Gibbs
from counterpoint.models import RBM, RTRBM, TRBM
from exact.cases import mk

FRAMES = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
PAIRS = np.array(list(itertools.product(FRAMES, repeat=2)))  # (16, 2, 2)


def single(a):
    return jnp.asarray(a, jnp.float32)


def machine():
    return RBM(single(mk((2, 2), 5, 1.5)), single(mk(2, 17, 0.4)), single(mk(2, 19, 0.4)))


def rtrbm():
    return RTRBM(machine(), single(mk((2, 2), 1, 2.0)), jnp.zeros(2))


def law(p) -> np.ndarray:
    """The probability of each of PAIRS."""
    batch = Batch(single(PAIRS), jnp.ones((16, 2), bool))
    return np.exp(np.asarray(score(p, Gibbs(), Annealed(), batch, random.key(0))))


def share(made, count) -> np.ndarray:
    """How often each of PAIRS was made."""
    number = np.stack(made).reshape(count, 4) @ np.array([8, 4, 2, 1])
    return np.bincount(number.astype(int), minlength=16) / count


def near(found, want, count):
    np.testing.assert_array_less(np.abs(found - want), 4 * np.sqrt(want * (1 - want) / count) + 2e-3)


@pytest.mark.slow
def test_what_is_generated_follows_the_exact_law():
    p = rtrbm()
    want = law(p)
    assert want.sum() == pytest.approx(1, abs=1e-5)
    near(share(generate(p, random.key(0), 2, 4000), 4000), want, 4000)
    given = Sequences((np.array([[1.0, 0.0]]),))
    made = generate(p, random.key(1), 1, 4000, given, Gibbs(), particles=16)
    after = np.where((PAIRS[:, 0] == [1, 0]).all(1), want, 0)
    near(share(made, 4000), after / after.sum(), 4000)


@pytest.mark.slow
def test_predictions_are_conditional_means():
    p, x = rtrbm(), np.array([[1.0, 0.0], [0.0, 0.0]])
    joint = law(p).reshape(4, 4)
    found = predict(p, Gibbs(), Sequences((x,)), random.key(0), samples=4000).frames[0]
    want = np.stack([joint.sum(1) @ FRAMES, joint[2] @ FRAMES / joint[2].sum()])  # x_1 is the third of FRAMES
    np.testing.assert_allclose(found, want, atol=0.02)
    assert np.abs(want[0] - want[1]).max() > 0.05


def test_a_chain_begins_at_the_frame_before():
    """Where no sweep can leave it, that frame is what is predicted next."""
    stuck = RBM(40.0 * jnp.eye(2), jnp.full(2, -20.0), jnp.full(2, -20.0))
    p, x = RTRBM(stuck, jnp.zeros((2, 2)), jnp.zeros(2)), FRAMES[[2, 1, 3, 0, 2]]
    found = predict(p, Gibbs(), Sequences((x,)), random.key(0)).frames[0]
    np.testing.assert_allclose(found[1:], x[:-1], atol=1e-6)


@pytest.mark.slow
def test_a_filter_of_drawn_units_predicts_and_generates():
    p, x = TRBM(machine(), single(mk((2, 2), 1, 2.0))), Sequences((FRAMES, FRAMES[:2]))
    assert [a.shape for a in predict(p, Gibbs(), x, random.key(0)).frames] == [(4, 2), (2, 2)]
    made = generate(p, random.key(0), 3, 2, x, Gibbs(), particles=16)
    np.testing.assert_array_equal(made[0][:4], FRAMES)
    assert all(np.isin(a, [0, 1]).all() for a in made)


def test_units_and_means_given_the_frame():
    p, x = machine(), Sequences((FRAMES,))
    on = activity(p, Gibbs(), x, random.key(0), samples=4000)[0]
    want = jax.nn.sigmoid(jax.vmap(p.input)(single(FRAMES)))
    np.testing.assert_allclose(on, want, atol=0.03)
    hidden = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
    chance = np.prod(np.where(hidden[None] == 1, want[:, None], 1 - want[:, None]), -1)
    means = np.stack([p.likelihood(None, single(z)).mean for z in hidden])
    found = reconstruct(p, Gibbs(), x, random.key(0), samples=4000)[0]
    np.testing.assert_allclose(found, chance @ means, atol=0.02)


def test_few_units_are_counted_whatever_was_trained():
    p, x = machine(), Sequences((FRAMES, FRAMES[:2]))
    pairing = Pairing(p, Gibbs(), TrajectoryKL(), ContrastiveDivergence(None))
    found = evaluate(p, Gibbs(), x, standard_bounds(pairing, 3), random.key(0), 2)
    assert list(found) == ["TRAJECTORY_KL (no bound)", "Z COUNTED"]
    log_p = np.log(law(RTRBM(p, jnp.zeros((2, 2)), jnp.zeros(2))).reshape(4, 4).sum(1))
    np.testing.assert_allclose(found["Z COUNTED"].values, np.tile([log_p.sum(), log_p[:2].sum()], (2, 1)), atol=1e-4)
    assert found["Z COUNTED"].per_step_error < 1e-6
    learned = Pairing(p, Gibbs(), Annealed(50, 2), ContrastiveDivergence(None))
    assert list(standard_bounds(learned, 3)) == ["Z COUNTED"]
    chains = Pairing(p, Gibbs(), Annealed(50, counted=0), ContrastiveDivergence(None))
    assert list(standard_bounds(chains, 3)) == ["ANNEALED-50", "Z COUNTED"]


@pytest.mark.parametrize("sweeps", [1, 2])
def test_a_prediction_ends_the_chain_that_was_learned(sweeps):
    """E[x_2 | x_1] after so many sweeps from x_1, each end enumerated."""
    p = eqx.tree_at(lambda p: p.machine.weights, rtrbm(), 2 * machine().weights)  # slower to forget x_1
    x = Sequences((np.array([[1.0, 0.0], [0.0, 1.0]]),))
    then = p.machine.moved(p.embed(p.memory(), single(x.x[0]))[1].hidden[0], None)
    up = lambda x: [np.exp(then.posterior(None, single(x)).log_prob(single(z))) for z in FRAMES]
    down = lambda z: [np.exp(then.likelihood(None, single(z)).log_prob(single(x))) for x in FRAMES]
    kernel = np.array([up(x) for x in FRAMES]) @ np.array([down(z) for z in FRAMES])
    want, other = (np.linalg.matrix_power(kernel, n)[2] @ FRAMES for n in (sweeps, 30))
    found = predict(p, Gibbs(sweeps, previous=True), x, random.key(0), samples=4000).frames[0][1]
    np.testing.assert_allclose(found, want, atol=0.025)
    assert np.abs(other - want).max() > 0.03


def test_the_end_of_a_chain_is_known_by_its_draws():
    view = directed(rtrbm())
    end = view.prior(view.initial())
    for ask in (lambda: end.mean, lambda: end.size, lambda: end.like(jnp.zeros(2))):
        assert "draw from it" in refusal(ask)


def test_no_row_of_a_prediction_is_empty(monkeypatch):
    """It would cool down at every step."""
    batches, means = [], passes.means
    monkeypatch.setattr(passes, "means", lambda p, q, batch, *how: batches.append(batch) or means(p, q, batch, *how))
    sequences = Sequences((FRAMES,) * 33)  # of 32 a batch
    found = predict(rtrbm(), Gibbs(), sequences, random.key(0)).frames
    assert len(batches) == 2
    assert all(batch.valid.all() for batch in batches)
    assert [a.shape for a in found] == [FRAMES.shape] * 33
