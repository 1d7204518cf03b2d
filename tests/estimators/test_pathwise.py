import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array, random

from counterpoint.bounds import ELBO, FIVO, IWAE
from counterpoint.core import AbstractPosterior, Pairing, direct
from counterpoint.distributions import FullGaussian
from counterpoint.errors import CounterpointError
from counterpoint.estimators import Pathwise
from exact.cases import LDS_FRAMES, lds, tsbn, whole

pytestmark = pytest.mark.usefixtures("x64")


class Linear(AbstractPosterior):
    """q(z_t | z_t-1, x_t) = N(a m_t + b x_t, exp(2 s)) with m_t the prior's mean: it sees p through the carry."""

    a: Array
    b: Array
    s: Array
    sees_future = False
    fills_gaps = False

    def propose(self, p, carry, context, x, key):
        return direct(FullGaussian(self.a * carry[0] + self.b * x, jnp.exp(self.s)[None, None]))


def parts():
    return lds(), Linear(jnp.asarray(0.7), jnp.asarray(0.3), jnp.asarray(-0.4))


def closed(p, q):
    """The expected ELBO by the moments of z."""
    transition, noise = p.transition[0, 0], p.noise.matrix[0, 0]
    readout, seen = p.readout[0, 0], p.observation_noise.matrix[0, 0]
    mean, variance = p.start[0] * 0, jnp.zeros(())  # of the prior's mean m_t under q
    mean, total = mean + p.start[0], jnp.zeros(())
    for t, x in enumerate(LDS_FRAMES[:, 0]):
        wide = p.start_noise.matrix[0, 0] if t == 0 else noise
        spread = jnp.exp(2 * q.s)
        z, z_variance = q.a * mean + q.b * x, q.a**2 * variance + spread
        moved = ((q.a - 1) * mean + q.b * x) ** 2 + (q.a - 1) ** 2 * variance + spread  # E (z - m)^2
        missed = (x - p.offset[0] - readout * z) ** 2 + readout**2 * z_variance
        total = total - 0.5 * (moved / wide + jnp.log(wide)) - 0.5 * (missed / seen + jnp.log(seen))
        total = total - 0.5 * jnp.log(2 * jnp.pi) + 0.5 + q.s
        mean, variance = transition * z, transition**2 * z_variance
    return total


def flat(tree):
    return jnp.concatenate([jnp.ravel(a) for a in jax.tree.leaves(tree)])


@pytest.mark.parametrize("closed_form", [False, True])
def test_drawn_gradients_reach_that_of_the_closed_form(closed_form):
    want = flat(jax.jit(jax.grad(lambda parts: closed(*parts)))(parts()))

    @eqx.filter_jit
    def sample(parts, keys):
        def one(key):
            def value(parts):
                estimate, _ = Pathwise()(*parts, ELBO(closed_form=closed_form), whole(LDS_FRAMES), key, (), None)
                return -4 * estimate.surrogate

            value, grad = jax.value_and_grad(value)(parts)
            return jnp.append(flat(grad), value)

        return jax.vmap(one)(keys)

    draws = np.asarray(sample(parts(), random.split(random.key(0), 20000)))
    want = np.append(want, closed(*parts()))
    np.testing.assert_array_less(np.abs(draws.mean(0) - want), 4.2 * draws.std(0) / 20000**0.5 + 1e-10)


@pytest.mark.parametrize("bound", [ELBO(2), IWAE(3), FIVO(3, threshold=1e-6)], ids=["elbo", "iwae", "fivo"])
def test_with_the_noise_held_the_gradient_is_the_derivative_of_the_value(bound):
    @eqx.filter_jit
    def value(parts):
        return Pathwise()(*parts, bound, whole(LDS_FRAMES, 2), random.key(1), (), None)[0].surrogate

    here = parts()
    grad = eqx.filter_grad(value)(here)
    way = jax.tree.map(lambda a: jnp.ones_like(a) * 0.7, here)
    move = lambda h: jax.tree.map(lambda a, b: a + h * b, here, way)
    slope = (value(move(1e-5)) - value(move(-1e-5))) / 2e-5
    assert float(slope) == pytest.approx(float(flat(grad).sum() * 0.7), rel=1e-7)


def test_discrete_latents_are_refused():
    p, q = tsbn()
    with pytest.raises(CounterpointError, match="z of TSBN is discrete"):
        Pairing(p, q, ELBO(), Pathwise())
