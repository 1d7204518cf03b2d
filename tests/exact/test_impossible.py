"""Hidden Markov models of which something is impossible, or next to it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from conformance.parts import refusal
from counterpoint.core import Batch
from counterpoint.data.batch import check_batch
from counterpoint.distributions import Family
from counterpoint.inference import ForwardBackward
from counterpoint.inference.messages import chained
from counterpoint.models import HMM
from counterpoint.training import em

SAY = np.log([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
X = Batch(jnp.array([[0, 1, 1, 0]], jnp.int32), jnp.ones((1, 4), bool))


def hmm(start, move, say):
    return HMM(*(jnp.asarray(a, jnp.float32) for a in (start, move, say)), Family("categorical", (2,)))


def log_p(p):
    return ForwardBackward().marginals(p, X).log_evidence.sum()


@pytest.mark.parametrize("move", [1e-20, 1e-15, 1e-12])
def test_what_single_precision_loses_never_counts(move):
    """A frame that is 88 nats likelier in another state, and a way there and back that costs more, or less."""
    law = np.log([[1.0, move], [move, 1.0]])
    said = np.array([[0.0, -88.0], [-88.0, 0.0], [0.0, -88.0]])
    every = [((a, b, c), law[a, b] + law[b, c] + said[[0, 1, 2], [a, b, c]].sum()) for a, b, c in np.ndindex(2, 2, 2)]
    total = np.logaddexp.reduce([value for _, value in every])
    want = [np.exp(np.logaddexp.reduce([v for z, v in every if z[t] == 1]) - total) for t in range(3)]
    single = [jnp.asarray(a, jnp.float32) for a in (np.zeros(2), law, said[:, None])]
    found = jax.jit(chained)(*single, jnp.ones((3, 1), bool))
    assert float(found.log_evidence.sum()) == pytest.approx(total, rel=1e-6)
    np.testing.assert_allclose(found.smoothed[:, 0, 1], want, atol=1e-5)


def test_a_state_that_cannot_be_reached_yet_has_a_gradient():
    """From left to right: as though the impossible were e^-40."""
    start, steps = np.array([0.0, -1.0, -1.0]), np.array([[0.3, 0.1, 0.0], [0.0, 0.2, 0.4], [0.0, 0.0, 0.0]])
    never = lambda value: hmm(np.where(start < 0, value, 0.0), np.where(np.tri(3, 3, -1) > 0, value, steps), SAY)
    slope = jax.jit(jax.grad(log_p))
    for a, b in zip(jax.tree.leaves(slope(never(-np.inf))), jax.tree.leaves(slope(never(-40.0))), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_category_that_a_state_never_gives_stays_so():
    p = hmm(np.zeros(2), np.zeros((2, 2)), [[0.0, -np.inf], [0.0, 0.5]])
    found = em(p, ForwardBackward(), X, 5)
    assert found.history[0] == pytest.approx(float(log_p(p)) / 4, rel=1e-5)
    assert (np.diff(found.history) > -1e-6).all()
    assert found.p.emission[0, 1] == -np.inf


@pytest.mark.parametrize("never", [0.0, -np.inf], ids=["dense", "left to right"])
def test_what_no_state_can_give_has_no_probability(never):
    p = hmm(np.zeros(2), [[0.0, 0.0], [never, 0.0]], [[0.0, -np.inf]] * 2)
    found = ForwardBackward().marginals(p, X)
    np.testing.assert_array_equal(found.log_evidence, [[0.0, -np.inf, -np.inf, -np.inf]])
    assert np.isfinite(found.smoothed).all()
    assert "log p(x) is -inf" in refusal(lambda: em(p, ForwardBackward(), X, 1))


def test_a_batch_that_does_not_fit_is_refused():
    p, q = hmm(np.zeros(2), np.zeros((2, 2)), SAY[:2]), ForwardBackward()
    say = lambda **change: refusal(lambda: em(p, q, X._replace(**change), 1))
    assert "value 7 at step 1 of sequence 0 is outside the support" in say(x=X.x.at[0, 1].set(7))
    assert "frames have shape (2,)" in say(x=jnp.zeros((1, 4, 2)))
    assert "no valid step" in say(valid=jnp.zeros((1, 4), bool))
    assert "goes on from a state" in say(state=object())
    check_batch(jax.tree.map(np.asarray, p), X)  # of NumPy's arrays, too
    padded = X._replace(x=X.x.at[0, 3].set(7), valid=X.valid.at[0, 3].set(False))
    assert np.isfinite(em(p, q, padded, 1).history).all()
