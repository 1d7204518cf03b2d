import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random

from counterpoint.bounds import ELBO, IWAE
from counterpoint.core import Batch
from counterpoint.rollout import rollout
from exact.cases import log_marginal, score_paths, table, tuples

pytestmark = pytest.mark.usefixtures("x64")

LOG_P = -0.6539264674


def every(p, q, particles, seen=0):
    """The trace of all tuples of particles, one tuple a sequence, and their probabilities under q."""
    z = jnp.asarray(tuples(3, particles))[None]
    batch = Batch(jnp.full((z.shape[1], 1), seen, jnp.int32), jnp.ones((z.shape[1], 1), bool))
    trace = rollout(p, q, batch, random.key(0), particles=particles, pathwise=False, z=z)[0]
    return trace, jnp.exp(trace.log_q.sum((0, 2)))


@eqx.filter_jit
def expected(p, q, bound):
    trace, chance = every(p, q, bound.particles)
    return (chance * bound(trace)).sum()


def test_marginal_likelihood_and_divergences():
    p, q = table()
    trace = score_paths(p, q, np.zeros(1, np.int32), tuples(3, 1)[:, 0, None])
    assert log_marginal(trace) == pytest.approx(LOG_P, abs=1e-8)
    log_q, log_post = trace.log_q[0, 0], (trace.log_prior + trace.log_likelihood)[0, 0] - LOG_P
    assert (jnp.exp(log_q) * (log_q - log_post)).sum() == pytest.approx(1.6227303658, abs=1e-8)
    assert (jnp.exp(log_post) * (log_post - log_q)).sum() == pytest.approx(1.0947574145, abs=1e-8)


def test_importance_weighted_bound_by_enumeration_grows_towards_the_likelihood():
    p, q = table()
    found = [expected(p, q, IWAE(k)) for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(found, [-2.2766568332, -1.7029209973, -1.4011271065, -1.2184841821], atol=1e-8)
    assert (np.diff(found) > 0).all()
    assert found[-1] < LOG_P


def test_elbo_is_the_bound_with_one_particle_however_many_are_averaged():
    p, q = table()
    for k in (1, 2, 3):
        assert expected(p, q, ELBO(k)) == pytest.approx(-2.2766568332, abs=1e-8)


def test_gradient_of_two_particles_and_its_two_parts():
    p, q = table()

    def both(q):
        trace, chance = every(p, q, 2)
        bound = IWAE(2)(trace)
        return (chance * bound).sum(), (lax.stop_gradient(chance) * bound).sum()

    (total, inner) = jax.jit(jax.jacobian(both))(q)
    np.testing.assert_allclose(total.logits[0], [0.6472802803, 0.0217010103, -0.6689812908], atol=1e-9)
    np.testing.assert_allclose(inner.logits[0], [-0.1484419671, -0.0725231911, 0.2209651582], atol=1e-9)
    score = total.logits[0] - inner.logits[0]
    np.testing.assert_allclose(score, [0.7957222477, 0.0942242015, -0.8899464492], atol=1e-9)
