"""In exact expectation: the surrogate of every path, weighted with the path's probability under q."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random

from counterpoint.bounds import ELBO, FIVO, IWAE, Warmup
from counterpoint.core import Pairing
from counterpoint.distributions import Family
from counterpoint.errors import CounterpointError
from counterpoint.estimators import ScoreFunction
from counterpoint.estimators.score_function import Moments
from counterpoint.inference import Prior
from counterpoint.rollout import rollout
from exact.cases import FRAMES, LATENTS, expected_elbo, mk, score_paths, tsbn, tuples, whole

pytestmark = pytest.mark.usefixtures("x64")

COINS = Family("bernoulli", (2,))
STEPS = len(FRAMES)
KNOWN = [0.186229765, -1.387974044]  # d ELBO / d d
LOCAL = [-0.0459955335, -1.3466385571]


def learned():
    """A baseline C(v) that is far from zero."""
    return mk((3, 2), 3, 1.0), mk(3, 7, 2.0)


def seen(mean=-1.7, variance=5.0):
    """Moments from batches before this one."""
    return Moments(jnp.asarray(mean), jnp.asarray(variance), jnp.asarray(4, jnp.int32))


@eqx.filter_jit
def expected(p, q, bound, estimator, memory, step=None):
    """E[-surrogate], summed over steps, and its gradient for p, q and the estimator."""
    particles = bound.particles
    paths = LATENTS[tuples(64, particles)]  # (N, K, T, J)
    z = jnp.asarray(np.moveaxis(paths, 1, 2))[:, :, None]  # (N, T, 1, K, J)

    def total(parts):
        p, q, estimator = parts
        batch = whole(FRAMES)

        def one(z):
            seen = estimator.view(q, memory)
            trace, _ = rollout(p, seen, batch, random.key(0), particles=particles, pathwise=False, z=z)
            estimate, _ = estimator.of_trace(bound, batch, trace, memory, step)
            return -STEPS * estimate.surrogate, trace.log_q.sum()

        value, log_q = jax.vmap(one)(z)
        return (lax.stop_gradient(jnp.exp(log_q)) * value).sum()

    return eqx.filter_grad(total)((p, q, estimator))


@eqx.filter_jit
def exact(p, q, bound, beta=1.0):
    """The gradient of the expected bound by enumeration, nothing held fixed."""

    def total(parts):
        p, q = parts
        if bound.particles == 1:
            trace = score_paths(p, q, FRAMES, LATENTS)
            value = (trace.log_likelihood - beta * (trace.log_q - trace.log_prior)).sum(0)
            return (jnp.exp(trace.log_q.sum(0)) * value).sum()
        trace = score_paths(p, q, FRAMES, LATENTS)
        weight, log_q = trace.log_weight.sum(0)[0], trace.log_q.sum(0)[0]
        pairs = jnp.logaddexp(weight[:, None], weight[None, :]) - jnp.log(2)
        return (jnp.exp(log_q[:, None] + log_q[None, :]) * pairs).sum()

    return eqx.filter_grad(total)((p, q))


def close(found, want, atol=1e-9):
    found, want = jax.tree.leaves(found), jax.tree.leaves(want)
    assert len(found) == len(want)
    for a, b in zip(found, want):
        np.testing.assert_allclose(a, b, atol=atol)


@pytest.mark.parametrize("memory", [seen(), seen(3.0, 0.2)], ids=["wide", "narrow"])
@pytest.mark.parametrize("baseline", [None, "learned"])
def test_reward_to_go_is_unbiased_whatever_the_baselines(memory, baseline):
    p, q = tsbn()
    estimator = ScoreFunction(learned() if baseline else None, family=COINS, normalise=False)
    grad_p, grad_q, _ = expected(p, q, ELBO(), estimator, seen(float(memory.mean), float(memory.variance)))
    np.testing.assert_allclose(grad_q.layers[0].bias, KNOWN, atol=2e-9)
    close((grad_p, grad_q), exact(p, q, ELBO()))


def test_normalising_scales_the_gradient_of_q_and_leaves_that_of_p():
    p, q = tsbn()
    grad_p, grad_q, _ = expected(p, q, ELBO(), ScoreFunction(learned(), family=COINS), seen(variance=5.0))
    want_p, want_q = exact(p, q, ELBO())
    close(grad_p, want_p)
    close(jax.tree.map(lambda a: a * 5.0**0.5, grad_q), want_q)


def test_normalising_scales_the_whole_gradient_of_q_where_the_bound_holds_nothing():
    """IWAE is differentiated through log q directly as well: that part shrinks with the score part."""
    p, q = tsbn()
    grad_p, grad_q, _ = expected(p, q, IWAE(particles=2), ScoreFunction(None), seen(variance=50.0))
    want_p, want_q = exact(p, q, IWAE(particles=2))
    close(grad_p, want_p)
    close(jax.tree.map(lambda a: a * 50.0**0.5, grad_q), want_q)


def test_normalising_leaves_the_gradient_of_p_where_q_is_made_of_p():
    p, _ = tsbn()
    grad_p, _, _ = expected(p, Prior(), ELBO(), ScoreFunction(learned(), family=COINS), seen(variance=50.0))
    close(grad_p, exact(p, Prior(), ELBO())[0])


def test_a_variance_below_one_scales_nothing():
    p, q = tsbn()
    grad_p, grad_q, _ = expected(p, q, ELBO(), ScoreFunction(learned(), family=COINS), seen(variance=0.3))
    close((grad_p, grad_q), exact(p, q, ELBO()))


def test_reward_to_go_follows_the_weight_of_the_divergence():
    p, q = tsbn()
    bound, step = ELBO(kl_weight=Warmup(10, 0.2, 2.0)), 4
    grad_p, grad_q, _ = expected(p, q, bound, ScoreFunction(None, normalise=False), seen(), step)
    close((grad_p, grad_q), exact(p, q, bound, beta=0.2 + 0.8 * (4 / 10) ** 2))


def test_the_local_signal_has_its_known_bias():
    p, q = tsbn()
    grad_p, grad_q, _ = expected(
        p, q, ELBO(), ScoreFunction(learned(), family=COINS, signal="local", normalise=False), seen()
    )
    np.testing.assert_allclose(grad_q.layers[0].bias, LOCAL, atol=1e-9)
    close(grad_p, exact(p, q, ELBO())[0])


@pytest.mark.parametrize("baseline", [None, "learned"])
def test_two_particles_of_the_elbo_have_the_gradient_of_one(baseline):
    p, q = tsbn()
    estimator = ScoreFunction(learned() if baseline else None, family=COINS, normalise=False)
    grad_p, grad_q, _ = expected(p, q, ELBO(2), estimator, seen())
    close((grad_p, grad_q), exact(p, q, ELBO()))


@pytest.mark.parametrize("baseline", [None, "learned"])
def test_the_importance_weighted_bound_of_two_particles_is_unbiased(baseline):
    p, q = tsbn()
    estimator = ScoreFunction(learned() if baseline else None, family=COINS, normalise=False)
    grad_p, grad_q, _ = expected(p, q, IWAE(2), estimator, seen())
    close((grad_p, grad_q), exact(p, q, IWAE(2)))


def test_a_signal_sums_what_comes_after():
    """With one particle that of the ELBO; with more, nothing of the past, which is the same for all."""
    p, q = tsbn()
    trace, _ = rollout(p, q, whole(FRAMES), random.key(0), particles=3, pathwise=False)
    alone = trace._replace(
        **{name: getattr(trace, name)[..., :1] for name in ("log_prior", "log_likelihood", "log_q", "kl")}
    )
    close(IWAE(1).signal(alone, None, False), ELBO().signal(alone, None, False))
    moved = trace._replace(log_likelihood=trace.log_likelihood.at[0].add(7.0))
    signal, other = (IWAE(3).signal(a, None, False) for a in (trace, moved))
    close(other[1:], signal[1:])
    close(other[0], signal[0] + 7.0)


def test_moments_of_the_batch_itself_bias_the_gradient():
    """Why the running moments are taken from before the batch."""
    p, q = tsbn()
    first = Moments(jnp.zeros(()), jnp.ones(()), jnp.zeros((), jnp.int32))
    _, grad_q, _ = expected(p, q, ELBO(), ScoreFunction(None, normalise=False), first)
    assert np.abs(grad_q.layers[0].bias - np.array(KNOWN)).max() > 0.01


def test_the_baseline_descends_its_squared_error_and_moves_nothing_else():
    p, q = tsbn()
    memory, estimator = seen(), ScoreFunction(learned(), family=COINS, normalise=False)
    _, _, grad = expected(p, q, ELBO(), estimator, memory)

    def error(baseline):
        trace = score_paths(p, q, FRAMES, LATENTS)
        to_go = lax.cumsum(trace.log_weight, reverse=True)[:, 0]
        count = jnp.arange(STEPS, 0, -1)[:, None]
        inner, outer = baseline
        guess = (jnp.tanh(jnp.asarray(FRAMES) @ inner.T) @ outer)[:, None]
        miss = 0.5 * (to_go / count - guess - memory.mean) ** 2
        return -(lax.stop_gradient(jnp.exp(trace.log_q.sum(0))) * miss).sum()

    close(grad.baseline, jax.jit(jax.grad(error))(learned()))


def test_descent_makes_the_baseline_a_better_guess():
    p, q = tsbn()
    # ones are likely, zeros are not, so signals differ by frame
    p = eqx.tree_at(lambda p: p.visible.bias, p, p.visible.bias + 2.0)
    x = np.zeros((64, 4, 2))
    x[32:] = 1.0
    batch = whole(x[0], 64)._replace(x=jnp.asarray(x))
    estimator = ScoreFunction((mk((4, 2), 3, 1.0), jnp.zeros(4)), family=COINS)

    @eqx.filter_jit
    def step(estimator, key, memory):
        def loss(estimator):
            estimate, new = estimator(p, q, ELBO(), batch, key, memory, None)
            return estimate.surrogate, (estimate.metrics["signal_variance"], new)

        grad, (variance, new) = eqx.filter_grad(loss, has_aux=True)(estimator)
        return eqx.apply_updates(estimator, jax.tree.map(lambda a: -0.5 * a, grad)), variance, new

    memory, variances = estimator.initial(), []
    for i in range(80):
        estimator, variance, memory = step(estimator, random.key(i), memory)
        variances.append(float(variance))
    assert np.mean(variances[-10:]) < 0.5 * np.mean(variances[:10])


def test_drawn_estimates_reach_the_exact_gradient():
    """The whole of the estimator, drawing included, within four standard errors."""
    p, q = tsbn()
    estimator = ScoreFunction(learned(), family=COINS, normalise=False)

    @eqx.filter_jit
    def sample(q, keys):
        def one(key):
            grad = jax.grad(lambda q: -STEPS * estimator(p, q, ELBO(), whole(FRAMES), key, seen(), None)[0].surrogate)
            return grad(q).layers[0].bias

        return jax.vmap(one)(keys)

    draws = np.asarray(sample(q, random.split(random.key(0), 20000)))
    np.testing.assert_array_less(np.abs(draws.mean(0) - KNOWN), 4 * draws.std(0) / 20000**0.5)
    assert np.abs(draws.mean(0) - LOCAL).max() > 10 * draws.std(0).max() / 20000**0.5


def test_running_moments_follow_the_signal():
    p, q = tsbn()
    estimator, key = ScoreFunction(None, decay=0.75), random.key(0)
    trace = eqx.filter_jit(lambda: rollout(p, q, whole(FRAMES, 8), key, pathwise=False)[0])()
    to_go = np.asarray(trace.log_weight)[::-1].cumsum(0)[::-1] / np.arange(STEPS, 0, -1)[:, None, None]
    call = eqx.filter_jit(lambda memory: estimator(p, q, ELBO(), whole(FRAMES, 8), key, memory, None))
    first = call(estimator.initial())[1]
    np.testing.assert_allclose([first.mean, first.variance], [to_go.mean(), to_go.var()], atol=1e-10)
    estimate, later = call(seen(2.0, 3.0))
    want = [0.75 * 2 + 0.25 * to_go.mean(), 0.75 * 3 + 0.25 * to_go.var()]
    np.testing.assert_allclose([later.mean, later.variance], want, atol=1e-10)
    assert int(later.batches) == 5
    assert estimate.metrics["signal_variance"] == pytest.approx(to_go.var(), abs=1e-10)


def test_what_is_reported_is_the_bound_per_step():
    p, q = tsbn()
    estimate, _ = eqx.filter_jit(
        lambda: ScoreFunction(None)(p, q, ELBO(3), whole(FRAMES, 4), random.key(1), seen(), None)
    )()
    trace = eqx.filter_jit(lambda: rollout(p, q, whole(FRAMES, 4), random.key(1), particles=3, pathwise=False)[0])()
    assert estimate.value == pytest.approx(float(trace.log_weight.sum(0).mean()) / STEPS, abs=1e-12)


def test_a_local_signal_of_a_bound_that_does_not_split_is_refused():
    p, q = tsbn()
    with pytest.raises(CounterpointError, match=r"iwae.*local.*: choose signal = reward_to_go"):
        Pairing(p, q, IWAE(2), ScoreFunction(None, signal="local"))
    Pairing(p, q, FIVO(2), ScoreFunction(None, signal="local"))


def test_enumerated_expectation_is_the_elbo():
    trace = score_paths(*tsbn(), FRAMES, LATENTS)
    assert expected_elbo(trace) == pytest.approx(-6.9701876006, abs=1e-8)
