"""The bounds of Bachman and Precup 2015 with their constants put right, by enumeration; active units and Parzen
windows."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random
from scipy import special, stats

from conformance.parts import stirred
from counterpoint.bounds import ELBO, IWAE
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.evaluation import (
    active_units,
    evaluate,
    evidence_upper_estimate,
    parzen,
    parzen_width,
    resampling_entropy,
    unit_variances,
    weight_spread,
)
from counterpoint.inference import FilteringConfig
from counterpoint.models import VAEConfig
from exact.cases import table, tuples

TABLE = {  # particles: the bound of eq. 14 with its 1/k, eq. 14 as printed, eq. 21, E[H(w)]
    1: (-2.2766568332, -2.2766568332, -2.2766568332, 0.0),
    2: (-1.7029209973, -1.0097738168, -1.4085815478, 0.3988077310),
    3: (-1.4011271065, -0.3025148178, -0.8964954659, 0.5939806481),
    4: (-1.2184841821, 0.1678101790, -0.5677259426, 0.7355361216),
    8: (-0.9083161622, 1.1711253794, 0.0246253810, 1.1464999984),
}


@pytest.mark.usefixtures("x64")
def test_what_is_a_bound_and_what_is_none():
    """p(z) = (.5, .3, .2), p(x | z) = (.9, .2, .05), q = (.2, .3, .5): every way to draw k of z."""
    q = np.array([0.2, 0.3, 0.5])
    ratio = np.log(np.array([0.5, 0.3, 0.2]) * np.array([0.9, 0.2, 0.05]) / q)
    told = jax.jit(lambda a: (jax.nn.logsumexp(a, 1), evidence_upper_estimate(a), resampling_entropy(a)))
    for k, (bound, printed, upper, entropy) in TABLE.items():
        z = tuples(3, k)
        weight, chance = ratio[z], q[z].prod(1)
        total, estimate, spread = map(np.asarray, told(weight))
        mean = lambda a, chance=chance: float((chance * a).sum())
        assert mean(total - np.log(k)) == pytest.approx(bound, abs=1e-8)
        assert mean(total) == pytest.approx(printed, abs=1e-8)
        assert mean(estimate) == pytest.approx(upper, abs=1e-8)
        assert mean(spread) == pytest.approx(entropy, abs=1e-8)
        np.testing.assert_allclose(total - estimate, spread, atol=1e-10)  # eq. 23, for every draw
        share = special.softmax(weight, 1)
        inner = share * (weight - np.log(share))
        # eq. 11, of the one resampled, which is the first of the k as often as any other; eq. 12, of all of them
        assert k * mean(inner[:, 0]) == pytest.approx(printed, abs=1e-8)
        assert mean(inner.sum(1)) == pytest.approx(printed, abs=1e-8)
    log_p = -0.6539264674
    assert min(TABLE[4][1:3]) > log_p > TABLE[8][0] > TABLE[4][0]
    often = jnp.asarray(ratio[[0] * 2 + [1] * 3 + [2] * 5])  # as often as of very many draws
    assert evidence_upper_estimate(often) == pytest.approx(log_p + 1.0947574145, abs=1e-9)
    assert log_p + 1.0947574145 == pytest.approx(0.4408309471, abs=1e-9)


@pytest.mark.usefixtures("x64")
def test_the_spread_over_a_test_set_is_that_of_the_table():
    p, q = table()
    seen = Sequences((np.zeros(1, np.int32),) * 3000)
    found = weight_spread(p, q, seen, 4, random.key(0))
    assert found.entropy == pytest.approx(TABLE[4][3], abs=0.06)
    assert found.upper == pytest.approx(TABLE[4][2], abs=0.06)


@pytest.mark.usefixtures("x64")
def test_with_the_weights_held_its_gradient_is_that_of_the_bound():
    log_weight = random.normal(random.key(0), (5,))
    held = lambda a: (lax.stop_gradient(jax.nn.softmax(a)) * a).sum()
    bound = lambda a: jax.nn.logsumexp(a) - jnp.log(5)
    np.testing.assert_allclose(jax.grad(held)(log_weight), jax.grad(bound)(log_weight), atol=1e-12)
    assert held(log_weight) == pytest.approx(float(evidence_upper_estimate(log_weight)), abs=1e-12)


def test_many_particles_are_scored_in_portions():
    """log (1/K) sum_k w_k, portion by portion: so many of them come near log p(x), of every sequence in its place."""
    assert IWAE(5000).portions(64) == (IWAE(50), 100)
    assert IWAE(50).portions(64) == (IWAE(50), 1)
    assert ELBO(5000).portions(64) == (ELBO(5000), 1)
    p, q = table()
    seen = Sequences((np.zeros(1, np.int32), np.ones(1, np.int32)))
    found = evaluate(p, q, seen, {"many": IWAE(6400)}, random.key(0), replicates=2)["many"].values
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found[:, 0], -0.6539264674, atol=0.06)
    np.testing.assert_allclose(found[:, 1], np.log(1 - np.exp(-0.6539264674)), atol=0.06)
    assert np.ptp(found, axis=0).min() > 0


def test_the_entropy_of_weights_that_vanish():
    assert resampling_entropy(jnp.array([0.0, -jnp.inf])) == 0
    assert resampling_entropy(jnp.array([-1e4, 0.0, 0.0])) == pytest.approx(np.log(2), abs=1e-6)


def test_a_unit_that_says_nothing_of_x_is_not_active():
    """q's means are linear in x here, with noise that would count as variance if both means shared their draws."""
    rng = np.random.default_rng(0)
    images = Sequences(tuple(rng.integers(0, 2, (300, 1, 4)).astype(np.uint8)))
    known = facts(images.x)
    p = stirred(VAEConfig(latent=(3,), width=(4,), depth=1).build(known, random.key(0)), 0)
    q = FilteringConfig(width=3, activation="tanh").build(p, known, random.key(1))
    # z_1 by x_1, z_2 by x_2 weakly, z_3 by nothing; deviations of about 1
    outer = np.zeros((6, 3))
    outer[0, 0], outer[1, 1] = 2.0, 0.4
    inner = eqx.tree_at(lambda q: (q.from_x.weight, q.from_x.bias), q, (jnp.eye(3, 4), jnp.zeros(3)))
    last = lambda q: (q.guess.rest.layers[0].weight, q.guess.rest.layers[0].bias)
    q = eqx.tree_at(last, inner, (jnp.asarray(outer), jnp.zeros(6)))
    (found,) = unit_variances(p, q, images, random.key(2), samples=50)
    x = np.concatenate(images.x)
    want = [4 * np.var(np.tanh(x[:, 0])), 0.16 * np.var(np.tanh(x[:, 1])), 0.0]
    np.testing.assert_allclose(found, want, atol=0.04)
    assert abs(found[2]) < 0.01  # the noise of a mean of all draws is 0.02
    assert want[1] > 0.02
    assert active_units((found,)) == 2


def test_parzen_windows_are_mixtures_of_gaussians():
    rng = np.random.default_rng(0)
    samples, x = rng.normal(size=(7, 3)).astype(np.float32), rng.normal(size=(5, 3)).astype(np.float32)
    each = stats.norm(samples[None], 0.3).logpdf(x[:, None]).sum(-1)
    np.testing.assert_allclose(parzen(samples, x, 0.3), np.logaddexp.reduce(each, 1) - np.log(7), rtol=1e-5)
    widths = [0.1, 0.7, 3.0]
    assert parzen_width(samples, x, widths) == max(widths, key=lambda w: parzen(samples, x, w).mean()) == 0.7
    with pytest.raises(CounterpointError, match="give numbers above 0"):
        parzen_width(samples, x, [0.0])
