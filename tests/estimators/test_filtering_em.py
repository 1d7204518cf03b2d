"""The gradients of filtering EM against a loop that holds by arithmetic what the algorithm holds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import batch_of, build_p, facts_of, refusal, stirred
from counterpoint.bounds import ELBO, FIVO, IWAE, Warmup
from counterpoint.core import Batch, Pairing
from counterpoint.distributions import Gaussian, divergence
from counterpoint.estimators import FilteringEM, Pathwise
from counterpoint.inference import Filtering, FilteringConfig, IterativeConfig
from counterpoint.inference.updates import Moments, normalised

pytestmark = pytest.mark.usefixtures("x64")

KEY = random.key(5)
LENGTHS = np.array([2, 1])
BETA = 0.1 + 0.9 * 3 / 10  # of the warm-up at step 3


def parts(model, **options):
    p = build_p(model)
    config = IterativeConfig(**{"iterations": 2, "width": 4, "observe": True} | options)
    return p, stirred(config.build(p, facts_of(model), random.key(1)), 4)


def free_energy(p, carry, x, now, noise):
    """-E log p(x | z) and KL, z = mean + s noise for every noise (S, D)."""
    law = Gaussian(now.mean, jnp.exp(0.5 * now.log_variance))
    missed = [-p.likelihood(carry, now.mean + law.scale * one).log_prob(x) for one in noise]
    return sum(missed) / len(noise), divergence(law, p.prior(carry)), law


def errors(p, carry, x, now, noise):
    """x - s(a) of Bernoulli x, the mean over z, and (z - mu) / s^2 of the prior at q's mean."""
    scale, prior = jnp.exp(0.5 * now.log_variance), p.prior(carry)
    said = [x - jax.nn.sigmoid(p.likelihood(carry, now.mean + scale * one).logits) for one in noise]
    return sum(said) / len(noise), (now.mean - prior.mean) / prior.scale**2


def refined(q, known, features):
    now, gradient, other = known
    a = jnp.concatenate([normalised(a) for a in (*other, *now)])
    for i, layer in enumerate(q.update.refiner.layers):
        a = layer(a, None if i else features)
    mean, log_variance, *weights = jnp.split(q.update.refiner.last(a), 4)
    one, two = (jax.nn.sigmoid(a) for a in weights)
    if q.config.update == "network":
        mean = one * now.mean + (1 - one) * mean
        log_variance = two * now.log_variance + (1 - two) * log_variance
    else:
        mean = now.mean - one * gradient.mean + mean
        log_variance = now.log_variance - two * gradient.log_variance + log_variance
    return Moments(
        (mean - mean.mean()) / jnp.sqrt(mean.var() + 1e-6) if q.config.layer_norm_mean else mean,
        jnp.clip(log_variance, -15, 5),
    )


def features(p, q, x, e):
    return None if q.from_x is None else q.from_x(p.features(x, e))


def visits(p, q, x, row, rows):
    """Algorithm 1 along one sequence: all that is held afterwards, step by step, and the last estimates."""
    x = jnp.asarray(x)
    e = p.embed(p.memory(), x)[1]
    frame = lambda t: jax.tree.map(lambda a: a[t], e)
    carry, found = p.initial(), []
    for t in range(len(x)):
        key = random.split(random.fold_in(KEY, t), (rows, 1))[row, 0]
        noises = random.normal(random.fold_in(key, 0), (3, 1, 2))
        if q.config.samples == 2:
            noises = jnp.concatenate([noises, -noises], 1)
        prior = p.prior(carry)
        now, known = Moments(prior.mean, jnp.log(prior.scale**2)), []
        for i in range(2):
            total = lambda now, now_at=(carry, x[t], noises[i]): sum(free_energy(p, *now_at[:2], now, now_at[2])[:2])
            gradient = jax.grad(total)(now)
            other = errors(p, carry, x[t], now, noises[i]) if q.config.inputs == "errors" else gradient
            known.append((now, gradient, other))
            now = refined(q, known[-1], features(p, q, x[t], frame(t)))
        law = Gaussian(now.mean, jnp.exp(0.5 * now.log_variance))
        z = law.drawn(random.normal(random.fold_in(key, 1), (2,)))
        found.append((carry, frame(t), x[t], known, noises, law, z))
        carry = p.advance(carry, z, frame(t))
    return found


def by_hand(p, q, batch):
    """The two gradients, for beta = BETA; nothing is held by stop_gradient: what is held is a number by now."""
    count, lengths = len(batch.x), np.asarray(batch.valid.sum(1))
    visit = eqx.filter_jit(lambda p, q: [visits(p, q, batch.x[i, : lengths[i]], i, count) for i in range(count)])
    held = visit(p, q)

    def theta(p):
        total = 0.0
        for sequence in held:
            e = p.embed(p.memory(), jnp.stack([visit[2] for visit in sequence]))[1]
            carry = p.initial()
            for t, (_, _, x, _, _, law, z) in enumerate(sequence):
                total += p.likelihood(carry, z).log_prob(x) - BETA * divergence(law, p.prior(carry))
                carry = p.advance(carry, z, jax.tree.map(lambda a, t=t: a[t], e))
        return -total / lengths.sum()

    def phi(q):
        total = 0.0
        for sequence in held:
            for carry, e, x, known, noises, _, _ in sequence:
                for i in range(2):
                    now = refined(q, known[i], features(p, q, x, e))
                    missed, kl, _ = free_energy(p, carry, x, now, noises[i + 1])
                    total += missed + BETA * kl
        return total / lengths.sum()

    return eqx.filter_jit(eqx.filter_grad(theta))(p), eqx.filter_jit(eqx.filter_grad(phi))(q)


@eqx.filter_jit
def gradients(estimator, parts, bound, batch, step=3):
    loss = lambda parts: estimator(*parts, bound, batch, KEY, (), step)[0].surrogate
    return eqx.filter_grad(loss)(parts)


def near(found, want, atol=1e-10):
    found, want = jax.tree.leaves(found), jax.tree.leaves(want)
    assert len(found) == len(want)
    for a, b in zip(found, want):
        np.testing.assert_allclose(a, b, atol=atol, rtol=1e-9)


CASES = {
    "of music": ("srnn", {"samples": 2}),
    "of speech": ("vrnn-gru", {"samples": 2, "observe": False, "update": "rate", "layer_norm_mean": True}),
    "errors": ("srnn", {"samples": 2, "inputs": "errors"}),
    "dmm": ("dmm", {}),
    "svg": ("svg", {}),
    "vae": ("vae", {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.slow
def test_both_gradients_are_those_of_the_algorithm(case):
    model, options = CASES[case]
    p, q = parts(model, **options)
    batch = batch_of(model, length=3, lengths=LENGTHS)
    found = gradients(FilteringEM(), (p, q), ELBO(kl_weight=Warmup(10, 0.1)), batch)
    want = by_hand(p, q, batch)
    near(found, want)
    assert all((np.asarray(a) != 0).any() for a in jax.tree.leaves(want[1]))


@pytest.mark.slow
def test_two_layers_of_latents_learn_by_it():
    p, q = parts("vae-2")
    for grad in jax.tree.leaves(gradients(FilteringEM(), (p, q), ELBO(), batch_of("vae-2"))):
        assert np.isfinite(grad).all()
        assert (np.asarray(grad) != 0).any()


@pytest.mark.slow
def test_through_time_phi_has_the_gradient_of_the_whole_and_theta_that_of_the_algorithm():
    p, q = parts("srnn")
    bound, batch = ELBO(kl_weight=Warmup(10, 0.1)), batch_of("srnn", length=3, lengths=LENGTHS)
    found = gradients(FilteringEM(through_time=True), (p, q), bound, batch)
    near(found[0], gradients(FilteringEM(), (p, q), bound, batch)[0])

    @eqx.filter_jit
    def value(q):
        return Pathwise()(p, q, bound, batch, KEY, (), 3)[0].surrogate

    way = stirred(jax.tree.map(lambda a: jnp.zeros_like(a) if eqx.is_inexact_array(a) else a, q), 9)
    move = lambda h: jax.tree.map(lambda a, b: a + h * b if eqx.is_inexact_array(a) else a, q, way)
    slope = (value(move(1e-5)) - value(move(-1e-5))) / 2e-5
    along = sum(
        (a * b).sum() for a, b in zip(jax.tree.leaves(found[1]), jax.tree.leaves(eqx.filter(way, eqx.is_inexact_array)))
    )
    assert float(along) == pytest.approx(float(slope), rel=1e-6)


@pytest.mark.slow
def test_without_kl_in_closed_form_theta_is_taught_through_the_draw():
    p, q = parts("srnn")
    batch = batch_of("srnn", length=3, lengths=LENGTHS)
    closed, drawn = (gradients(FilteringEM(), (p, q), ELBO(closed_form=c), batch) for c in (True, False))
    near(closed[1], drawn[1])
    assert any((jnp.abs(a - b) > 1e-6).any() for a, b in zip(jax.tree.leaves(closed[0]), jax.tree.leaves(drawn[0])))


@pytest.mark.slow
def test_where_nothing_was_seen_nothing_is_learned():
    p, q = parts("srnn")
    batch = batch_of("srnn", length=3, lengths=LENGTHS)
    gone = Batch(batch.x, batch.valid, jnp.zeros_like(batch.valid))
    near(gradients(FilteringEM(), (p, q), ELBO(), gone), jax.tree.map(jnp.zeros_like, eqx.filter((p, q), eqx.is_array)))


def test_what_filtering_em_cannot_teach_is_refused():
    p, q = parts("srnn")
    for bound in (IWAE(2), FIVO(2)):
        assert f"{bound.name} is no sum" in refusal(lambda b=bound: Pairing(p, q, b, FilteringEM()))
    direct = Filtering(p, FilteringConfig(width=3), key=random.key(0))
    assert "Filtering has none" in refusal(lambda: Pairing(p, direct, ELBO(), FilteringEM()))
    Pairing(p, direct, ELBO(), FilteringEM(through_time=True))
    hmm = build_p("hmm-index")
    guess = FilteringConfig().build(hmm, facts_of("hmm-index"), random.key(0))
    assert "dz/dphi" in refusal(lambda: Pairing(hmm, guess, ELBO(), FilteringEM(through_time=True)))
