import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random
from jax.nn import log_softmax, logsumexp

from counterpoint.bounds import ELBO
from counterpoint.core import Batch
from counterpoint.distributions import Family
from counterpoint.estimators import Pathwise, ScoreFunction
from counterpoint.inference import ForwardBackward, Prior
from counterpoint.models import HMM
from counterpoint.rollout import rollout
from exact.cases import log_marginal, score_paths, whole

pytestmark = pytest.mark.usefixtures("x64")

START = np.array([0.6, 0.4])
MOVE = np.array([[0.7, 0.3], [0.2, 0.8]])
SAY = np.array([[0.9, 0.1], [0.2, 0.8]])
SEEN = np.array([0, 1, 1], np.int32)
PATHS = np.array(list(itertools.product([0, 1], repeat=3)), np.int32)


def hmm():
    return HMM(*(jnp.log(a) for a in (START, MOVE, SAY)), Family("categorical", (2,)))


drawn = eqx.filter_jit(lambda p, q, batch: rollout(p, q, batch, random.key(0), particles=5, pathwise=False)[0])
scored = eqx.filter_jit(score_paths)


def test_marginal_likelihood_by_enumeration():
    assert log_marginal(scored(hmm(), Prior(), SEEN, PATHS)) == pytest.approx(-2.0284290867, abs=1e-8)


def test_smoothing_posterior_gives_every_path_the_weight_of_the_data():
    trace = drawn(hmm(), ForwardBackward(), whole(SEEN))
    np.testing.assert_allclose(trace.log_weight.sum(0)[0], np.full(5, -2.0284290867), atol=1e-8)


def test_marginal_of_the_last_step_is_the_filtered_one():
    weight = np.exp(scored(hmm(), ForwardBackward(), SEEN, PATHS).log_q.sum(0)[0])
    filtered = [weight[PATHS[:, -1] == state].sum() for state in (0, 1)]
    np.testing.assert_allclose(filtered, [0.0484560064, 0.9515439936], atol=1e-9)


def test_without_the_future_each_step_is_the_posterior_given_its_own_frame():
    log_q = np.asarray(scored(hmm(), ForwardBackward(smooth=False), SEEN, PATHS).log_q[:, 0])
    for n, path in enumerate(PATHS):
        for t, state in enumerate(path):
            law = (START if t == 0 else MOVE[path[t - 1]]) * SAY[:, SEEN[t]]
            assert log_q[t, n] == pytest.approx(np.log(law[state] / law.sum()), abs=1e-10)


@pytest.mark.parametrize("missing", [(1,), (0,), (2,), (0, 1), (0, 1, 2)])
def test_missing_frames_are_summed_out(missing):
    observed = np.array([t not in missing for t in range(3)])
    message = START
    for t in range(3):
        message = message if t == 0 else message @ MOVE
        message = message * (SAY[:, SEEN[t]] if observed[t] else 1.0)
    batch = Batch(jnp.asarray(SEEN)[None], jnp.ones((1, 3), bool), jnp.asarray(observed)[None])
    trace = drawn(hmm(), ForwardBackward(), batch)
    np.testing.assert_allclose(trace.log_weight.sum(0)[0], np.full(5, np.log(message.sum())), atol=1e-8)


def test_missing_entries_of_a_frame_of_coins_are_summed_out():
    logits = np.array([[0.4, -1.2, 0.7], [-0.9, 0.3, 1.5]])
    p = HMM(jnp.log(START), jnp.log(MOVE), jnp.asarray(logits), Family("bernoulli", (3,)))
    x = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    seen = np.array([[True, False, True], [False, False, False], [True, True, False]])
    rate = 1 / (1 + np.exp(-logits))
    message = START
    for t in range(3):
        each = np.where(x[t] == 1, rate, 1 - rate)
        message = (message if t == 0 else message @ MOVE) * np.where(seen[t], each, 1.0).prod(1)
    trace = drawn(p, ForwardBackward(), Batch(jnp.asarray(x)[None], jnp.ones((1, 3), bool), jnp.asarray(seen)[None]))
    np.testing.assert_allclose(trace.log_weight.sum(0)[0], np.full(5, np.log(message.sum())), atol=1e-8)


EVERY, SOME = np.array([True, True, True]), np.array([True, False, True])
RARE = np.array([[0.7, 0.3], [1e-25, 1.0]])  # below what messages that are scaled can hold


def counted(p, seen):
    """log sum over paths of p(x, z), x the frames that were seen."""
    start, move, say = (log_softmax(a) for a in (p.start, p.transition, p.emission))
    said = jnp.where(jnp.asarray(seen)[None], say[PATHS, SEEN[None]], 0.0)
    return logsumexp(start[PATHS[:, 0]] + move[PATHS[:, :-1], PATHS[:, 1:]].sum(1) + said.sum(1))


def batch_of(seen):
    return Batch(jnp.asarray(SEEN)[None], jnp.ones((1, 3), bool), jnp.asarray(seen)[None])


def forwards(p, seen):
    return ForwardBackward().marginals(p, batch_of(seen)).log_evidence.sum()


def one_path(p, seen):
    """The bound along a path that q draws, differentiated through q as well."""
    return rollout(p, ForwardBackward(), batch_of(seen), random.key(0), pathwise=False)[0].log_weight.sum()


def through(p, seen):
    """What `fit` follows where it differentiates the bound along such a path."""
    estimator = Pathwise()
    estimator.check(p, ForwardBackward(), ELBO())
    return -3 * estimator(p, ForwardBackward(), ELBO(), batch_of(seen), random.key(1), (), None)[0].surrogate


def fitted(p, seen):
    """What `fit` follows, along each path, weighted with the path's probability under q."""
    estimator, batch = ScoreFunction(None, centre=False, normalise=False), whole(SEEN)

    def one(z):
        trace = rollout(p, ForwardBackward(), batch, random.key(0), pathwise=False, z=z[:, None, None])[0]
        found = estimator.of_trace(ELBO(), batch, trace, estimator.initial(), None)[0]
        return lax.stop_gradient(jnp.exp(trace.log_q.sum())) * -found.surrogate

    return len(SEEN) * jax.vmap(one)(jnp.asarray(PATHS)).sum()


@pytest.mark.parametrize(
    ("f", "seen", "move"),
    [
        (forwards, SOME, MOVE),
        (forwards, EVERY, RARE),
        (one_path, SOME, MOVE),
        (through, SOME, MOVE),
        (fitted, EVERY, MOVE),
    ],
)
def test_the_gradient_is_that_of_the_sum_over_paths(f, seen, move):
    p = HMM(*(jnp.log(a) for a in (START, move, SAY)), Family("categorical", (2,)))
    found, want = (jax.jit(jax.grad(lambda p, f=f: f(p, seen)))(p) for f in (f, counted))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)
