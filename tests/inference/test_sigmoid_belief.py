"""Gibbs sampling and mean-field inference of sigmoid belief networks, against all their states."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random
from scipy.special import expit, logsumexp
from scipy.stats import chi2

from counterpoint.distributions import polya_gamma
from counterpoint.inference import MeanFieldVB, PolyaGamma, PolyaGammaConfig, Prior, mean_field_vb, turns
from counterpoint.rollout import rollout
from exact.cases import FRAMES, KEY, LATENTS, expected_elbo, log_marginal, mk, score_paths, tsbn, whole
from exact.test_sbn import STATES, V, sbn

pytestmark = pytest.mark.usefixtures("x64")

CASES = {"sbn": (sbn, V, STATES), "tsbn": (tsbn, FRAMES, LATENTS), "tsbn-2": (lambda: tsbn(order=2), FRAMES, LATENTS)}
LOGITS, DRAWS = np.array([0.0, 0.5, -2.0, 5.0, 15.0]), 20_000
score = eqx.filter_jit(score_paths)


@pytest.mark.slow
def test_draws_have_the_moments_of_their_distribution():
    w = np.asarray(polya_gamma.polya_gamma(random.key(1), jnp.broadcast_to(LOGITS, (DRAWS, 5))))
    c = np.where(LOGITS == 0, 1e-3, LOGITS)
    mean, variance = np.tanh(c / 2) / (2 * c), (np.sinh(c) - c) / (4 * c**3 * np.cosh(c / 2) ** 2)
    np.testing.assert_allclose(polya_gamma.mean(jnp.asarray(LOGITS)), mean, rtol=1e-6)
    assert (np.abs(w.mean(0) - mean) < 4 * (variance / DRAWS) ** 0.5).all()
    fourth = ((w - mean) ** 4).mean(0) - variance**2
    assert (np.abs(w.var(0) - variance) < 4 * (fourth / DRAWS) ** 0.5).all()
    for s in (0.7, 8.0):  # E exp(-s w), which determines all of it
        found, want = np.exp(-s * w), np.cosh(c / 2) / np.cosh(np.sqrt((c**2 / 2 + s) / 2))
        assert (np.abs(found.mean(0) - want) < 4 * found.std(0) / DRAWS**0.5).all()


def test_the_two_series_of_the_tilt_are_one_function():
    x, n = np.array([0.05, 0.3, 0.63, 0.65, 0.9, 2.0, 9.0, 40.0]), np.arange(400)[:, None]
    want = ((-1.0) ** n * (2 * n + 1) * np.exp(-2 * n * (n + 1) / x)).sum(0)
    np.testing.assert_allclose(polya_gamma.tilt(jnp.asarray(x)), want, rtol=1e-9, atol=1e-12)
    assert np.isfinite(polya_gamma.tilt(jnp.asarray([1e-30, 1e30]))).all()


def posterior(p, x, paths) -> np.ndarray:
    trace = score(p, Prior(), x, paths)
    log_joint = np.asarray((trace.log_prior + trace.log_likelihood).sum(0)[0])
    return np.exp(log_joint - logsumexp(log_joint))


@eqx.filter_jit
def moves(p, omegas):
    """p(h | h') of one sweep of the SBN over all h' and h, given the omegas (N, 8, ..) of each h', or None: (8, 8)."""
    h, begin = jnp.asarray(STATES), p.initial()
    none = jnp.zeros((0, 3)), jnp.zeros((0, 4))
    w = turns.window(p, begin.hidden[0], begin.seen.value, jnp.asarray(V), none, jnp.ones((1, 4)))

    def from_(old, omega):
        law = turns.turn(p, w, old, turns.logits(p, w, old), omega, 0)
        return jnp.exp(jax.vmap(law.log_prob)(h[:, 0]))

    if omegas is None:
        return jax.vmap(lambda old: from_(old, None))(h)
    return lax.map(lambda omega: jax.vmap(from_)(h, omega), omegas)


def test_a_sweep_of_single_units_leaves_the_posterior_as_it_is():
    p = sbn()[0]
    weights, move = posterior(p, V, STATES), np.asarray(moves(p, None))
    np.testing.assert_allclose(move.sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(weights @ move, weights, atol=1e-12)
    assert np.abs(move - weights).max() > 0.02  # it is no draw from the posterior yet


@pytest.mark.slow
def test_an_augmented_sweep_leaves_the_posterior_as_it_is_on_average():
    p = sbn()[0]
    weights, many = posterior(p, V, STATES), 4000
    a = np.concatenate([np.broadcast_to(mk(3, 1, 0.5), (8, 1, 3)), STATES @ np.asarray(mk((4, 3), 4, 1.5)).T], 2)
    a[..., 3:] += np.asarray(mk(4, 16, 0.5))
    w = polya_gamma.polya_gamma(random.key(2), jnp.broadcast_to(a, (many, *a.shape)))
    found = weights @ np.asarray(moves(p, turns.Omega(w[..., :3], w[..., 3:])))  # (many, 8)
    assert (np.abs(found.mean(0) - weights) < 4 * found.std(0) / many**0.5).all()
    assert found.std(0).max() > 1e-3


@eqx.filter_jit
def draws(p, q, x, count):
    trace, _ = rollout(p, q, whole(x), random.key(KEY), particles=count)
    return trace.z[:, 0], trace.log_weight.sum((0, 1))


def frequencies(p, q, x, paths, count) -> tuple[float, np.ndarray]:
    """Pearson's statistic of how often each path was drawn, its degrees of freedom, and all log-weights."""
    z, log_weight = draws(p, q, x, count)
    z = np.moveaxis(np.asarray(z), 1, 0).reshape(count, -1)
    number = lambda a: (a.reshape(len(a), -1) @ 2 ** np.arange(z.shape[1])).astype(int)
    seen = np.bincount(number(z), minlength=len(paths))[number(np.asarray(paths))]
    want = count * posterior(p, x, paths)
    rare = want < 5
    seen, want = (np.append(a[~rare], a[rare].sum()) for a in (seen, want))
    return float(((seen - want) ** 2 / want).sum() / chi2.ppf(0.999, len(want) - 1)), np.asarray(log_weight)


@pytest.mark.parametrize("augment", [True, False])
@pytest.mark.slow
def test_long_chains_draw_from_the_posterior(augment):
    p, count = sbn()[0], 1500
    distance, log_weight = frequencies(p, PolyaGamma(PolyaGammaConfig(8, augment=augment)), V, STATES, count)
    assert distance < 1
    ratio = np.exp(log_weight + 4.6487426375)  # unbiased, whatever the chain
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / count**0.5
    assert log_weight.mean() < -4.6487426375
    if not augment:  # one sweep from a fixed start is not there yet
        assert frequencies(p, PolyaGamma(PolyaGammaConfig(1, augment=False)), V, STATES, count)[0] > 1


@pytest.mark.slow
@pytest.mark.parametrize(("augment", "count"), [(True, 6_000), (False, 12_000)])  # those augmented take long to draw
def test_chains_that_look_to_the_end_draw_whole_paths_from_the_posterior(augment, count):
    p = tsbn(order=2)[0]
    found = [frequencies(p, PolyaGamma(PolyaGammaConfig(12, n, augment)), FRAMES, LATENTS, count)[0] for n in (2, 0)]
    assert found[0] < 1 < found[1]


@eqx.filter_jit
def ascents(p, x, count):
    """Means and their logits after 1 .. count sweeps."""
    x, begin = jnp.asarray(x), p.initial()
    v, hidden, visible = p.embed(p.memory(), x)[1]
    drive = hidden[:-1], visible[:-1]
    w = turns.window(p, begin.hidden[0], begin.seen.value, v, drive, jnp.ones(v.shape))
    start = jnp.full(w.hidden.shape, 0.5)

    def step(m, _):
        new = mean_field_vb.ascend(p, w, m)
        return new[0], new

    return lax.scan(step, start, None, count)[1]


def coins(p, x, paths):
    """Values and logits of all coins of every path: (N, C) each, written out in NumPy."""
    hidden, visible, (count, steps, _) = p.hidden[0], p.visible, paths.shape
    get = lambda weights, d: 0.0 if weights is None else np.asarray(weights)[d]
    values, found = [], []
    for t in range(steps):
        h = np.broadcast_to(np.asarray(hidden.bias), (count, len(hidden.bias)))
        v = np.asarray(visible.bias) + paths[:, t] @ np.asarray(visible.now).T
        for d in range(min(p.order, t)):
            h = h + paths[:, t - d - 1] @ get(hidden.across, d).T + x[t - d - 1] @ np.transpose(get(hidden.below, d))
            v = v + x[t - d - 1] @ np.transpose(get(visible.below, d))
        values += [paths[:, t], np.broadcast_to(x[t], v.shape)]
        found += [h, v]
    return np.concatenate(values, 1), np.concatenate(found, 1)


@pytest.mark.parametrize("case", ["sbn", pytest.param("tsbn", marks=pytest.mark.slow), "tsbn-2"])
def test_coordinate_ascent_never_falls_and_stays_below_the_elbo(case):
    make, x, paths = CASES[case]
    (p, _), sweeps = make(), 6
    y, a = coins(p, x, paths)
    log_p = float(log_marginal(score(p, Prior(), x, paths)))
    assert logsumexp((y * a - np.logaddexp(0, a)).sum(1)) == pytest.approx(log_p, abs=1e-10)
    means, logits = map(np.asarray, ascents(p, x, sweeps))
    np.testing.assert_allclose(means, expit(logits), atol=1e-12)

    def law(m):
        return (paths * np.log(m) + (1 - paths) * np.log1p(-m)).sum((1, 2))

    def bound(old, m):
        """The objective, xi from the means before the sweep: its value after that sweep."""
        xi = np.sqrt(np.exp(law(old)) @ a**2)
        each = (y - 0.5) * a - np.log(2 * np.cosh(xi / 2)) - (a**2 - xi**2) * np.tanh(xi / 2) / (4 * xi)
        return np.exp(law(m)) @ (each.sum(1) - law(m))

    steps = [np.full_like(means[0], 0.5), *means]
    found = [value for old, m in itertools.pairwise(steps) for value in (bound(old, old), bound(old, m), bound(m, m))]
    assert (np.diff(found) >= -1e-12).all()
    assert found[1] > found[0] + 0.01
    assert found[-1] - found[-3] < 1e-3  # it is there
    elbo = float(expected_elbo(score(p, MeanFieldVB(sweeps), x, paths)))
    assert found[-1] < elbo < log_p
    by_hand = np.exp(law(means[-1])) @ ((y * a - np.logaddexp(0, a)).sum(1) - law(means[-1]))
    assert elbo == pytest.approx(by_hand, abs=1e-10)
