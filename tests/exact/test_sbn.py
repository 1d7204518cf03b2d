"""The static sigmoid belief network, a TSBN of order 0 over one step: all of it by enumeration."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy.special import logsumexp

from counterpoint.bounds import ELBO
from counterpoint.distributions import Family, facts
from counterpoint.estimators import ScoreFunction
from counterpoint.estimators.score_function import Moments
from counterpoint.inference import TSBNRecognition, TSBNRecognitionConfig
from counterpoint.models import TSBN, TSBNConfig
from counterpoint.networks import Layer
from counterpoint.rollout import rollout
from exact.cases import log_marginal, mk, score_paths, tuples, whole

pytestmark = pytest.mark.usefixtures("x64")

V = np.array([[1.0, 0.0, 1.0, 1.0]])
STATES = np.array(list(itertools.product([0.0, 1.0], repeat=3)))[:, None]  # (8, 1, 3)


def sbn():
    """3 units, 4 visibles."""
    none = lambda *shape: jnp.zeros((0, *shape))
    hidden = Layer(None, none(3, 3), None, mk(3, 1, 0.5))
    p = TSBN((hidden,), Layer(mk((4, 3), 4, 1.5), None, None, mk(4, 16, 0.5)), Family("bernoulli", (4,)))
    return p, TSBNRecognition((Layer(mk((3, 4), 20, 0.7), none(3, 3), none(3, 4), mk(3, 32, 0.3)),))


CONSTANTS = np.array([0.0, -6.3403600922, 11.0, -40.0])  # baselines; the second is the bound


@eqx.filter_jit
def every(p, q):
    """The trace of all states, and for each the estimate of the gradient by the bias of q: without a baseline, and
    with each of the constants, (1 + constants, states, J)."""
    bare, centred = (ScoreFunction(None, centre=centre, normalise=False) for centre in (False, True))
    bound, batch = ELBO(closed_form=False), whole(V)

    def one(z):
        def gradient(estimator, mean):
            def surrogate(q):
                trace, _ = rollout(p, q, batch, random.key(0), pathwise=False, z=z[:, None, None])
                memory = Moments(mean, jnp.ones(()), jnp.ones((), jnp.int32))
                return -estimator.of_trace(bound, batch, trace, memory, 0)[0].surrogate

            return eqx.filter_grad(surrogate)(q).layers[0].bias

        constants = jax.vmap(lambda mean: gradient(centred, mean))(jnp.asarray(CONSTANTS))
        return jnp.concatenate([gradient(bare, jnp.ones(()))[None], constants])

    return score_paths(p, q, V, STATES), jax.vmap(one, out_axes=1)(jnp.asarray(STATES))


def test_likelihood_bound_and_gradient():
    p, q = sbn()
    trace, grads = every(p, q)
    grads = np.asarray(grads)
    chance, weight = np.asarray(jnp.exp(trace.log_q[0, 0])), np.asarray(trace.log_weight[0, 0])
    assert log_marginal(trace) == pytest.approx(-4.6487426375, abs=1e-8)
    elbo = (chance * weight).sum()
    assert elbo == pytest.approx(-6.3403600922, abs=1e-8)
    means = (chance[:, None] * grads).sum(1)
    # what is taken off, whatever it is, leaves the mean as it is; the bound itself takes most of the noise with it
    want = [-0.5154250853, -0.7514277869, -0.1595553099]
    np.testing.assert_allclose(means, np.broadcast_to(want, means.shape), atol=1e-8)
    variances = (chance[:, None] * (grads - means[:, None]) ** 2).sum(1)
    np.testing.assert_allclose(variances[:2], np.broadcast_to([9.9649, 5.1026, 10.7032], (2, 3)), atol=1e-4)
    np.testing.assert_allclose(variances[2], [0.6913, 0.6347, 0.9636], atol=1e-4)
    assert (variances[3:] > variances[2]).all()


def test_more_particles_are_tighter():
    trace = every(*sbn())[0]
    chance, weight = np.asarray(jnp.exp(trace.log_q[0, 0])), np.asarray(trace.log_weight[0, 0])
    found = []
    for k in (1, 2, 3, 4):
        z = tuples(8, k)
        found.append((chance[z].prod(1) * (logsumexp(weight[z], axis=1) - np.log(k))).sum())
    assert (np.diff(found) > 0).all()
    assert found[-1] < -4.6487426375


@pytest.mark.parametrize("units", [(3,), (2, 1), (2, 1, 1)])
def test_images_of_any_depth_have_probabilities_that_sum_to_one_whatever_the_posterior(units):
    """For every image sum_h q(h) p(x, h) / q(h) is the same for any q that misses no h, and they sum to 1."""
    frames = np.random.default_rng(0).integers(0, 2, (9, 1, 3)).astype(float)
    known = facts(tuple(frames))
    p = TSBNConfig(units=units, order=0, sees=False, scale=1.5).build(known, random.key(0))
    q = TSBNRecognitionConfig(scale=1.5).build(p, known, random.key(1))
    flat = np.array(list(itertools.product([0.0, 1.0], repeat=sum(units))))
    layers = tuple(jnp.asarray(a)[None, None] for a in np.split(flat, np.cumsum(units)[:-1], axis=1))
    z = layers if len(units) > 1 else layers[0]
    images = jnp.asarray(list(itertools.product([0.0, 1.0], repeat=3)))[:, None]

    @jax.jit
    @jax.vmap
    def trace_of(x):
        trace, _ = rollout(p, q, whole(x), random.key(0), particles=len(flat), pathwise=False, z=z)
        return jax.nn.logsumexp(trace.log_prior + trace.log_likelihood), jax.nn.logsumexp(trace.log_q)

    found, guessed = trace_of(images)
    np.testing.assert_allclose(guessed, 0, atol=1e-10)
    assert jnp.exp(found).sum() == pytest.approx(1, abs=1e-10)
    assert np.ptp(found) > 0.1
