"""The Gaussian on a grid: against SciPy far out and close by, as a law that sums to one, and how it finds its grid."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy import stats
from scipy.special import log_ndtr

from counterpoint import Sequences
from counterpoint.data.batch import check_data
from counterpoint.distributions import DiscretisedGaussian, facts
from counterpoint.distributions.discretised import bits, log_density, log_mass, spacing
from counterpoint.errors import CounterpointError
from counterpoint.models import AutoregressiveConfig

MIDDLES = np.array([0.0, 1e-3, 0.4, 0.999, 1.5, 3.0, 5.6, 12.0, 14.0, 40.0, 41.3, 150.0])
WIDTHS = np.array([1.8e-3, 0.03, 0.05, 0.3, 1.3, 1.999, 2.001, 5.0, 40.0])


def exact(m, w):
    """log p and its derivatives by m and w, in float64 from SciPy's log Phi: no floor, all from the lower tail."""
    upper, lower = -(m - w / 2), -(m + w / 2)
    log_p = log_ndtr(upper) + np.log(-np.expm1(log_ndtr(lower) - log_ndtr(upper)))
    near, far = (np.exp(stats.norm.logpdf(edge) - log_p) for edge in (upper, lower))
    return log_p, far - near, (far + near) / 2


@pytest.mark.parametrize("wide", [False, True], ids=["float32", "float64"])
def test_mass_and_gradient_are_those_of_scipy_at_any_distance(wide, request):
    if wide:
        request.getfixturevalue("x64")
    dtype, tolerance = (np.float64, 1e-9) if wide else (np.float32, 3e-5)
    m, w = (a.ravel().astype(dtype) for a in np.meshgrid(MIDDLES, WIDTHS))
    value, gradient = jax.jit(jax.vmap(jax.value_and_grad(log_mass, (0, 1))))(m, w)
    for found, want in zip((value, *gradient), exact(m.astype(float), w.astype(float))):
        # where the mass is nearly 1, its small derivative is what is left of numbers of about 1
        np.testing.assert_allclose(found, want, rtol=tolerance, atol=1e-3 * tolerance)


def test_second_derivatives_are_finite_and_right(x64):
    """What a q that reads gradients needs, as an iterative one does."""
    m, w = (a.ravel() for a in np.meshgrid(np.append(MIDDLES, 900.0), WIDTHS))
    found = jax.jit(jax.vmap(jax.jacrev(jax.grad(log_mass, (0, 1)), (0, 1))))(m, w)
    step = 1e-5
    for j, (dm, dw) in enumerate(((step, 0.0), (0.0, step))):
        ahead, behind = exact(m + dm, w + dw), exact(m - dm, w - dw)
        for i in (0, 1):
            want = (ahead[i + 1] - behind[i + 1]) / (2 * step)
            sure = np.isfinite(want) & (m < 20)  # beyond, differences of differences are lost in rounding
            np.testing.assert_allclose(found[i][j][sure], want[sure], rtol=1e-3, atol=1e-4)
            assert np.isfinite(found[i][j]).all()


def test_forty_deviations_away_the_mean_is_still_pulled():
    """What a floor of 1e-6 under the mass takes away."""
    x, step = jnp.array([40.0]), 0.0018190742
    loss = lambda mu, log_sigma: DiscretisedGaussian(mu, jnp.exp(log_sigma), step).log_prob(x)
    pull, widen = jax.jit(jax.grad(loss, (0, 1)))(jnp.zeros(1), jnp.zeros(1))
    assert pull == pytest.approx(40.0, rel=1e-5)
    assert widen == pytest.approx(1600 - 1, rel=1e-4)


@pytest.mark.parametrize("scale", [0.01, 0.2, 1.0, 7.0])
def test_it_sums_to_one_over_the_grid_and_draws_follow_it(x64, scale):
    law = DiscretisedGaussian(jnp.array([0.37]), jnp.array([scale]), 0.25, 0.1)
    grid = 0.1 + 0.25 * np.arange(-400, 401)
    chance = np.exp(np.asarray(jax.jit(jax.vmap(lambda x: law.log_prob(x[None])))(jnp.asarray(grid))))
    assert chance.sum() == pytest.approx(1, abs=1e-12)
    drawn = np.asarray(jax.jit(jax.vmap(law.sample))(random.split(random.key(0), 20000))).ravel()
    assert law.support.contains(drawn).all()
    cells = np.round((drawn - 0.1) / 0.25).astype(int) + 400
    seen, want = np.bincount(cells, minlength=801), 20000 * chance
    likely = want > 5
    together = lambda a: np.append(a[likely], a[~likely].sum())
    if likely.sum() > 1:
        assert stats.chisquare(together(seen), together(want)).pvalue > 1e-4
    if scale >= 0.25:
        assert chance @ grid == pytest.approx(float(law.mean[0]), abs=1e-8)


def test_a_cell_far_narrower_than_the_scale_holds_its_density():
    law = DiscretisedGaussian(jnp.array([0.3, -1.0]), jnp.array([0.8, 2.0]), 0.001)
    x = jnp.array([1.1, 0.25])
    density = stats.norm([0.3, -1.0], [0.8, 2.0]).logpdf(x).sum()
    assert log_density(float(law.log_prob(x)), 2, 0.001) == pytest.approx(density, abs=1e-5)
    seen = jnp.array([True, False])
    assert law.log_prob(x, seen) == pytest.approx(stats.norm(0.3, 0.8).logpdf(1.1) + np.log(0.001), abs=1e-5)


def test_published_numbers_convert():
    """REFERENCE: 1,026 and 1,082 nats a step of TIMIT are about 236 and 180 of the density; 7.40 and 7.80 bits."""
    step = 0.0018190742
    assert log_density(-1026.0, 200, step) == pytest.approx(235.9, abs=0.05)
    assert log_density(-1082.0, 200, step) == pytest.approx(179.9, abs=0.05)
    assert bits(-1082.0, 200) == pytest.approx(7.80, abs=0.005)
    assert bits(-15097.0, 64 * 64) == pytest.approx(5.32, abs=0.005)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_grid_of_normalised_samples_is_found(dtype):
    """16 bits, mean and deviation of speech; the loudest are 60 deviations away, where float32 rounds most."""
    rng = np.random.default_rng(0)
    samples = np.append(np.round(rng.laplace(0, 400, 20000)), [-32768, 32767])
    x = ((samples - 0.00606) / 548.136).astype(dtype)
    assert spacing(x) == pytest.approx(1 / 548.136, rel=1e-6)
    known = facts((x.reshape(-1, 2),), "real", likelihood="discretised_gaussian")
    law = known.family(jnp.asarray(known.marginal, jnp.float32))
    assert isinstance(law, DiscretisedGaussian)
    assert law.support.contains(x).all()
    assert not law.support.contains(x + 0.3 / 548.136).any()
    np.testing.assert_allclose(law.scale, x.reshape(-1, 2).std(0), rtol=1e-4)


def test_pixels_are_on_a_grid_and_numbers_in_between_are_not():
    rng = np.random.default_rng(0)
    assert spacing(rng.integers(0, 256, (50, 9)) / np.float32(255)) == pytest.approx(1 / 255, rel=1e-6)
    assert spacing(rng.normal(size=5000)) is None
    assert spacing(rng.random(5000, np.float32)) is None
    assert spacing(np.ones(5)) is None


def test_a_likelihood_on_a_grid_is_told_or_finds_its_step():
    x = np.arange(12.0).reshape(6, 2) * 0.5 + 0.1
    assert facts((x,), "real", likelihood="discretised_gaussian").family.step == pytest.approx(0.5)
    told = facts((x,), "real", likelihood="discretised_gaussian:0.25").family
    assert (told.step, told.origin) == (0.25, 0.1)
    assert facts((x / 8,), "grey", likelihood="discretised_gaussian").family.step == pytest.approx(1 / 16)
    noise = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(CounterpointError, match="lie on no common grid"):
        facts((noise,), "real", likelihood="discretised_gaussian")
    for wrong in ("discretised_gaussian:-1", "discretised_gaussian:wide", "discretised_gaussian:"):
        with pytest.raises(CounterpointError, match=r"is a positive number, such as 0\.01"):
            facts((x,), "real", likelihood=wrong)
    with pytest.raises(CounterpointError, match=r"have 0\.6, which is not 0\.1 and whole steps of 0\.3.*mean=0"):
        facts((x,), "real", likelihood="discretised_gaussian:0.3")
    with pytest.raises(CounterpointError, match=r"only discretised_gaussian has a step; leave :0\.5"):
        facts((x,), "real", likelihood="gaussian:0.5")


def test_data_beside_the_grid_are_refused():
    x = np.arange(12.0).reshape(6, 2)
    p = AutoregressiveConfig(order=0).build(facts((x,), "real", likelihood="discretised_gaussian"), random.key(0))
    check_data(p, Sequences((x,)))
    with pytest.raises(CounterpointError, match="0 and whole steps of 1 from it"):
        check_data(p, Sequences((x + 0.5,)))
