"""How q is refined: from the prior, by the gradient of its own step's free energy, with noise that is never reused."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array, random

from conformance.crossings import fits
from conformance.parts import MODELS, batch_of, build_p, facts_of, refusal, stirred
from counterpoint.bounds import ELBO
from counterpoint.core import AbstractDirected, Batch, Pairing
from counterpoint.distributions import Chain, Gaussian
from counterpoint.estimators import Pathwise
from counterpoint.inference import IterativeConfig
from counterpoint.rollout import rollout
from exact.cases import LDS_FRAMES, lds

pytestmark = pytest.mark.usefixtures("x64")

EXACT = {"update": "gradient", "samples": 0}


def build(p, model="lds", seed=2, **options):
    return stirred(IterativeConfig(**{"width": 3} | options).build(p, facts_of(model), random.key(0)), seed)


def propose(p, q, x, carry=None, key=0):
    x = jnp.asarray(x)
    e = p.embed(p.memory(), x[None])[1]
    read, mask = q.encode(p, q.memory(), x[None], e, jnp.ones((1, *x.shape), bool))[1]
    now = (None if read is None else read[0]), mask[0]
    carry = p.initial() if carry is None else carry
    return eqx.filter_jit(lambda p, q: q.propose(p, carry, now, x, random.key(key)))(p, q)


def test_one_gradient_step_from_the_prior_is_that_of_the_closed_form():
    proposal = propose(lds(), build(lds(), step=0.2, **EXACT), LDS_FRAMES[0])
    mean, log_variance = 0.2 * 0.625, -0.2 * 0.625
    law = proposal.distribution
    assert float(law.loc[0]) == pytest.approx(mean, abs=1e-9)
    assert float(2 * jnp.log(law.scale[0])) == pytest.approx(log_variance, abs=1e-9)
    variance = np.exp(log_variance)
    missed = 0.5 * (((0.5 - mean) ** 2 + variance) / 0.8 + np.log(2 * np.pi * 0.8))
    kl = 0.5 * (variance + mean**2 - 1 - log_variance)
    np.testing.assert_allclose(proposal.steps, [[missed, kl]], atol=1e-9)


def test_without_a_step_it_is_the_prior_and_its_free_energy():
    proposal = propose(lds(), build(lds(), step=0.0, iterations=2, **EXACT), LDS_FRAMES[0])
    np.testing.assert_allclose(proposal.distribution.loc, 0.0, atol=1e-12)
    np.testing.assert_allclose(proposal.distribution.scale, 1.0, atol=1e-12)
    np.testing.assert_allclose(proposal.steps.sum(1), 1.5886167575, atol=1e-9)
    np.testing.assert_allclose(proposal.steps[:, 1], 0.0, atol=1e-9)


@pytest.mark.slow
def test_two_samples_lie_at_either_side_of_the_mean():
    """Of a quadratic the gradient by the mean is exact then, whatever is drawn."""
    exact = propose(lds(), build(lds(), step=0.2, **EXACT), LDS_FRAMES[0]).distribution.loc
    for key, samples in ((0, 2), (1, 4)):
        one = build(lds(), step=0.2, update="gradient", samples=samples)
        np.testing.assert_allclose(propose(lds(), one, LDS_FRAMES[0], key=key).distribution.loc, exact, atol=1e-12)
    odd = build(lds(), step=0.2, update="gradient", samples=1)
    assert abs(float(propose(lds(), odd, LDS_FRAMES[0]).distribution.loc[0] - exact[0])) > 1e-3


class Given(eqx.Module):
    """z^2 given z^1."""

    weight: Array

    def __call__(self, above):
        return Gaussian(self.weight * above, jnp.full(1, 0.5))


class Tower(AbstractDirected):
    """z^1 ~ N(0, 1), z^2 ~ N(a z^1, 0.25), x ~ N(z^2, 0.36), one step after another without a past."""

    weight: Array

    def initial(self):
        return jnp.zeros(1)

    def advance(self, carry, z, e):
        return carry

    def prior(self, carry):
        return Chain(Gaussian(jnp.zeros(1), jnp.ones(1)), Given(self.weight))

    def likelihood(self, carry, z):
        return Gaussian(z[1], jnp.full(1, 0.6))


@pytest.mark.slow
def test_layers_that_depend_on_each_other_reach_their_mean_field():
    """Of the Gaussian posterior with precision L: its mean, and variances 1 / L_ii."""
    p = Tower(jnp.array([0.8]))
    q = build(p, step=0.2, iterations=150, **EXACT)
    proposal = propose(p, q, np.array([1.5]))
    precision = np.array([[1 + 0.64 / 0.25, -0.8 / 0.25], [-0.8 / 0.25, 1 / 0.25 + 1 / 0.36]])
    mean = np.linalg.solve(precision, [0.0, 1.5 / 0.36])
    parts = proposal.distribution.parts
    np.testing.assert_allclose([float(a.loc[0]) for a in parts], mean, atol=1e-4)
    np.testing.assert_allclose([float(a.scale[0]) ** 2 for a in parts], 1 / np.diag(precision), atol=1e-4)
    variance = 0.64 + 0.25 + 0.36
    log_p = -0.5 * (1.5**2 / variance + np.log(2 * np.pi * variance))
    gap = 0.5 * (np.log(np.diag(precision)).sum() - np.log(np.linalg.det(precision)))
    assert float(proposal.steps[-1].sum()) == pytest.approx(gap - log_p, abs=1e-6)
    assert (np.diff(proposal.steps.sum(1)) < 1e-12).all()


def sigmoid(a):
    return 1 / (1 + np.exp(-np.asarray(a)))


def network(q, inputs, features):
    """Two highway layers and a last one, in NumPy."""
    a = np.concatenate([(v - v.mean()) / np.sqrt(v.var() + 1e-6) for v in map(np.asarray, inputs)])
    for layer in q.update.refiner.layers:
        rows = np.asarray(layer.products.weight) @ a + np.asarray(layer.products.bias)
        if len(rows) == 9:  # the first changes the width, and reads x
            rows = rows + np.asarray(features)
        gate, new, *carried = np.split(rows, len(rows) // 3)
        gate = sigmoid(gate)
        a = gate * (carried[0] if carried else a) + (1 - gate) * np.where(new > 0, new, np.expm1(new))
    return np.split(np.asarray(q.update.refiner.last.weight) @ a + np.asarray(q.update.refiner.last.bias), 4)


@pytest.mark.parametrize("update", ["network", "rate"])
@pytest.mark.parametrize("inputs", ["gradients", "errors"])
@pytest.mark.parametrize("model", ["srnn", pytest.param("vrnn-lstm", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_an_iteration_of_the_network_is_its_formula(model, inputs, update):
    p = build_p(model)
    q = build(p, model, update=update, inputs=inputs, observe=True)
    x = np.asarray(batch_of(model).x[0, 0], float)
    found, carry = propose(p, q, x).distribution, p.initial()
    prior = p.prior(carry)
    noise = np.asarray(q.noise(random.key(0), prior.loc))[0, 0]

    def free(mean, log_variance):
        z = mean + jnp.exp(0.5 * log_variance) * noise
        kl = 0.5 * ((jnp.exp(log_variance) + (mean - prior.loc) ** 2) / prior.scale**2 - 1)
        kl = kl + jnp.log(prior.scale) - 0.5 * log_variance
        return kl.sum() - p.likelihood(carry, z).log_prob(x)

    now = prior.loc, 2 * jnp.log(prior.scale)
    gradient = jax.grad(free, (0, 1))(*now)
    law = p.likelihood(carry, now[0] + jnp.exp(0.5 * now[1]) * noise)
    if model == "srnn":
        seen = (x - sigmoid(law.logits),)
    else:
        error = (x - law.loc) / law.scale
        seen = (error / law.scale, (error**2 - 1) / law.scale)
    other = (*seen, np.zeros(2)) if inputs == "errors" else gradient  # q is at the prior's mean
    features = np.asarray(q.from_x.weight) @ p.features(
        x, jax.tree.map(lambda a: a[0], p.embed(p.memory(), x[None])[1])
    )
    mean, log_variance, *weights = network(q, (*other, *now), features)
    gates = [sigmoid(a) for a in weights]
    if update == "network":
        want = [g * np.asarray(a) + (1 - g) * b for a, g, b in zip(now, gates, (mean, log_variance))]
    else:
        want = [np.asarray(a) - s * np.asarray(d) + b for a, s, d, b in zip(now, gates, gradient, (mean, log_variance))]
    np.testing.assert_allclose(found.loc, want[0], atol=1e-9)
    np.testing.assert_allclose(2 * np.log(found.scale), want[1], atol=1e-9)


@pytest.mark.slow
def test_the_mean_is_normalised_where_that_is_asked_for():
    p = build_p("srnn")
    plain, other = (build(p, "srnn", layer_norm_mean=choice) for choice in (False, True))
    x = np.asarray(batch_of("srnn").x[0, 0], float)
    a, b = (propose(p, q, x).distribution for q in (plain, other))
    np.testing.assert_allclose(b.loc, (a.loc - a.loc.mean()) / np.sqrt(a.loc.var() + 1e-6), atol=1e-9)
    np.testing.assert_allclose(a.scale, b.scale, atol=1e-12)


def test_every_evaluation_has_noise_of_its_own():
    """An estimate that knew the noise of the evaluation that judges it would look better than it is: the reported free
    energy, with one draw, is on average that of many draws."""
    p, q = lds(), build(lds(), update="gradient", step=0.3, iterations=1)
    x = jnp.asarray(LDS_FRAMES[:1])
    mask = jnp.ones((1,), bool)

    @eqx.filter_jit
    def judged(p, q, keys):
        def one(key):
            proposal = q.propose(p, p.initial(), (None, mask), x[0], key)
            law = proposal.distribution
            missed = 0.5 * (((0.5 - law.loc) ** 2 + law.scale**2) / 0.8 + jnp.log(2 * jnp.pi * 0.8))
            return proposal.steps[0, 0] - missed[0]

        return jax.vmap(one)(keys)

    difference = judged(p, q, random.split(random.key(1), 20000))
    assert abs(difference.mean()) < 4 * difference.std() / 20000**0.5
    noise = q.noise(random.key(0), jnp.zeros(1))
    assert len(np.unique(noise)) == noise.size


@pytest.mark.slow
def test_what_is_missing_of_a_frame_does_not_move_q():
    p = build_p("lds")
    q = build(p, step=0.2, iterations=2, **EXACT)
    batch = Batch(jnp.array([[[0.4, 1.0]]]), jnp.ones((1, 1), bool), jnp.array([[[True, False]]]))
    run = eqx.filter_jit(lambda x: rollout(p, q, batch._replace(x=x), random.key(0))[0])
    one, two = run(batch.x), run(batch.x.at[0, 0, 1].set(9.0))
    np.testing.assert_array_equal(one.steps, two.steps)
    np.testing.assert_array_equal(one.z, two.z)
    # the moments that one step from the prior N(0, 1) leads to, by the entry that was seen alone
    row, noise = p.readout[0], p.observation_noise.matrix[0, 0]
    missed = lambda mean, log_variance: (
        0.5
        * ((0.4 - p.offset[0] - row @ mean) ** 2 + row**2 @ jnp.exp(log_variance) + noise * jnp.log(2 * jnp.pi * noise))
        / noise
    )
    law = q.propose(p, p.initial(), (None, jnp.array([True, False])), batch.x[0, 0], random.key(0)).distribution
    want = missed(law.loc, 2 * jnp.log(law.scale))
    np.testing.assert_allclose(one.steps[0, 0, 0, -1, 0], want, atol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_only_gaussian_latents_are_accepted(model):
    p, config = build_p(model), IterativeConfig(width=3)
    if not fits(model, "iterative"):
        message = refusal(lambda: config.build(p, facts_of(model), random.key(0)))
        assert "iterative refines the means" in message
        assert type(p).__name__ in message
        q = config.build(build_p("lds"), facts_of("lds"), random.key(0))
        assert "iterative refines" in refusal(lambda: Pairing(p, q, ELBO(), Pathwise()))


@pytest.mark.parametrize("options", [{}, {"update": "rate"}, {**EXACT, "layer_norm_mean": True}])
def test_a_single_number_is_not_normalised_away(options):
    assert "leaves nothing" in refusal(lambda: build(lds(), **options))
    build(lds(), **{**options, "layer_norm": False, "layer_norm_mean": False})
