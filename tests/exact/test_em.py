"""Marginals and expectation maximisation: by enumeration, by the joint Gaussian, and against hmmlearn."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM, GaussianHMM
from jax import random

from counterpoint.bounds import ELBO
from counterpoint.core import Batch, Pairing
from counterpoint.data import Sequences
from counterpoint.distributions import Family, facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators import EM
from counterpoint.inference import ForwardBackward, Kalman, Prior
from counterpoint.inference.messages import _logarithmic, _scaled
from counterpoint.models import HMM, LDS, HMMConfig
from counterpoint.models.lds import Diagonal
from counterpoint.training import FitConfig, OptimiserConfig, em, fit
from counterpoint.training.em import iterate

pytestmark = pytest.mark.usefixtures("x64")

RNG = np.random.default_rng(0)
START, MOVE = np.array([0.6, 0.4]), np.array([[0.7, 0.3], [0.2, 0.8]])
LENGTHS = np.array([4, 2])
VALID = np.arange(4) < LENGTHS[:, None]
SEEN = np.ones((2, 4, 2), bool)
SEEN[0, 1] = SEEN[1, 0, 1] = SEEN[0, 3, 0] = False
RAW = {
    "categorical": np.array([[0.3, -0.5, 0.9], [-0.7, 0.2, 0.1]]),
    "bernoulli": np.array([[0.4, -1.2], [-0.9, 0.3]]),
    "gaussian": np.array([[0.4, -1.2, -0.4, 0.1], [-0.9, 0.3, 0.5, -0.2]]),
}
X = {
    "categorical": np.array([[0, 2, 1, 2], [2, 0, 0, 0]], np.int32),
    "bernoulli": np.array([[[1, 0], [0, 0], [0, 1], [0, 0]], [[0, 1], [1, 1], [0, 0], [0, 0]]], float),
    "gaussian": RNG.normal(size=(2, 4, 2)),
}
marginals = eqx.filter_jit(lambda p, q, batch: q.marginals(p, batch))


def hmm(name, start=START, move=MOVE):
    with np.errstate(divide="ignore"):
        logs = [jnp.asarray(np.log(a)) for a in (start, move)]
    return HMM(*logs, jnp.asarray(RAW[name]), Family(name, (3,) if name == "categorical" else (2,)))


def frames(name):
    """Two sequences, of four and two steps, with gaps; NaN where nothing counts."""
    seen = SEEN & VALID[..., None]
    if name == "categorical":
        seen = seen[..., 1]
        return np.where(seen, X[name], 99), seen
    return np.where(seen, X[name], np.nan), seen


def batch_of(name):
    x, seen = frames(name)
    return Batch(jnp.asarray(x), jnp.asarray(VALID), jnp.asarray(seen))


def said(name, p, x, seen):
    """log p(x | state) of one frame."""
    each = jax.vmap(lambda raw: p.family(raw).log_prob(jnp.nan_to_num(jnp.asarray(x)), jnp.asarray(seen)))
    return np.asarray(each(p.emission))


def enumerated(name, start=START, move=MOVE):
    """log p(x), filtered and smoothed probabilities and summed pairs of each sequence, by its 2^T paths."""
    p, (x, seen), found = hmm(name), frames(name), []
    for n, length in enumerate(LENGTHS):
        say = np.stack([said(name, p, x[n, t], seen[n, t]) for t in range(length)])
        paths = np.array(list(itertools.product([0, 1], repeat=int(length))))

        def weights(until, say=say, paths=paths, length=length):
            prior = start[paths[:, 0]] * np.prod([move[paths[:, t], paths[:, t + 1]] for t in range(length - 1)], 0)
            return prior * np.exp(sum(say[t, paths[:, t]] for t in range(until)))

        share = lambda w, t, paths=paths: np.array([w[paths[:, t] == i].sum() for i in (0, 1)]) / w.sum()
        whole = weights(length)
        pairs = np.zeros((2, 2))
        for t in range(length - 1):
            np.add.at(pairs, (paths[:, t], paths[:, t + 1]), whole / whole.sum())
        filtered = [share(weights(t + 1), t) for t in range(length)]
        found.append((np.log(whole.sum()), filtered, [share(whole, t) for t in range(length)], pairs))
    return found


FORCED = np.array([1.0, 0.0]), np.array([[0.6, 0.4], [0.0, 1.0]])  # from left to right


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("law", [(START, MOVE), FORCED], ids=["dense", "left to right"])
def test_marginals_of_a_hidden_markov_model_are_those_of_its_paths(name, law):
    found = marginals(hmm(name, *law), ForwardBackward(), batch_of(name))
    for n, (log_evidence, filtered, smoothed, _) in enumerate(enumerated(name, *law)):
        length = LENGTHS[n]
        assert found.log_evidence[n].sum() == pytest.approx(log_evidence, abs=1e-10)
        np.testing.assert_allclose(found.filtered[n, :length], filtered, atol=1e-10)
        np.testing.assert_allclose(found.smoothed[n, :length], smoothed, atol=1e-10)


def best(name, weights, x, seen):
    """Raw numbers of the most likely emission of one state: weights (N,), x (N, ...)."""
    if name == "categorical":
        count = np.array([weights[seen & (x == i)].sum() for i in range(3)])
        return np.log(count / count.sum())
    mean = np.array([np.average(x[seen[:, i], i], weights=weights[seen[:, i]]) for i in range(2)])
    if name == "bernoulli":
        return np.log(mean / (1 - mean))
    square = np.array([np.average((x[seen[:, i], i] - mean[i]) ** 2, weights=weights[seen[:, i]]) for i in range(2)])
    return np.concatenate([mean, np.log(np.expm1(np.sqrt(square) - 1e-4)) - np.log(np.expm1(1))])


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("law", [(START, MOVE), FORCED], ids=["dense", "left to right"])
def test_an_iteration_for_a_hidden_markov_model_is_that_of_its_paths(name, law):
    paths, (x, seen) = enumerated(name, *law), frames(name)
    p, log_evidence = iterate(hmm(name, *law), ForwardBackward(), (batch_of(name),))
    np.testing.assert_allclose(log_evidence, [path[0] for path in paths], atol=1e-10)
    start, pairs = sum(path[2][0] for path in paths) / 2, sum(path[3] for path in paths)
    np.testing.assert_allclose(np.exp(p.start), start, atol=1e-10)
    np.testing.assert_allclose(np.exp(p.transition), pairs / pairs.sum(1, keepdims=True), atol=1e-10)
    weights = np.concatenate([path[2] for path in paths])
    x, seen = (np.concatenate([a[n, :length] for n, length in enumerate(LENGTHS)]) for a in (x, seen))
    want = np.stack([best(name, weights[:, i], x, seen) for i in (0, 1)])
    law = jax.vmap(p.family)
    for found, right in zip(jax.tree.leaves(law(p.emission)), jax.tree.leaves(law(jnp.asarray(want)))):
        np.testing.assert_allclose(found, right, atol=1e-9)


@pytest.mark.slow
def test_scaled_messages_are_those_in_logarithms():
    rng = np.random.default_rng(1)
    valid = np.arange(6)[:, None] < np.array([6, 4, 1])
    say = np.where(valid[..., None], rng.normal(0, 300, (6, 3, 4)), 0)
    log_start, log_move = (jax.nn.log_softmax(jnp.asarray(rng.normal(0, 3, s))) for s in ((4,), (4, 4)))
    args = log_start, log_move, jnp.asarray(say), jnp.asarray(valid)
    for found, want in zip(_scaled(*args), _logarithmic(*args)):
        keep = valid if found.ndim > 2 else slice(None)
        np.testing.assert_allclose(np.asarray(found)[keep], np.asarray(want)[keep], atol=1e-9)


A, Q = np.array([[0.8, -0.3], [0.2, 0.7]]), np.array([[0.5, 0.1], [0.1, 0.3]])
C, R = np.array([[1.0, 0.4], [-0.6, 0.9], [0.3, 0.3]]), np.array([[0.6, 0.3, 0.1], [0.3, 0.5, 0.0], [0.1, 0.0, 0.4]])
M0, P0, OFFSET = np.array([0.2, -0.4]), np.array([[1.0, 0.2], [0.2, 0.7]]), np.array([0.3, -0.1, 0.2])
PLANE = RNG.normal(size=(2, 4, 3))
GAPS = np.ones((2, 4, 3), bool)
GAPS[0, 1] = GAPS[0, 3, 0] = GAPS[1, 0, 1:] = False


def lds():
    return LDS.of(A, Q, C, R, M0, P0, OFFSET)


def plane(missing):
    seen = GAPS & VALID[..., None] if missing else np.broadcast_to(VALID[..., None], GAPS.shape)
    x = jnp.asarray(np.where(seen, PLANE, np.nan))
    return Batch(x, jnp.asarray(VALID), jnp.asarray(seen) if missing else None), seen


def posterior(x, seen):
    """Mean and covariance of all z and x, stacked step by step as [z_t x_t], given the entries of x that were seen; and
    the log-density of those."""
    T = len(x)
    mean, cov = np.zeros((T, 5)), np.zeros((T, 5, T, 5))
    m, P = M0, P0
    both = np.concatenate([np.eye(2), C])
    for t in range(T):
        mean[t] = np.concatenate([m, C @ m + OFFSET])
        for s in range(t, T):
            cross = np.linalg.matrix_power(A, s - t) @ P
            cov[s, :, t] = both @ cross @ both.T
            cov[t, :, s] = cov[s, :, t].T
        cov[t, 2:, t, 2:] += R
        m, P = A @ m, A @ P @ A.T + Q
    mean, cov = mean.ravel(), cov.reshape(5 * T, 5 * T)
    given = np.concatenate([np.zeros((T, 2), bool), seen], 1).ravel()
    error = x[seen] - mean[given]
    inner = cov[np.ix_(given, given)]
    gain = cov[:, given] @ np.linalg.inv(inner)
    log = -0.5 * (error @ np.linalg.solve(inner, error) + np.linalg.slogdet(2 * np.pi * inner)[1])
    return (mean + gain @ error).reshape(T, 5), (cov - gain @ cov[given]).reshape(T, 5, T, 5), log


def textbook(missing):
    """The best parameters for the expected squares of all z and x."""
    _, seen = plane(missing)
    moments = []
    for n, length in enumerate(LENGTHS):
        mean, cov, _ = posterior(PLANE[n, :length], seen[n, :length])
        moments.append((seen[n, :length], lambda s, t, m=mean, c=cov: np.outer(m[s], m[t]) + c[s, :, t], mean))
    start = np.mean([mean[0, :2] for *_, mean in moments], 0)
    start_noise = np.mean([of(0, 0)[:2, :2] for _, of, _ in moments], 0) - np.outer(start, start)
    steps = [(of, t) for seen, of, _ in moments for t in range(1, len(seen))]
    after, before = (sum(of(t - i, t - i)[:2, :2] for of, t in steps) for i in (0, 1))
    cross = sum(of(t, t - 1)[:2, :2] for of, t in steps)
    move = cross @ np.linalg.inv(before)
    noise = (after - move @ cross.T) / len(steps)
    told = [(of(t, t), mean[t]) for seen, of, mean in moments for t in range(len(seen)) if seen[t].any()]
    on = sum(np.block([[square[:2, :2], m[:2, None]], [m[None, :2], np.ones((1, 1))]]) for square, m in told)
    cross = sum(np.concatenate([square[2:, :2], m[2:, None]], 1) for square, m in told)
    weights = cross @ np.linalg.inv(on)
    spread = (sum(square[2:, 2:] for square, _ in told) - weights @ cross.T) / len(told)
    return start, start_noise, move, noise, weights[:, :2], weights[:, 2], spread


@pytest.mark.parametrize("missing", [False, True])
def test_marginals_of_a_linear_dynamical_system_are_those_of_the_joint_gaussian(missing):
    batch, seen = plane(missing)
    found = marginals(lds(), Kalman(), batch)
    for n, length in enumerate(LENGTHS):
        mean, cov, log = posterior(PLANE[n, :length], seen[n, :length])
        assert found.log_evidence[n].sum() == pytest.approx(log, abs=1e-9)
        for t in range(length):
            np.testing.assert_allclose(found.smoothed[0][n, t], mean[t, :2], atol=1e-9)
            np.testing.assert_allclose(found.smoothed[1][n, t], cov[t, :2, t, :2], atol=1e-9)
            mean_now, cov_now, _ = posterior(PLANE[n, : t + 1], seen[n, : t + 1])
            np.testing.assert_allclose(found.filtered[0][n, t], mean_now[t, :2], atol=1e-9)
            np.testing.assert_allclose(found.filtered[1][n, t], cov_now[t, :2, t, :2], atol=1e-9)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.slow
def test_an_iteration_for_a_linear_dynamical_system_is_that_of_the_joint_gaussian(missing):
    batch, seen = plane(missing)
    p, log_evidence = iterate(lds(), Kalman(), (batch,))
    want = [posterior(PLANE[n, :length], seen[n, :length])[2] for n, length in enumerate(LENGTHS)]
    np.testing.assert_allclose(log_evidence, want, atol=1e-9)
    found = p.start, p.start_noise.matrix, p.transition, p.noise.matrix, p.readout, p.offset, p.observation_noise.matrix
    for a, b in zip(found, textbook(missing)):
        np.testing.assert_allclose(a, b, atol=1e-8)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.slow
def test_noise_without_correlations_stays_so_and_no_less_than_its_floor(missing):
    batch, _ = plane(missing)
    parts = A, Q, C, np.diag(np.diag(R)), M0, P0, OFFSET
    free, _ = iterate(LDS.of(*parts), Kalman(), (batch,))
    held, _ = iterate(LDS.of(*parts[:3], Diagonal.of(R), *parts[4:]), Kalman(), (batch,))
    want = np.diag(np.diag(free.observation_noise.matrix))
    assert not np.allclose(want, free.observation_noise.matrix, atol=0.01)
    np.testing.assert_allclose(held.observation_noise.matrix, want, atol=1e-9)
    for a, b in zip(*(jax.tree.leaves((p.transition, p.readout, p.offset, p.noise, p.start)) for p in (held, free))):
        np.testing.assert_allclose(a, b, atol=1e-9)
    limit = tuple(float(want[i, i]) * factor for i, factor in enumerate((0.5, 1.0, 1.5)))
    least = free.observation_noise.learned(want), Diagonal.of(R, limit).learned(want)
    np.testing.assert_allclose(np.diag(least[1].matrix), np.maximum(np.diag(least[0].matrix), limit), rtol=2e-6)


@pytest.mark.parametrize("name", ["gaussian", "lds", "lds, diagonal"])
def test_the_likelihood_never_falls_and_batches_add_up(name):
    """Whole, and in two batches of one sequence each."""
    p, q = (lds(), Kalman()) if "lds" in name else (hmm(name), ForwardBackward())
    if "diagonal" in name:
        p = eqx.tree_at(lambda p: p.observation_noise, p, Diagonal.of(R))
    batch = plane(True)[0] if "lds" in name else batch_of(name)
    found = em(p, q, batch, 8)
    assert len(found.history) == 8
    assert (np.diff(found.history) > -1e-9).all()
    assert found.history[-1] > found.history[0] + 0.1
    apart = [jax.tree.map(lambda a, n=n: a[n : n + 1], batch) for n in (0, 1)]
    for a, b in zip(*(jax.tree.leaves(iterate(p, q, tuple(parts))[0]) for parts in ([batch], apart))):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_the_likelihood_never_falls_where_a_state_is_at_its_floor():
    """Frames that stand still, in a state of their own, others, and two that are far off: the states move apart."""
    rng = np.random.default_rng(4)
    x = np.where(np.arange(40)[:, None] % 8 < 5, 0.3, rng.normal(0, 3, (40, 2)))
    x[rng.integers(0, 40, 2)] = 30.0
    p = HMMConfig(states=3).build(facts((x,), "real"), random.key(4))
    found = em(p, ForwardBackward(), Batch(jnp.asarray(x)[None], jnp.ones((1, 40), bool)), 30)
    assert (np.diff(found.history) > -1e-9).all()
    still = jax.vmap(p.family)(found.p.emission).scale.min(0)
    np.testing.assert_allclose(still, 0.01 * x.std(0), rtol=1e-6)


@pytest.mark.slow
def test_gradient_descent_of_rate_one_is_expectation_maximisation():
    x = tuple(PLANE[n, :length] for n, length in enumerate(LENGTHS))
    config = FitConfig(epochs=3, batch_size=2, buckets=1, optimiser=OptimiserConfig("sgd", 1.0, clip=0.0))
    fitted = fit(Pairing(lds(), Kalman(), ELBO(), EM()), Sequences(x), None, config)
    want = em(lds(), Kalman(), Sequences(x), 3)
    np.testing.assert_allclose([row["train"][0] for row in fitted.progress.history], want.history, atol=1e-9)
    for a, b in zip(jax.tree.leaves(fitted.pairings[0].p), jax.tree.leaves(want.p)):
        np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.slow
def test_what_has_no_closed_form_is_refused():
    counts = HMM(jnp.zeros(2), jnp.zeros((2, 2)), jnp.zeros((2, 3)), Family("counts", (3,), 4))
    with pytest.raises(CounterpointError, match="closed form where it is bernoulli"):
        em(counts, ForwardBackward(), Batch(jnp.ones((1, 2, 3)), jnp.ones((1, 2), bool)), 1)
    with pytest.raises(CounterpointError, match="choose q = filtering"):
        em(lds(), ForwardBackward(), plane(False)[0], 1)
    for q, advice in (
        (Prior(), "choose q = forward_backward"),
        (Kalman(smooth=False), "smooth = False: leave that out"),
    ):
        with pytest.raises(CounterpointError, match=advice):
            Pairing(lds(), q, ELBO(), EM())
    broken = plane(False)[0]._replace(x=jnp.full((2, 4, 3), jnp.inf))
    with pytest.raises(CounterpointError, match="value inf at step 0 of sequence 0"):
        em(lds(), Kalman(), broken, 1)
    astray = eqx.tree_at(lambda p: p.offset, lds(), jnp.full(3, jnp.nan))
    with pytest.raises(CounterpointError, match="em, iteration 0: log p"):
        em(astray, Kalman(), plane(False)[0], 1)


def same(found, want, atol=1e-6):
    for a, b in zip(found, want):
        np.testing.assert_allclose(a, b, atol=atol)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["gaussian", "categorical"])
def test_a_hidden_markov_model_of_ragged_sequences_agrees_with_hmmlearn(name):
    rng, lengths, p = np.random.default_rng(5), [7, 3, 5], hmm(name)
    law, valid = jax.vmap(p.family)(p.emission), np.arange(7) < np.array(lengths)[:, None]
    x = rng.normal(size=(3, 7, 2)) if name == "gaussian" else rng.integers(0, 3, (3, 7)).astype(np.int32)
    if name == "gaussian":
        # without priors, and with no floor under the variances
        free = dict.fromkeys(("min_covar", "means_weight", "covars_prior", "covars_weight"), 0.0)
        theirs = GaussianHMM(2, "diag", **free, n_iter=1, init_params="", implementation="scaling")
        theirs.means_, theirs.covars_ = np.asarray(law.loc), np.asarray(law.scale) ** 2
    else:
        theirs = CategoricalHMM(2, n_iter=1, init_params="", implementation="scaling")
        theirs.emissionprob_, theirs.n_features = np.exp(np.asarray(jax.nn.log_softmax(p.emission))), 3
    theirs.startprob_, theirs.transmat_ = START, MOVE
    joined = x[valid] if name == "gaussian" else x[valid][:, None]
    log_evidence, smoothed = theirs.score_samples(joined, lengths)
    batch = Batch(jnp.asarray(x), jnp.asarray(valid))
    found = marginals(p, ForwardBackward(), batch)
    same((found.log_evidence.sum(), np.asarray(found.smoothed)[valid]), (log_evidence, smoothed), 1e-9)
    theirs.fit(joined, lengths)
    ours = em(p, ForwardBackward(), batch, 1).p
    same((np.exp(ours.start), np.exp(ours.transition)), (theirs.startprob_, theirs.transmat_), 1e-9)
    law = jax.vmap(ours.family)(ours.emission)
    if name == "gaussian":
        deviations = np.sqrt(np.diagonal(theirs.covars_, axis1=1, axis2=2))
        same((law.loc, law.scale), (theirs.means_, deviations), 1e-8)
    else:
        same((np.exp(jax.nn.log_softmax(ours.emission)),), (theirs.emissionprob_,), 1e-9)


def test_sequences_that_end_together_are_smoothed_as_those_that_do_not():
    """Their covariances are computed once for all."""
    x = jnp.asarray(np.random.default_rng(3).normal(size=(2, 3, 3)))
    later = jnp.concatenate([x, jnp.zeros((2, 1, 3))], 1)
    ended = jnp.asarray([[True, True, True, False], [True, True, True, True]])
    both = jax.jit(lambda: [Kalman().marginals(lds(), Batch(x, ended[:, : x.shape[1]])) for x in (x, later)])
    for found, want in zip(*(side.smoothed for side in both()), strict=True):
        np.testing.assert_allclose(found[0], want[0, :3], atol=1e-12)
        assert np.abs(found[1] - want[1, :3]).max() > 1e-3  # which saw one frame more


def grown(kind, length):
    """A model, its posterior, and a long sequence drawn from it."""
    rng = np.random.default_rng(4)
    if kind == "hmm":
        p, state, x = hmm("gaussian"), 0, np.zeros((length, 2))
        law = jax.vmap(p.family)(p.emission)
        loc, scale = np.asarray(law.loc), np.asarray(law.scale)
        for t, chance in enumerate(rng.random(length)):
            x[t] = loc[state] + scale[state] * rng.normal(size=2)
            state = int(chance > MOVE[state, 0])
        return p, ForwardBackward(), x
    z, x = M0, np.zeros((length, 3))
    noise, shake = (rng.multivariate_normal(np.zeros(len(a)), a, length) for a in (Q, R))
    for t in range(length):
        x[t] = C @ z + OFFSET + shake[t]
        z = A @ z + noise[t]
    return lds(), Kalman(), x


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hmm", "lds"])
def test_a_hundred_thousand_steps_in_single_precision(kind):
    """Marginals, an iteration, and the weight of a draw from the posterior are those of double precision."""
    from counterpoint.rollout import rollout

    p, q, x = grown(kind, 100_000)
    drawn = eqx.filter_jit(lambda p, q, batch: rollout(p, q, batch, random.key(0), pathwise=False)[0].log_evidence)
    found = []
    for dtype in (jnp.float32, jnp.float64):
        p = jax.tree.map(lambda a, dtype=dtype: a.astype(dtype) if eqx.is_inexact_array(a) else a, p)
        batch = Batch(jnp.asarray(x, dtype)[None], jnp.ones((1, len(x)), bool))
        new, log_evidence = iterate(p, q, (batch,))
        smoothed = jax.tree.leaves(marginals(p, q, batch).smoothed)
        found.append((log_evidence[0], drawn(p, q, batch).sum(), smoothed, jax.tree.leaves(new)))
    single, double = found
    assert single[0].dtype == jnp.float32
    assert single[0] == pytest.approx(float(double[0]), rel=1e-5)
    assert single[1] == pytest.approx(float(double[0]), rel=1e-5)
    same(single[2], double[2], 1e-3)
    same(single[3], double[3], 1e-3)
