"""The three updates of wake-sleep in exact expectation, and which voice each reaches."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random

from counterpoint.bounds import ELBO, FIVO, IWAE
from counterpoint.core import Batch, Pairing
from counterpoint.errors import CounterpointError
from counterpoint.estimators import WakeSleep
from counterpoint.estimators.wake_sleep import dream
from counterpoint.rollout import rollout
from exact.cases import FRAMES, LATENTS, score_paths, table, tsbn, tuples, whole

pytestmark = pytest.mark.usefixtures("x64")

INNER = [-0.1484419671, -0.0725231911, 0.2209651582]  # what IWAE's own gradient has at fixed z, k = 2


def awake(p, q, bound, wake, values=3):
    """E of what the wake updates raise, over all tuples of particles of the one-step table."""
    z = jnp.asarray(tuples(values, bound.particles))[None]
    batch = Batch(jnp.zeros((z.shape[1], 1), jnp.int32), jnp.ones((z.shape[1], 1), bool))
    estimator = WakeSleep(wake, 0.0)

    def total(parts):
        p, q = parts
        trace = rollout(p, q, batch, random.key(0), particles=bound.particles, pathwise=False, detach=True, z=z)[0]
        chance = lax.stop_gradient(jnp.exp(trace.log_q.sum((0, 2))))
        one = lambda i: estimator.awake(bound, jax.tree.map(lambda a: a[:, i : i + 1], trace._replace(x=())), None)
        return sum(chance[i] * one(i) for i in range(z.shape[1]))

    return eqx.filter_grad(total)((p, q))


@pytest.mark.slow
def test_the_wake_update_of_q_is_minus_the_inner_gradient_of_iwae():
    grad = awake(*table(), IWAE(2), 1.0)[1]
    np.testing.assert_allclose(grad.logits[0], -np.array(INNER), atol=1e-9)


def test_many_particles_bring_the_wake_update_to_posterior_minus_q():
    """Particles as often as q has it of very many draws: 2, 3 and 5 of ten."""
    p, q = table()
    z = jnp.asarray([0] * 2 + [1] * 3 + [2] * 5)[None, None]

    @eqx.filter_jit
    @eqx.filter_grad
    def grad(q):
        batch = Batch(jnp.zeros((1, 1), jnp.int32), jnp.ones((1, 1), bool))
        trace = rollout(p, q, batch, random.key(0), particles=10, pathwise=False, detach=True, z=z)[0]
        return WakeSleep(1.0, 0.0).awake(IWAE(10), trace, None)

    np.testing.assert_allclose(grad(q).logits[0], [0.6653846154, -0.1846153846, -0.4807692308], atol=1e-9)


def test_the_wake_update_of_p_is_the_gradient_of_iwae_at_fixed_z():
    p, q = table()
    found = awake(p, q, IWAE(2), 0.5)[0]

    def bound(p):
        z = jnp.asarray(tuples(3, 2))[None]
        batch = Batch(jnp.zeros((9, 1), jnp.int32), jnp.ones((9, 1), bool))
        trace = rollout(p, q, batch, random.key(0), particles=2, pathwise=False, z=z)[0]
        return (lax.stop_gradient(jnp.exp(trace.log_q.sum((0, 2)))) * IWAE(2)(trace)).sum()

    want = eqx.filter_grad(bound)(p)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)):
        np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.slow
def test_dreams_follow_p_and_teach_only_q():
    """The share of each dream is its probability under p; log q of it is what rollout says."""
    p, q = tsbn()
    batch = whole(FRAMES, 40000)
    trace = eqx.filter_jit(lambda p, q: dream(p, q, batch, random.key(1)))(p, q)
    seen = (np.asarray(trace.x) == FRAMES[:, None]).all((0, 2)) & (
        np.asarray(trace.z[:, :, 0]) == LATENTS[37][:, None]
    ).all((0, 2))
    exact = score_paths(p, q, FRAMES, LATENTS)
    chance = float(jnp.exp((exact.log_prior + exact.log_likelihood).sum(0)[0, 37]))
    assert abs(seen.mean() - chance) < 4.5 * (chance / 40000) ** 0.5
    np.testing.assert_allclose(trace.log_q.sum(0)[seen, 0], float(exact.log_q.sum(0)[0, 37]), atol=1e-10)

    few = whole(FRAMES, 2)
    grad_p, grad_q = eqx.filter_grad(lambda pq: dream(*pq, few, random.key(1)).log_q.sum())((p, q))
    assert all((np.asarray(a) == 0).all() for a in jax.tree.leaves(grad_p))
    assert all((np.asarray(a) != 0).any() for a in jax.tree.leaves(grad_q))


@pytest.mark.slow
def test_p_learns_nothing_through_q_in_gaps():
    """Where x is missing the prior takes q's place; its log-density must not pull p."""
    p, q = tsbn()
    batch = whole(FRAMES, 2)
    batch = batch._replace(observed=jnp.array([[True, False, True], [False, True, True]]))

    def updates(parts, wake):
        p, q = parts
        trace = rollout(p, q, batch, random.key(0), particles=3, pathwise=False, detach=True)[0]
        return WakeSleep(wake, 0.0).awake(IWAE(3), trace, None)

    without, _ = eqx.filter_grad(updates)((p, q), 0.0)
    with_q, _ = eqx.filter_grad(updates)((p, q), 1.0)
    for a, b in zip(jax.tree.leaves(without), jax.tree.leaves(with_q)):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_a_q_that_is_never_taught_is_refused():
    with pytest.raises(CounterpointError, match="never teaches q"):
        Pairing(*tsbn(), IWAE(2), WakeSleep(0.0, 0.0))


@pytest.mark.parametrize(("bound", "reason"), [(ELBO(1), "whose weight is always"), (FIVO(4), "cut where particles")])
def test_bounds_that_do_not_weigh_whole_paths_are_refused(bound, reason):
    with pytest.raises(CounterpointError, match=reason):
        Pairing(*tsbn(), bound, WakeSleep())
