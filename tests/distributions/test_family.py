"""What parts learn of data before they are built."""

import jax.numpy as jnp
import numpy as np

from counterpoint.distributions import facts


def test_the_marginal_of_wide_data_is_finite_and_right():
    x = np.random.default_rng(0).normal(3.0, 2000.0, (500, 2))
    known = facts((x,), "real")
    law = known.family(jnp.asarray(known.marginal, jnp.float32))
    np.testing.assert_allclose(law.scale, x.std(0), rtol=1e-4)
    np.testing.assert_allclose(law.mean, x.mean(0), rtol=1e-4)


def test_categories_are_counted_where_something_was_seen():
    x, seen = np.array([0, 1, 2, 999]), np.array([True, True, True, False])
    assert facts((x,), "index", (seen,)).family.shape == (3,)
