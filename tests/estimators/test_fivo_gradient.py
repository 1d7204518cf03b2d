"""FIVO with two particles and two steps, small enough to enumerate latents and ancestors."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.bounds import FIVO
from counterpoint.distributions import Family
from counterpoint.estimators import ScoreFunction
from counterpoint.estimators.score_function import Moments
from counterpoint.models import HMM
from counterpoint.rollout import rollout
from exact.cases import Guess, mk, whole

pytestmark = pytest.mark.usefixtures("x64")

SEEN = np.array([0, 1], np.int32)
REPEATS, ROWS = 200, 200


def parts():
    family = Family("categorical", (2,))
    p = HMM(mk(2, 1, 0.8), mk((2, 2), 3, 1.5), jnp.array([[2.0, -1.0], [-1.5, 1.5]]), family)
    return p, Guess(mk((2, 2), 11, 0.7))


def bound(p, q):
    """E[log mean w_1 + log mean w_2] over z_1, independent ancestors by weight, and z_2."""
    start, move, say = (jax.nn.log_softmax(a) for a in (p.start, p.transition, p.emission))
    log_q = jax.nn.log_softmax(q.logits)
    total = jnp.zeros(())
    for z1 in itertools.product(range(2), repeat=2):
        one = jnp.stack([start[z] + say[z, SEEN[0]] - log_q[SEEN[0], z] for z in z1])
        first = sum(log_q[SEEN[0], z] for z in z1)
        value = jax.nn.logsumexp(one) - jnp.log(2)
        normal = jax.nn.log_softmax(one)
        rest = jnp.zeros(())
        for ancestors, z2 in itertools.product(itertools.product(range(2), repeat=2), repeat=2):
            two = jnp.stack([move[z1[a], z] + say[z, SEEN[1]] - log_q[SEEN[1], z] for a, z in zip(ancestors, z2)])
            chance = sum(normal[a] for a in ancestors) + sum(log_q[SEEN[1], z] for z in z2)
            rest = rest + jnp.exp(chance) * (jax.nn.logsumexp(two) - jnp.log(2))
        total = total + jnp.exp(first) * (value + rest)
    return total


@eqx.filter_jit
def drawn(p, q, scored):
    """Gradients from many batches, flattened: (REPEATS, numbers)."""
    target = FIVO(particles=2, threshold=1.0, score_resampling=scored)
    memory = Moments(jnp.asarray(-0.5), jnp.ones(()), jnp.ones((), jnp.int32))

    def one(key):
        def loss(parts):
            estimate, _ = ScoreFunction(None)(*parts, target, whole(SEEN, ROWS), key, memory, None)
            return -2 * estimate.surrogate

        return jnp.concatenate([a.ravel() for a in jax.tree.leaves(jax.grad(loss)((p, q)))])

    return jax.vmap(one)(random.split(random.key(3), REPEATS))


def distance(draws, want):
    return np.abs(draws.mean(0) - want) / (draws.std(0) / REPEATS**0.5 + 1e-12)


@pytest.mark.slow
def test_the_score_of_the_ancestors_makes_the_gradient_unbiased_and_its_absence_biased():
    p, q = parts()
    grad = jax.jit(jax.grad(lambda parts: bound(*parts)))((p, q))
    want = np.concatenate([np.ravel(a) for a in jax.tree.leaves(grad)])
    assert distance(np.asarray(drawn(p, q, True)), want).max() < 4
    assert distance(np.asarray(drawn(p, q, False)), want).max() > 8


def test_each_draw_of_ancestors_is_credited_with_all_evidence_from_its_step_on():
    p, q = parts()
    x = np.array([0, 1, 1, 0], np.int32)
    trace = eqx.filter_jit(lambda: rollout(p, q, whole(x, 3), random.key(0), particles=2, pathwise=False)[0])()
    target = FIVO(particles=2, score_resampling=True)
    credit = jax.grad(lambda chance: target(trace._replace(log_resample=chance)).sum())(trace.log_resample)
    np.testing.assert_allclose(credit, np.asarray(trace.log_evidence)[::-1].cumsum(0)[::-1], atol=1e-12)
    np.testing.assert_allclose(target(trace), trace.log_evidence.sum(0), atol=1e-12)
