"""Expectation maximisation as it is called, in single precision; what an iteration computes: tests/exact/test_em.py."""

import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.core import Batch
from counterpoint.data import Sequences
from counterpoint.distributions import facts
from counterpoint.inference import ForwardBackward
from counterpoint.models import HMMConfig
from counterpoint.training import em


def drawn():
    """Sequences of one to six steps, each of two coins that keep their side."""
    rng = np.random.default_rng(0)
    return tuple(np.repeat(rng.integers(0, 2, (1, 2)), length, 0).astype(np.uint8) for length in (6, 3, 1, 5, 4, 6))


@pytest.mark.slow
def test_sequences_of_any_lengths_are_those_of_one_batch():
    x = drawn()
    p = HMMConfig(states=2).build(facts(x), random.key(0))
    valid = np.arange(6) < np.array([[len(a)] for a in x])
    padded = np.stack([np.pad(a.astype(np.float32), ((0, 6 - len(a)), (0, 0))) for a in x])
    seen: list[tuple[int, float]] = []
    found = em(p, ForwardBackward(), Sequences(x), 4, watch=lambda i, value: seen.append((i, value)))
    want = em(p, ForwardBackward(), Batch(jnp.asarray(padded), jnp.asarray(valid)), 4)
    np.testing.assert_allclose(found.history, want.history, rtol=1e-5)
    np.testing.assert_allclose(found.p.emission, want.p.emission, atol=1e-3)
    assert seen == list(enumerate(found.history))
    assert found.p.emission.dtype == jnp.float32
    assert (np.diff(found.history) > -1e-6).all()


def test_it_stops_where_an_iteration_gains_little():
    x = drawn()
    p = HMMConfig(states=2).build(facts(x), random.key(0))
    gains = np.diff(em(p, ForwardBackward(), Sequences(x), 6).history)
    found = em(p, ForwardBackward(), Sequences(x), 6, tolerance=float(gains[:2].min()) + 1e-4)
    assert 2 <= len(found.history) <= 3
    assert found.history[-1] - found.history[-2] == pytest.approx(gains[len(found.history) - 2], abs=1e-5)
