"""Monte Carlo EM: its gradient is that of log p(x) where q draws from p(z | x), and learning raises log p(x)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random

from counterpoint.bounds import ELBO
from counterpoint.core import Batch, Pairing
from counterpoint.errors import CounterpointError
from counterpoint.estimators import MonteCarloEM, WakeSleep
from counterpoint.estimators.wake_sleep import dream
from counterpoint.inference import MeanFieldVB, PolyaGamma, PolyaGammaConfig
from counterpoint.rollout import rollout
from exact.cases import LATENTS, log_marginal, score_paths, tsbn, whole
from exact.test_sbn import STATES, V, sbn

pytestmark = pytest.mark.usefixtures("x64")

GIBBS = PolyaGamma(PolyaGammaConfig(6, augment=False))
SMOOTHED = PolyaGamma(PolyaGammaConfig(6, ahead=2, augment=False))
IMAGES = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 0, 1]], float)[:, None]
FIRST = IMAGES[:, 0, ::3]
FILMS = np.stack([FIRST, 0 * FIRST, FIRST], 1)  # the last frame is the first, which only z remembers
SMALL = {  # a model, all of its z, data, and how near log p(x) comes to what they allow; a film forgotten is 1.04 off
    "sbn": (sbn, STATES, IMAGES, 0.5),
    "tsbn": (tsbn, LATENTS, FILMS, 0.8),
}


def log_p(name, p, x):
    """Of each sequence, over all z: (N,)."""
    make, states, *_ = SMALL[name]
    return jax.vmap(lambda x: log_marginal(score_paths(p, make()[1], x, states)))(jnp.asarray(x))


def gradient(p, q, bound, batch, key):
    return eqx.filter_grad(lambda p: MonteCarloEM()(p, q, bound, batch, key, (), 0)[0].surrogate)(p)


def test_its_mean_is_the_gradient_of_the_likelihood():
    p, rows, draws = sbn()[0], 40, 50

    @jax.jit
    def found(p):
        one = lambda key: gradient(p, GIBBS, ELBO(draws, closed_form=False), whole(V), key)
        return jax.vmap(one)(random.split(random.key(0), rows)), jax.grad(lambda p: -log_p("sbn", p, V[None])[0])(p)

    several, exact = found(p)
    for a, b in zip(jax.tree.leaves(several), jax.tree.leaves(exact)):
        error = np.asarray(a).std(0) / rows**0.5
        assert (np.abs(np.asarray(a).mean(0) - b) < 4.5 * error + 1e-12).all()
        assert (error < 0.02).all()


@pytest.mark.parametrize(
    ("name", "q"),
    [
        pytest.param("sbn", GIBBS, marks=pytest.mark.slow),
        ("sbn", MeanFieldVB(5)),
        pytest.param("tsbn", SMOOTHED, marks=pytest.mark.slow),
        ("tsbn", MeanFieldVB(5)),
    ],
    ids=["sbn-gibbs", "sbn-mean_field", "tsbn-gibbs", "tsbn-mean_field"],
)
def test_learning_raises_the_likelihood(name, q):
    make, _, data, near = SMALL[name]
    x = jnp.asarray(data)
    batch, bound = Batch(x, jnp.ones(x.shape[:2], bool)), ELBO(8, closed_form=False)

    @jax.jit
    def learned(p):
        def step(p, key):
            grads = gradient(p, q, bound, batch, key)
            return jax.tree.map(lambda a, g: a - x.shape[1] * g, p, grads), log_p(name, p, x).mean()

        return lax.scan(step, p, random.split(random.key(1), 240))[1]

    history = np.asarray(learned(make()[0])).reshape(4, 60).mean(1)
    assert (np.diff(history) > 0).all()
    entropy = -np.log([0.5, 0.5, 0.25, 0.25]).mean()
    assert -entropy - near < history[-1] < -entropy


def test_a_q_with_weights_is_refused():
    with pytest.raises(CounterpointError, match="weights of TSBNRecognition would stay"):
        Pairing(*sbn(), ELBO(), MonteCarloEM())


def test_classic_wake_sleep_is_one_draw_awake_and_one_asleep():
    """Hinton et al. (1995): p learns log p(x, z), z ~ q(z | x); q learns log q(z | x), (x, z) ~ p."""
    p, q = sbn()
    bound, estimator, batch, key = ELBO(), WakeSleep(0.0, 1.0), whole(V, 3), random.key(4)
    Pairing(p, q, bound, estimator)

    @eqx.filter_jit
    def both(p, q):
        awake, asleep = random.split(key)
        z = rollout(p, q, batch, awake, pathwise=False)[0].z

        def joint(p):
            trace = rollout(p, q, batch, awake, pathwise=False, detach=True, z=z)[0]
            return -(trace.log_prior + trace.log_likelihood).sum() / 3

        found = eqx.filter_grad(lambda pq: estimator(*pq, bound, batch, key, (), 0)[0].surrogate)((p, q))
        dreamt = eqx.filter_grad(lambda q: -dream(p, q, batch, asleep).log_q.sum() / 3)(q)
        return found, (eqx.filter_grad(joint)(p), dreamt)

    found, want = both(p, q)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)):
        np.testing.assert_allclose(a, b, atol=1e-12)
        assert a.size == 0 or (np.asarray(a) != 0).any()
