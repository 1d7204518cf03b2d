import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.resampling import Multinomial, Systematic

pytestmark = pytest.mark.usefixtures("x64")

WEIGHT = np.array([0.5, 0.05, 0.3, 0.15])
COUNT = 20000


def draws(scheme, weight=WEIGHT):
    keys = random.split(random.key(0), COUNT)
    return jax.jit(jax.vmap(lambda key: scheme(key, jnp.log(jnp.asarray(weight)))))(keys)


@pytest.mark.parametrize("scheme", [Systematic(1.0), Multinomial(1.0)])
def test_a_particle_has_as_many_children_as_its_weight_on_average(scheme):
    ancestors, weights, _ = draws(scheme)
    children = (np.asarray(ancestors)[..., None] == np.arange(4)).sum(1)
    error = children.std(0) / COUNT**0.5 + 1e-12
    assert (np.abs(children.mean(0) - 4 * WEIGHT) < 4.5 * error).all()
    np.testing.assert_allclose(weights, np.full(weights.shape, -np.log(4)), atol=1e-12)


def test_systematic_children_differ_from_the_expected_number_by_less_than_one():
    children = (np.asarray(draws(Systematic(1.0))[0])[..., None] == np.arange(4)).sum(1)
    assert (np.abs(children - 4 * WEIGHT) < 1).all()


def test_multinomial_ancestors_are_independent_and_know_their_probability():
    ancestors, _, chance = (np.asarray(a) for a in draws(Multinomial(1.0), WEIGHT[:2] / WEIGHT[:2].sum()))
    weight = WEIGHT[:2] / WEIGHT[:2].sum()
    for pair in itertools.product(range(2), repeat=2):
        hit = (ancestors == np.array(pair)).all(1)
        want = weight[list(pair)].prod()
        assert abs(hit.mean() - want) < 4.5 * (want / COUNT) ** 0.5
        np.testing.assert_allclose(chance[hit], np.full(hit.sum(), np.log(want)), atol=1e-12)


@pytest.mark.parametrize("kind", [Systematic, Multinomial])
def test_particles_stay_while_their_weights_are_even_enough(kind):
    size = 1 / float((WEIGHT**2).sum()) / 4
    for threshold, moves in ((size * 0.99, False), (size * 1.01, True)):
        ancestors, weights, chance = draws(kind(threshold))
        assert (np.asarray(ancestors) == np.arange(4)).all() != moves
        want = np.full(4, -np.log(4)) if moves else np.log(WEIGHT)
        np.testing.assert_allclose(weights, np.broadcast_to(want, weights.shape), atol=1e-12)
        assert moves or (np.asarray(chance) == 0).all()


@pytest.mark.parametrize("kind", [Systematic, Multinomial])
def test_even_weights_never_resample(kind):
    ancestors, _, chance = draws(kind(1.0), np.full(4, 0.25))
    assert (np.asarray(ancestors) == np.arange(4)).all()
    assert (np.asarray(chance) == 0).all()


@pytest.mark.parametrize("kind", [Systematic, Multinomial])
def test_a_particle_without_weight_has_no_children(kind):
    ancestors, _, _ = draws(kind(1.0), np.array([1e-300, 0.5, 0.5, 1e-300]))
    assert set(np.unique(ancestors)) == {1, 2}
