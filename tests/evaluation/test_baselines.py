"""Where baselines start, and what a table says of a run that was selected by its predictions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from counterpoint.data.sequences import Sequences
from counterpoint.distributions import facts
from counterpoint.evaluation import error, predict
from counterpoint.evaluation.baselines import last_frames, linear
from counterpoint.models import Autoregressive
from counterpoint.tables.record import slope


def residual(start) -> bool:
    assert isinstance(start.p, Autoregressive)
    return start.p.residual


def test_real_frames_start_as_a_copy_and_others_from_the_marginal():
    rng = np.random.default_rng(0)
    real = Sequences(tuple(rng.normal(size=(6, 3)).cumsum(0) for _ in range(4)))
    start = linear(facts(real.x, "real"), 1)
    copied = error(last_frames(real, "real"), real).mean
    np.testing.assert_allclose(error(predict(start.p, start.q, real, jax.random.key(0)), real).mean, copied, rtol=1e-4)
    assert not residual(linear(facts(tuple((x > 0).astype(np.uint8) for x in real.x)), 1))
    assert not residual(linear(facts(real.x, "real"), 0))


def test_what_is_learned_of_the_frame_before_moves_means_and_no_scales():
    p = linear(facts((np.random.default_rng(0).normal(size=(9, 3)),), "real"), 1).p
    p = eqx.tree_at(lambda p: p.weights, p, jnp.ones_like(p.weights))
    law = lambda x: p.likelihood(p.advance(p.initial(), (), p.embed(p.memory(), x)[1][0]), ())
    silent, loud = law(jnp.zeros((1, 3))), law(jnp.full((1, 3), 9.0))
    np.testing.assert_array_equal(silent.scale, loud.scale)
    np.testing.assert_allclose(loud.mean - silent.mean, 36.0, rtol=1e-5)


def test_a_slope_is_that_of_what_selects():
    rows = [{"step": 1000 * i, "valid": [-float(i)], "error": [9.0 - 2 * i]} for i in range(3)]
    assert slope(rows) == pytest.approx(2.0)
    assert slope([{k: v for k, v in row.items() if k != "error"} for row in rows]) == pytest.approx(-1.0)
