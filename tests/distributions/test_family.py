"""What parts learn of data before they are built."""

import jax.numpy as jnp
import numpy as np
import pytest

from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError


def test_the_marginal_of_wide_data_is_finite_and_right():
    x = np.random.default_rng(0).normal(3.0, 2000.0, (500, 2))
    known = facts((x,), "real")
    law = known.family(jnp.asarray(known.marginal, jnp.float32))
    np.testing.assert_allclose(law.scale, x.std(0), rtol=1e-4)
    np.testing.assert_allclose(law.mean, x.mean(0), rtol=1e-4)


def test_both_readings_of_a_scale_begin_at_the_marginal():
    x = np.random.default_rng(0).normal(3.0, 2.0, (500, 2))
    for name in ("gaussian_log_std", "gaussian_log_variance"):
        known = facts((x,), "real", likelihood=name)
        law = known.family(jnp.asarray(known.marginal, jnp.float32))
        np.testing.assert_allclose(law.scale, x.std(0), rtol=1e-5)


def test_texts_of_any_length_are_read_alike():
    x = np.random.default_rng(0).poisson(3.0, (20, 5))
    known = facts((x,), "count")
    assert known.family.total == round(x.sum() / 20)
    one = known.family.flatten(jnp.asarray(x[0]))
    np.testing.assert_allclose(one, known.family.flatten(jnp.asarray(7 * x[0])), rtol=1e-6)
    assert one.mean() == pytest.approx(1, abs=1e-6)
    assert (known.family.flatten(jnp.zeros(5)) == 0).all()


def test_counts_of_one_column_are_refused():
    for name in (None, "multinomial"):
        with pytest.raises(CounterpointError, match=r"counts of one column have nothing to learn.* symbols, \(N, T\)"):
            facts((np.arange(5)[:, None],), "count", likelihood=name)


def test_a_likelihood_is_of_its_kind_of_data():
    with pytest.raises(CounterpointError, match="'gaussian' is none of count data; there are: counts, multinomial"):
        facts((np.ones((2, 3), int),), "count", likelihood="gaussian")


@pytest.mark.parametrize(("kind", "name"), [("count", None), ("real", "full_gaussian")])
def test_frames_that_are_no_vectors_are_refused_where_vectors_are_needed(kind, name):
    with pytest.raises(CounterpointError, match=r"these have shape \(2, 3\): flatten them"):
        facts((np.ones((4, 2, 3)),), kind, likelihood=name)


def test_categories_are_counted_where_something_was_seen():
    x, seen = np.array([0, 1, 2, 999]), np.array([True, True, True, False])
    assert facts((x,), "index", (seen,)).family.shape == (3,)
