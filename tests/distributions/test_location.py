import jax
import jax.numpy as jnp
import numpy as np
import pytest

from counterpoint.distributions import Bernoulli, Chain, Empty, FullGaussian, Gaussian
from counterpoint.distributions.location import diagonal, gaussian, moved, variance

pytestmark = pytest.mark.usefixtures("x64")

LOWER = jnp.array([[0.9, 0.0], [-0.4, 0.6]])
ONE, FULL = Gaussian(jnp.array([0.2, -0.3]), jnp.array([0.5, 1.5])), FullGaussian(jnp.array([1.0, 2.0]), LOWER)


def above(z):
    """The layer under z."""
    return Gaussian(2 * z[:1], jnp.full(1, 0.3))


def test_variances_are_those_of_the_covariance():
    np.testing.assert_allclose(variance(ONE), [0.25, 2.25], atol=1e-12)
    np.testing.assert_allclose(variance(FULL), np.diag(LOWER @ LOWER.T), atol=1e-12)
    lower, upper = variance(Chain(FULL, above, order=(1, 0)))
    np.testing.assert_allclose(lower, [0.09], atol=1e-12)
    np.testing.assert_allclose(upper, variance(FULL), atol=1e-12)


def test_what_is_gaussian():
    assert gaussian(ONE)
    assert gaussian(Chain(FULL, above))
    assert not gaussian(Chain(ONE, Bernoulli(jnp.zeros(2))))
    assert not gaussian(Empty())


def test_moving_moves_the_mean_alone():
    by = jnp.array([0.5, -1.0])
    for law in (ONE, FULL):
        np.testing.assert_allclose(moved(law, by).mean, law.mean + by, atol=1e-12)
        np.testing.assert_allclose(variance(moved(law, by)), variance(law), atol=1e-12)
    lower, upper = moved(Chain(ONE, FULL, order=(1, 0)), (by, 2 * by)).mean
    np.testing.assert_allclose(lower, FULL.mean + by, atol=1e-12)
    np.testing.assert_allclose(upper, ONE.mean + 2 * by, atol=1e-12)


def test_moments_make_the_gaussians_that_have_them():
    law = diagonal(ONE.mean, jnp.log(variance(ONE)))
    assert isinstance(law, Gaussian)
    np.testing.assert_allclose(law.scale, ONE.scale, atol=1e-12)
    layers = (ONE.mean, FULL.mean)
    both = diagonal(layers, jax.tree.map(jnp.zeros_like, layers))
    assert isinstance(both, Chain)
    for a, b in zip(both.mean, layers):
        np.testing.assert_allclose(a, b, atol=1e-12)
