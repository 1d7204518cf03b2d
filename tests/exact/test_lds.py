import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import refusal
from counterpoint.bounds import ELBO
from counterpoint.core import Batch
from counterpoint.estimators import Pathwise
from counterpoint.inference import Kalman, Prior
from counterpoint.models import LDS
from counterpoint.rollout import rollout
from exact.cases import LDS_FRAMES, lds, score_paths, sigma_paths, whole

pytestmark = pytest.mark.usefixtures("x64")

drawn = eqx.filter_jit(lambda p, q, batch, key, particles: rollout(p, q, batch, key, particles=particles)[0])
scored = eqx.filter_jit(score_paths)


def free_energy(q, x=LDS_FRAMES):
    """The expected free energy of each step, exactly."""
    p, x = lds(), jnp.asarray(x)
    return -scored(p, q, x, sigma_paths(p, q, x)).log_weight.mean(2)[:, 0]


def test_smoothing_posterior_gives_every_path_the_weight_of_the_data():
    for key in range(3):
        trace = drawn(lds(), Kalman(), whole(LDS_FRAMES), random.key(key), 7)
        np.testing.assert_allclose(trace.log_weight.sum(0)[0], np.full(7, -5.3458706416), atol=1e-8)


@pytest.mark.slow
def test_smoothing_free_energy_is_minus_log_evidence():
    assert free_energy(Kalman()).sum() == pytest.approx(5.3458706416, abs=1e-8)


def test_filtering_expectation_maximisation_free_energy():
    steps = free_energy(Kalman(smooth=False))
    np.testing.assert_allclose(steps, [1.2822763101, 1.3049283577, 1.7108054629, 1.2155110608], atol=1e-8)
    assert steps.sum() == pytest.approx(5.5135211916, abs=1e-8)


def test_prior_free_energy():
    assert free_energy(Prior()).sum() == pytest.approx(8.1704614052, abs=1e-8)


@pytest.mark.parametrize(("q", "want"), [(Kalman(smooth=False), 5.5135211916), (Prior(), 8.1704614052)])
def test_drawn_paths_reach_the_exact_free_energy(q, want):
    values = -drawn(lds(), q, whole(LDS_FRAMES, 2), random.key(3), 20000).log_weight.sum(0).ravel()
    assert abs(values.mean() - want) < 4 * values.std() / len(values) ** 0.5


@pytest.mark.slow
def test_marginals_of_the_last_step_are_the_filtered_ones():
    p, q = lds(), Kalman()
    means = [0.2777777778, -0.0349397590, 0.5977195722, 0.6205174368]
    variances = [0.4444444444, 0.4144578313, 0.4087328010, 0.4076203966]
    for t in range(4):
        last = sigma_paths(p, q, jnp.asarray(LDS_FRAMES[: t + 1]))[:, -1, 0]
        assert last.mean() == pytest.approx(means[t], abs=1e-9)
        assert last.var() == pytest.approx(variances[t], abs=1e-9)


# An LDS with two latent and two visible dimensions, nothing diagonal, and an offset.
A = np.array([[0.8, 0.3], [-0.2, 0.7]])
Q = np.array([[0.5, 0.1], [0.1, 0.3]])
C = np.array([[1.0, 0.4], [-0.6, 0.9]])
R = np.array([[0.6, 0.35], [0.35, 0.5]])
M0, P0, OFFSET = np.array([0.2, -0.4]), np.array([[1.0, 0.2], [0.2, 0.7]]), np.array([0.3, -0.1])
FRAMES = np.array([[0.5, -0.3], [1.2, 0.7], [-0.4, 0.1], [0.9, -1.3], [0.2, 0.6]])
LAW = A, Q, C, R, M0, P0, OFFSET


def joint(law, T):
    """Mean and covariance of all of x, flattened."""
    A, Q, C, R, M0, P0, offset = law
    mean, cov = [M0], [P0]
    for _ in range(T - 1):
        mean.append(A @ mean[-1])
        cov.append(A @ cov[-1] @ A.T + Q)
    full = [[None] * T for _ in range(T)]
    for s in range(T):
        cross = cov[s]
        for t in range(s, T):
            full[s][t] = C @ cross @ C.T + (R if s == t else 0)
            full[t][s] = full[s][t].T
            cross = cross @ A.T
    return jnp.concatenate([C @ m + offset for m in mean]), jnp.block(full)


def dense(seen, x=FRAMES, law=LAW):
    """log-density of the entries that are seen."""
    mean, cov = joint(law, len(x))
    at = np.flatnonzero(seen.ravel())
    error, cov = (x.ravel() - mean)[at], cov[np.ix_(at, at)]
    return -0.5 * (error @ jnp.linalg.solve(cov, error) + jnp.linalg.slogdet(2 * np.pi * cov)[1])


def mask(name):
    seen = np.ones((5, 2), bool)
    if name == "frames":
        seen[[1, 4]] = False
    elif name == "entries":
        seen[0, 0] = seen[2, 1] = seen[3, 0] = False
    elif name == "both":
        seen[0] = seen[3] = False
        seen[1, 1] = seen[4, 0] = False
    return seen


def plane():
    return LDS.of(*LAW)


@pytest.mark.parametrize("name", ["nothing", "frames", "entries", "both"])
def test_smoothing_posterior_is_exact_whatever_is_missing(name):
    seen = mask(name)
    x = np.where(seen, FRAMES, np.nan)[None]
    batch = Batch(jnp.asarray(x), jnp.ones((1, 5), bool), None if name == "nothing" else jnp.asarray(seen)[None])
    trace = drawn(plane(), Kalman(), batch, random.key(0), 5)
    np.testing.assert_allclose(trace.log_weight.sum(0)[0], np.full(5, dense(seen)), atol=1e-8)
    assert trace.log_evidence.sum() == pytest.approx(float(dense(seen)), abs=1e-8)


def test_a_mask_of_frames_is_a_mask_of_all_their_entries():
    seen = mask("frames")
    batch = Batch(jnp.asarray(FRAMES)[None], jnp.ones((1, 5), bool), jnp.asarray(seen[:, 0])[None])
    trace = drawn(plane(), Kalman(), batch, random.key(0), 2)
    np.testing.assert_allclose(trace.log_weight.sum(0)[0], np.full(2, dense(seen)), atol=1e-8)


@pytest.mark.parametrize("q", [Kalman(smooth=False), Prior()])
def test_other_posteriors_estimate_the_likelihood_of_what_was_seen_without_bias(q):
    seen = mask("both")
    batch = Batch(jnp.asarray(FRAMES)[None], jnp.ones((1, 5), bool), jnp.asarray(seen)[None])
    ratio = jnp.exp(drawn(plane(), q, batch, random.key(1), 50000).log_weight.sum(0)[0] - dense(seen))
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / 50000**0.5


def test_what_was_missing_is_drawn_from_its_posterior():
    seen = mask("both")
    batch = Batch(jnp.asarray(FRAMES)[None], jnp.ones((1, 5), bool), jnp.asarray(seen)[None])
    x = np.asarray(drawn(plane(), Kalman(), batch, random.key(2), 50000).x)[:, 0].transpose(1, 0, 2).reshape(-1, 10)
    mean, cov = joint(LAW, len(FRAMES))
    at, out = np.flatnonzero(seen.ravel()), np.flatnonzero(~seen.ravel())
    gain = cov[np.ix_(out, at)] @ np.linalg.inv(cov[np.ix_(at, at)])
    want = mean[out] + gain @ (FRAMES.ravel() - mean)[at]
    spread = cov[np.ix_(out, out)] - gain @ cov[np.ix_(at, out)]
    np.testing.assert_array_equal(x[:, at], np.broadcast_to(FRAMES.ravel()[at], (50000, len(at))))
    np.testing.assert_array_less(np.abs(x[:, out].mean(0) - want), 4.5 * np.sqrt(np.diag(spread) / 50000))
    np.testing.assert_allclose(np.cov(x[:, out].T), spread, atol=0.03)


def law_of(p):
    noises = (p.noise.matrix, p.observation_noise.matrix, p.start_noise.matrix)
    return p.transition, noises[0], p.readout, noises[1], p.start, noises[2], p.offset


def same_gradient(f, g, p):
    found, want = (jax.jit(jax.grad(f))(p) for f in (f, g))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


@pytest.mark.parametrize(
    ("wide", "name"),
    [(True, "both"), *(pytest.param(*c, marks=pytest.mark.slow) for c in [(True, "nothing"), (False, "both")])],
)
@pytest.mark.slow
def test_the_gradient_is_that_of_the_joint_gaussian(wide, name):
    """Of the filter, and of what `fit` follows along the path that q draws; with more entries in a frame than z has as
    well, of which no more are seen at times."""
    p, x, seen = plane(), FRAMES, mask(name)
    if wide:
        readout, noise = np.concatenate([C, [[0.3, -0.2]]]), np.diag([0.6, 0.5, 0.4]) + 0.1
        p = LDS.of(A, Q, readout, noise, M0, P0, np.append(OFFSET, 0.2))
        x, seen = (np.concatenate([a, a[:, :1]], 1) for a in (FRAMES, seen))
    observed = None if name == "nothing" else jnp.asarray(seen)[None]
    batch = Batch(jnp.asarray(x)[None], jnp.ones((1, 5), bool), observed)
    exact = lambda p: dense(seen, x, law_of(p))
    fitted = lambda p: Pathwise()(p, Kalman(), ELBO(closed_form=False), batch, random.key(0), (), None)[0]
    same_gradient(lambda p: Kalman().marginals(p, batch).log_evidence.sum(), exact, p)
    same_gradient(lambda p: -5 * fitted(p).surrogate, exact, p)


@pytest.mark.slow
def test_a_closed_divergence_has_that_gradient_on_average():
    x, seen = jnp.asarray(LDS_FRAMES[:2]), np.ones((2, 1), bool)

    def mean(p):
        z = jnp.moveaxis(sigma_paths(p, Kalman(), x), 0, 1)[:, None]
        trace = rollout(p, Kalman(), whole(x), random.key(0), particles=z.shape[2], closed_form=True, z=z)[0]
        return ELBO()(trace).sum()

    same_gradient(mean, lambda p: dense(seen, x, law_of(p)), lds())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"noise": np.zeros((2, 2))}, "add a small number to the diagonal"),
        ({"start_noise": np.diag([1.0, 0.0])}, "symmetric and positive definite"),
        ({"observation_noise": -R}, "symmetric and positive definite"),
        ({"noise": np.triu(Q)}, "symmetric and positive definite"),
        ({"observation_noise": [0.5]}, "observation_noise has shape (1,), expected (2, 2)"),
        ({"offset": np.zeros(3)}, "offset has shape (3,), expected (2,)"),
        ({"transition": np.eye(3)}, "transition has shape (3, 3), expected (2, 2)"),
    ],
)
def test_what_is_no_linear_system_is_refused(change, says):
    whole = {"transition": A, "noise": Q, "readout": C, "observation_noise": R, "start": M0, "start_noise": P0}
    assert says in refusal(lambda: LDS.of(**whole | change))
