import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.bounds import ELBO
from counterpoint.core import Pairing
from counterpoint.distributions import Family
from counterpoint.estimators import ScoreFunction
from counterpoint.inference import ForwardBackward, Prior
from counterpoint.models import HMM
from counterpoint.rollout import rollout
from exact.cases import FRAMES, LATENTS, expected_elbo, log_marginal, mk, score_paths, tsbn, whole

pytestmark = pytest.mark.usefixtures("x64")

trace_of = eqx.filter_jit(lambda p, q: score_paths(p, q, FRAMES, LATENTS))


def sigmoid(a):
    return 1 / (1 + np.exp(-np.asarray(a)))


def coins(logits, value):
    rate = sigmoid(logits)
    return np.prod(np.where(value == 1, rate, 1 - rate))


def by_messages(p):
    """log p(x) by the forward recursion over the four states of two units, in plain NumPy."""
    states = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
    layer, visible = p.hidden[0], p.visible
    w1, w2, w3, w4 = (np.asarray(a) for a in (layer.across[0], visible.now, layer.below[0], visible.below[0]))
    message, before = None, np.zeros(2)
    for v in FRAMES:
        said = np.array([coins(w2 @ h + w4 @ before + visible.bias, v) for h in states])
        move = lambda past, h, before=before: coins(w1 @ past + w3 @ before + layer.bias, h)
        if message is None:
            message = np.array([move(np.zeros(2), h) for h in states]) * said
        else:
            message = np.array([sum(m * move(g, h) for m, g in zip(message, states)) for h in states]) * said
        before = v
    return np.log(message.sum())


def test_marginal_likelihood_by_enumeration_equals_forward_messages():
    p, q = tsbn()
    found = log_marginal(trace_of(p, q))
    assert found == pytest.approx(-4.7461464294, abs=1e-8)
    assert found == pytest.approx(by_messages(p), abs=1e-10)


def test_weights_of_all_paths_sum_to_one_under_q():
    trace = trace_of(*tsbn())
    assert jnp.exp(trace.log_q.sum(0)).sum() == pytest.approx(1, abs=1e-12)


def test_evidence_of_enumerated_paths_is_their_importance_estimate():
    trace = trace_of(*tsbn())
    want = jax.nn.logsumexp(trace.log_weight.sum(0)[0]) - np.log(64)
    assert trace.log_evidence.sum() == pytest.approx(float(want), abs=1e-10)


def test_order_two_marginal_likelihood():
    assert log_marginal(trace_of(*tsbn(order=2))) == pytest.approx(-4.8011464133, abs=1e-8)


@pytest.mark.slow
def test_hmsbn_is_a_hidden_markov_model_with_four_states():
    p, q = tsbn(memory=False)
    found, layer = log_marginal(trace_of(p, q)), p.hidden[0]
    assert found == pytest.approx(-4.2472179498, abs=1e-8)

    states = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
    move = np.log([[coins(layer.across[0] @ g + layer.bias, h) for h in states] for g in states])
    begin = np.log([coins(layer.bias, h) for h in states])
    emission = np.stack([p.visible.now @ h + p.visible.bias for h in states])
    hmm = HMM(jnp.asarray(begin), jnp.asarray(move), jnp.asarray(emission), Family("bernoulli", (2,)))
    trace, _ = rollout(hmm, ForwardBackward(), whole(FRAMES), random.key(1), particles=3, pathwise=False)
    np.testing.assert_allclose(trace.log_weight.sum(0)[0], np.full(3, found), atol=1e-8)


def test_elbo_and_its_gap_to_the_marginal_likelihood():
    trace = trace_of(*tsbn())
    assert expected_elbo(trace) == pytest.approx(-6.9701876006, abs=1e-8)
    assert log_marginal(trace) - expected_elbo(trace) == pytest.approx(2.2240411712, abs=1e-8)


def test_gap_of_the_elbo_is_the_divergence_from_q_to_the_posterior():
    trace = trace_of(*tsbn())
    log_q, log_joint = trace.log_q.sum(0)[0], (trace.log_prior + trace.log_likelihood).sum(0)[0]
    log_post = log_joint - log_marginal(trace)
    gap = (jnp.exp(log_q) * (log_q - log_post)).sum()
    assert log_marginal(trace) - expected_elbo(trace) == pytest.approx(float(gap), abs=1e-10)


def test_exact_gradient_of_the_elbo():
    p, q = tsbn()
    grad = jax.jit(jax.grad(lambda q: expected_elbo(score_paths(p, q, FRAMES, LATENTS))))(q)
    np.testing.assert_allclose(grad.layers[0].bias, [0.186229765, -1.387974044], atol=2e-9)
    np.testing.assert_allclose(
        grad.layers[0].across[0], [[0.377285011, 0.429047369], [-0.423354095, -0.565804464]], atol=2e-9
    )


def test_expected_score_is_zero():
    p, q = tsbn()

    def score(q):
        log_q = score_paths(p, q, FRAMES, LATENTS).log_q.sum(0)
        return (jax.lax.stop_gradient(jnp.exp(log_q)) * log_q).sum()

    for leaf in jax.tree.leaves(jax.jit(jax.grad(score))(q)):
        np.testing.assert_allclose(leaf, np.zeros(leaf.shape), atol=1e-12)


def test_free_energy_under_the_prior_is_the_expected_log_loss():
    p, _ = tsbn()
    trace = trace_of(p, Prior())
    weight = jnp.exp(trace.log_prior.sum(0))
    assert expected_elbo(trace) == pytest.approx(float((weight * trace.log_likelihood.sum(0)).sum()), abs=1e-10)
    np.testing.assert_allclose(trace.kl, np.zeros(trace.kl.shape), atol=1e-12)


def test_closed_form_divergence_has_the_same_expectation():
    p, q = tsbn()

    @eqx.filter_jit
    def both(p, q):
        z = jnp.moveaxis(jnp.asarray(LATENTS), 0, 1)[:, None]
        trace, _ = rollout(p, q, whole(FRAMES), random.key(0), particles=64, pathwise=False, z=z, closed_form=True)
        weight = jnp.exp(trace.log_q.sum(0))
        return weight, trace

    weight, trace = both(p, q)
    sampled = (weight[None] * (trace.log_q - trace.log_prior)).sum((1, 2))
    np.testing.assert_allclose((weight[None] * trace.kl).sum((1, 2)), sampled, atol=1e-10)
    assert (trace.kl >= 0).all()


def test_drawn_paths_reach_the_elbo_within_sampling_error():
    p, q = tsbn()
    pairing = Pairing(p, q, ELBO(particles=1, closed_form=False), ScoreFunction(None))
    values = eqx.filter_jit(lambda p, q: rollout(p, q, whole(FRAMES, 20000), random.key(2), pathwise=False)[0])(
        pairing.p, pairing.q
    ).log_weight.sum(0)[:, 0]
    assert abs(values.mean() + 6.9701876006) < 4 * values.std() / 20000**0.5


REALS = np.sin(np.arange(50, 56)).reshape(3, 2)


@pytest.mark.parametrize(
    ("family", "want"), [("gaussian_log_variance", -10.1895961158), ("gaussian_log_std", -10.0905451012)]
)
def test_real_values_with_both_readings_of_the_scale(family, want):
    """Eq. 13 of Gan's slides has log sigma^2, the supplement log sigma."""
    more = (mk((2, 2), 40, 0.3), mk((2, 2), 44, 0.3)[None], mk(2, 48, 0.2))
    p, q = tsbn(family=Family(family, (2,)), more=more)
    assert log_marginal(jax.jit(lambda p, q: score_paths(p, q, REALS, LATENTS))(p, q)) == pytest.approx(want, abs=1e-8)


@pytest.mark.parametrize(("family", "want"), [("counts", -7.8503831027), ("multinomial", -6.0586236334)])
def test_counts_with_and_without_their_coefficient(family, want):
    counts = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0]])
    p, q = tsbn(family=Family(family, (2,), unit=1.0))
    found = log_marginal(jax.jit(lambda p, q: score_paths(p, q, counts, LATENTS))(p, q))
    assert found == pytest.approx(want, abs=1e-8)
