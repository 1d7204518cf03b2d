"""The variational auto-encoder against its equations in NumPy and against integrals on a grid."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy.special import logsumexp

from conformance.parts import stirred
from counterpoint import distributions
from counterpoint.bounds import IWAE
from counterpoint.core import Pairing
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators import Pathwise
from counterpoint.inference import BottomUpConfig, FilteringConfig, Prior
from counterpoint.models import VAEConfig
from counterpoint.models.vae import LAWS
from counterpoint.networks import Linear
from counterpoint.rollout import rollout
from exact.cases import whole

pytestmark = pytest.mark.usefixtures("x64")

X = np.array([[1.0, 0.0, 1.0]])
UNIT = np.log(np.expm1(1.0))


def known():
    frames = np.random.default_rng(0).integers(0, 2, (9, 1, 3)).astype(float)
    return facts(tuple(frames), "binary")


def pair(latent, width, q):
    p = stirred(VAEConfig(latent=latent, width=width, depth=1).build(known(), random.key(0)), 0)
    return p, stirred(q.build(p, known(), random.key(1)), 1)


def one():
    return pair((1,), (3,), FilteringConfig(width=3, depth=1, activation="tanh"))


def two():
    return pair((2, 1), (4, 3), BottomUpConfig(width=(4, 3), depth=1))


def linear(layer, a):
    return np.asarray(layer.weight) @ a + np.asarray(layer.bias)


def net(network, a):
    """A Sequential of linear layers with tanh between them."""
    layers = [layer for layer in network.layers if isinstance(layer, Linear)]
    for layer in layers[:-1]:
        a = np.tanh(linear(layer, a))
    return linear(layers[-1], a)


def log_normal(raw, z):
    loc, scale = raw[: len(z)], np.logaddexp(0, raw[len(z) :] + UNIT) + 1e-4
    return float((-0.5 * ((z - loc) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)).sum())


def log_coins(a, x):
    return float((x * a - np.logaddexp(0, a)).sum())


@eqx.filter_jit
def trace_of(p, q, x, z):
    count = jax.tree.leaves(z)[0].shape[2]
    return rollout(p, q, whole(x), random.key(0), particles=count, pathwise=False, z=z)[0]


@eqx.filter_jit
def draw(p, q, count):
    return rollout(p, q, whole(X), random.key(2), particles=count, closed_form=True)[0]


@pytest.mark.slow
def test_two_layers_have_the_densities_of_the_equations():
    p, q = two()
    found = draw(p, q, 20000)
    for k in range(6):
        low, high = (np.asarray(a[0, 0, k]) for a in found.z)
        want = float((-0.5 * (high**2 + np.log(2 * np.pi))).sum()) + log_normal(net(p.networks[1], high), low)
        assert found.log_prior[0, 0, k] == pytest.approx(want, abs=1e-10)
        assert found.log_likelihood[0, 0, k] == pytest.approx(log_coins(net(p.networks[0], low), X[0]), abs=1e-10)
        first, second = q.guesses
        guess = log_normal(net(first.rest, np.tanh(linear(q.from_x, X[0]))), low)
        guess += log_normal(net(second.rest, np.tanh(linear(q.from_under[0], low))), high)
        assert found.log_q[0, 0, k] == pytest.approx(guess, abs=1e-10)


GRID = np.linspace(-9, 9, 2001)
STEP = GRID[1] - GRID[0]


def on_grid(p, q, x=X):
    """log p(x, z) and log q(z | x) at every point of the grid, of a model with one number z."""
    trace = trace_of(p, q, x, jnp.asarray(GRID)[None, None, :, None])
    return np.asarray((trace.log_prior + trace.log_likelihood)[0, 0]), np.asarray(trace.log_q[0, 0])


def test_the_elbo_misses_the_likelihood_by_the_divergence_from_the_posterior():
    p, q = one()
    joint, log_q = on_grid(p, q)
    log_p, chance = logsumexp(joint) + np.log(STEP), np.exp(log_q) * STEP
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    elbo = (chance * (joint - log_q)).sum()
    assert elbo == pytest.approx(log_p - (chance * (log_q - (joint - log_p))).sum(), abs=1e-10)
    found = draw(p, q, 20000)
    # the closed KL of a Gaussian from N(0, I) (Shareghi 2018, eq. 2.7), the same for every draw
    raw = net(q.guess.rest, np.tanh(linear(q.from_x, X[0])))
    mean, scale = raw[0], np.logaddexp(0, raw[1] + UNIT) + 1e-4
    want = 0.5 * (-np.log(scale**2) - 1 + scale**2 + mean**2)
    np.testing.assert_allclose(found.kl, want, atol=1e-10)
    for values in (found.log_likelihood - found.kl, found.log_weight):
        values = np.asarray(values)[0, 0]
        assert abs(values.mean() - elbo) < 4 * values.std() / len(values) ** 0.5
    weight = np.exp(np.asarray(found.log_weight)[0, 0])  # unbiased for p(x)
    assert abs(weight.mean() - np.exp(log_p)) < 4 * weight.std() / len(weight) ** 0.5


def test_probabilities_of_all_images_sum_to_one():
    p, q = one()
    total = 0.0
    for bits in np.ndindex(2, 2, 2):
        total += np.exp(logsumexp(on_grid(p, q, np.array([bits], float))[0])) * STEP
    assert total == pytest.approx(1, abs=1e-9)


def test_of_two_layers_both_posteriors_give_one_likelihood():
    p, bottom_up = two()
    means, errors = [], []
    for q in (bottom_up, stirred(FilteringConfig(width=3).build(p, known(), random.key(3)), 3)):
        weight = np.exp(np.asarray(draw(p, q, 20000).log_weight)[0, 0])
        means.append(weight.mean())
        errors.append(weight.std() / len(weight) ** 0.5)
    assert abs(means[0] - means[1]) < 4 * (errors[0] ** 2 + errors[1] ** 2) ** 0.5


def test_frames_of_a_sequence_are_independent():
    p, q = two()
    x = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    z = tuple(random.normal(random.key(i), (2, 1, 1, n)) for i, n in enumerate((2, 1)))
    both = trace_of(p, q, x, z)
    for t in range(2):
        alone = trace_of(p, q, x[t : t + 1], jax.tree.map(lambda a, t=t: a[t : t + 1], z))
        np.testing.assert_allclose(both.log_weight[t], alone.log_weight[0], atol=1e-12)


def test_it_starts_at_the_marginal_and_near_its_prior():
    given = known()
    p = VAEConfig(latent=(2,), width=(4,)).build(given, random.key(0))
    q = FilteringConfig(width=4, activation="tanh").build(p, given, random.key(1))
    raw = p.likelihood(None, jnp.zeros(2)).logits
    assert np.abs(raw - given.marginal).max() < 0.2
    assert float(draw(p, q, 20000).kl.mean()) < 0.2


@pytest.mark.slow
def test_the_highest_layer_may_follow_another_law():
    """The closed divergence is taken where there is one, and is the mean of the sampled one; weights stay unbiased."""
    p = stirred(VAEConfig(latent=(3,), width=(3,), depth=1, law="dirichlet").build(known(), random.key(0)), 0)
    q = stirred(FilteringConfig(width=3).build(p, known(), random.key(1)), 1)
    found, prior = (draw(p, q, 4000) for q in (q, Prior()))
    assert np.ptp(found.kl) < 1e-12
    sampled = np.asarray(found.log_q - found.log_prior)[0, 0]
    assert abs(sampled.mean() - found.kl[0, 0, 0]) < 4 * sampled.std() / len(sampled) ** 0.5
    means, errors = zip(
        *((w.mean(), w.std() / len(w) ** 0.5) for w in (np.exp(a.log_weight[0, 0]) for a in (found, prior)))
    )
    assert abs(means[0] - means[1]) < 4 * np.hypot(*errors)


def test_every_law_is_that_of_p_and_of_q():
    """The prior is the law it is named for, at the temperature it is given, and q's guess another of its kind."""
    for law in LAWS:
        more = {"temperature": 0.8} if law == "concrete" else {}
        p = VAEConfig(latent=(3,), width=(3,), depth=1, law=law, **more).build(known(), random.key(0))
        prior, guess = p.prior(None), p.prior(None).like(jnp.ones(p.prior(None).size))
        assert type(prior) is type(guess) is getattr(distributions, law.title().replace("_", ""))
        assert law != "concrete" or prior.temperature == guess.temperature == 0.8


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(CounterpointError, match=r"2 layers of z .* and 1 networks .*; give one width for each layer"):
        VAEConfig(latent=(3, 2), width=(4,))
    with pytest.raises(CounterpointError, match="did you mean 'gamma'"):
        VAEConfig(law="gama")
    with pytest.raises(CounterpointError, match=r"temperature is 0\.3, and law 'gumbel' has none"):
        VAEConfig(law="gumbel", temperature=0.3)
    with pytest.raises(CounterpointError, match=r"temperature is 0\.5, and law 'gaussian' has none"):
        VAEConfig(temperature=0.5)
    for wrong in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(CounterpointError, match=f"temperature is {wrong}; give a finite number above 0"):
            VAEConfig(law="concrete", temperature=wrong)
    with pytest.raises(CounterpointError, match=r"guesses 2 layers, .* z of VAE has 1: choose"):
        pair((2,), (3,), BottomUpConfig(width=(3, 2)))
    with pytest.raises(CounterpointError, match=r"guesses 2 layers, .* z of VAE has 1: choose"):
        Pairing(one()[0], two()[1], IWAE(2), Pathwise())
