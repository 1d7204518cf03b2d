"""Doubly reparameterised and path-derivative gradients, in expectation by quadrature: no sampling error anywhere."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array, lax, random

from counterpoint.bounds import ELBO, FIVO, IWAE
from counterpoint.core import AbstractPosterior, Pairing, direct
from counterpoint.distributions import FullGaussian
from counterpoint.errors import CounterpointError
from counterpoint.estimators import STL, DReG, Pathwise
from counterpoint.models import LDS
from counterpoint.rollout import rollout
from exact.cases import LDS_FRAMES, lds, tsbn, whole

pytestmark = pytest.mark.usefixtures("x64")

X = np.array([[0.7]])


class Linear(AbstractPosterior):
    """q(z | x) = N(a m + b x, exp(2 s)), m the prior's mean, which is p's parameter: q reads p."""

    a: Array
    b: Array
    s: Array
    sees_future = False
    fills_gaps = False

    def propose(self, p, carry, context, x, key):
        return direct(FullGaussian(self.a * carry[0] + self.b * x, jnp.exp(self.s)[None, None]))


def parts(a=0.4, b=0.6, s=-0.2):
    """z ~ N(0.3, 1), x ~ N(z, .8)."""
    one = lambda value: np.full((1, 1), value)
    p = LDS.of(one(0.9), one(0.5), one(1.0), one(0.8), np.array([0.3]), one(1.0))
    return p, Linear(jnp.asarray(a), jnp.asarray(b), jnp.asarray(s))


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(32)
PAIRS = np.stack(np.meshgrid(NODES, NODES), -1).reshape(-1, 2)
CHANCE = np.outer(WEIGHTS, WEIGHTS).ravel() / (2 * np.pi)


@eqx.filter_jit
def expected(parts, bound, estimator):
    """E[gradient] over two particles; estimator None: the derivative of the expected bound."""

    def one(parts, noise):
        p, q = parts
        law = q.propose(p, p.initial(), None, X[0], None).distribution
        z = jax.vmap(law.drawn)(noise[:, None])[None, None]
        trace, _ = rollout(p, q, whole(X), random.key(0), particles=2, z=z)
        if estimator is None:
            return bound(trace).sum()
        return -estimator.of_trace(p, q, bound, whole(X), trace, random.key(0), None).surrogate

    grads = jax.vmap(lambda noise: eqx.filter_grad(one)(parts, noise))(jnp.asarray(PAIRS))
    return jax.tree.map(lambda a: jnp.tensordot(CHANCE, a, 1), grads)


def flat(tree):
    return np.concatenate([np.ravel(a) for a in jax.tree.leaves(tree)])


def test_dreg_is_unbiased_for_iwae():
    """Both voices, and of p what q reads. 32 nodes a particle integrate these functions to 1e-9."""
    want = expected(parts(), IWAE(2), None)
    np.testing.assert_allclose(flat(expected(parts(), IWAE(2), DReG())), flat(want), atol=1e-9)
    assert np.abs(flat(want)).max() > 0.1


@pytest.mark.slow
def test_stl_is_unbiased_for_the_elbo_and_not_for_iwae():
    bound = ELBO(2, closed_form=False)
    np.testing.assert_allclose(flat(expected(parts(), bound, STL())), flat(expected(parts(), bound, None)), atol=1e-10)
    apart = flat(expected(parts(), IWAE(2), STL())) - flat(expected(parts(), IWAE(2), None))
    assert np.abs(apart).max() > 1e-2


@eqx.filter_jit
def gradient(pairing, batch, key):
    return eqx.filter_grad(lambda pairing: pairing(batch, key, (), None)[0].surrogate)(pairing)


@eqx.filter_jit
def several(parts, key, particles, estimators):
    """The gradient by each estimator on a path of three steps, where z_t moves the carry that q reads later; then the
    score that weights of their own hold: sum_k w_k grad log q(z_k) at fixed z."""
    batch, bound = whole(LDS_FRAMES[:3]), IWAE(particles)
    grad = lambda estimator: eqx.filter_grad(lambda parts: estimator(*parts, bound, batch, key, (), None)[0].surrogate)

    @eqx.filter_grad
    def score(parts):
        trace, _ = rollout(*parts, batch, key, particles=particles)
        z, weight = lax.stop_gradient((trace.z, jax.nn.softmax(trace.log_weight.sum(0))))
        log_q = rollout(*parts, batch, key, particles=particles, z=z)[0].log_q
        return (weight * log_q.sum(0)).sum() / batch.valid.sum()

    return [*(grad(estimator)(parts) for estimator in estimators), score(parts)]


@pytest.mark.slow
def test_what_stl_leaves_out_is_the_weighted_score_draw_by_draw():
    full, stl, dreg, left = several(parts(), random.key(1), 3, (Pathwise(), STL(), DReG()))
    np.testing.assert_allclose(flat(full) - flat(stl), flat(left), atol=1e-12)
    assert np.abs(flat(left)).max() > 1e-2
    assert np.abs(flat(dreg) - flat(stl)).max() > 1e-3
    untouched = lambda p: flat([p.readout, p.observation_noise, p.offset])  # what q does not read
    np.testing.assert_allclose(untouched(dreg[0]), untouched(full[0]), atol=1e-12)


@pytest.mark.slow
def test_with_one_particle_both_are_one():
    stl, dreg, _ = several(parts(), random.key(2), 1, (STL(), DReG()))
    np.testing.assert_allclose(flat(dreg), flat(stl), atol=1e-12)


@pytest.mark.parametrize(("bound", "estimator"), [(ELBO(2), STL()), (IWAE(2), DReG())])
def test_where_q_is_exact_its_gradient_has_no_noise_at_all(bound, estimator):
    gain = 1 / 1.8  # of z ~ N(m, 1) given x = z + N(0, .8)
    p, q = parts(1 - gain, gain, 0.5 * np.log(1 - gain))
    for seed in range(3):
        grad = gradient(Pairing(p, q, bound, estimator), whole(X), random.key(seed))
        np.testing.assert_allclose(flat(grad.q), 0, atol=1e-12)
        assert np.abs(flat(grad.p)).max() > 1e-2


def test_what_has_no_such_gradient_is_refused():
    with pytest.raises(CounterpointError, match="pathwise needs"):
        Pairing(*tsbn(), IWAE(2), DReG())
    p, q = lds(), parts()[1]
    with pytest.raises(CounterpointError, match=r"stl follows each particle's own path .* fivo are cut"):
        Pairing(p, q, FIVO(2), STL())
    with pytest.raises(CounterpointError, match="elbo is a sum over steps: choose bound = iwae, or estimator = stl"):
        Pairing(p, q, ELBO(2), DReG())
    gaps = whole(X)._replace(observed=jnp.ones((1, 1), bool))
    with pytest.raises(CounterpointError, match="dreg scores each z a second time"):
        DReG()(p, q, IWAE(2), gaps, random.key(0), (), None)
