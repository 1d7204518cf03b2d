"""Numbers of `draws` follow the laws that they are said to, and are `jax.random`'s where Threefry's words do not do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy import stats

from counterpoint import draws

LAWS = {"uniform": (draws.uniform, random.uniform), "norm": (draws.normal, random.normal)}


@pytest.mark.parametrize("law", LAWS)
def test_they_follow_their_law_and_are_independent(law):
    made = np.asarray(LAWS[law][0](random.key(3), (100_001,), jnp.float32))
    assert stats.kstest(made, law).pvalue > 0.01
    # words that one block made, neighbours, and those of the next key
    other = np.asarray(LAWS[law][0](random.key(4), (100_001,), jnp.float32))
    for a, b in [(made[:50_000], made[50_001:]), (made[1:], made[:-1]), (made, other)]:
        assert abs(stats.spearmanr(a, b).statistic) < 4 / len(a) ** 0.5


def test_uniform_numbers_begin_at_0_and_end_before_1():
    made = draws.uniform(random.key(0), (2000, 1000), jnp.float32)
    assert 0 <= made.min() < 5e-6
    assert 1 - 5e-6 < made.max() < 1
    assert jnp.isfinite(draws.normal(random.key(0), (200, 1000), jnp.float32)).all()


def test_each_key_of_many_gives_what_it_gives_alone():
    keys = random.split(random.key(0), 3)
    together = jax.vmap(lambda key: draws.normal(key, (2, 3), jnp.float32))(keys)
    for key, made in zip(keys, together):
        np.testing.assert_array_equal(draws.normal(key, (2, 3), jnp.float32), made)


@pytest.mark.parametrize("law", LAWS)
def test_double_precision_and_other_generators_are_those_of_jax(law, x64):
    ours, theirs = LAWS[law]
    np.testing.assert_array_equal(ours(random.key(0), (4,), jnp.float64), theirs(random.key(0), (4,), jnp.float64))
    key = random.key(0, impl="rbg")
    np.testing.assert_allclose(ours(key, (4,), jnp.float32), theirs(key, (4,), jnp.float32), atol=1e-6)
