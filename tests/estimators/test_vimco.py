"""In exact expectation over all tuples of paths: unbiased, and what it takes off does not see the particle."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random

from counterpoint.bounds import ELBO, FIVO, IWAE
from counterpoint.core import Pairing
from counterpoint.errors import CounterpointError
from counterpoint.estimators import VIMCO
from counterpoint.estimators.vimco import advantage
from counterpoint.rollout import rollout
from estimators.test_score_function import LOCAL, close, exact
from exact.cases import FRAMES, LATENTS, tsbn, tuples, whole

pytestmark = pytest.mark.usefixtures("x64")


@eqx.filter_jit
def expected(p, q, bound, estimator):
    """E[-surrogate], summed over steps: its gradient for p and q."""
    paths = LATENTS[tuples(64, bound.particles)]  # (N, K, T, J)
    z = jnp.asarray(np.moveaxis(paths, 1, 2))[:, :, None]  # (N, T, 1, K, J)

    def total(parts):
        p, q = parts
        batch = whole(FRAMES)

        def one(z):
            trace, _ = rollout(p, q, batch, random.key(0), particles=bound.particles, pathwise=False, z=z)
            return -len(FRAMES) * estimator.of_trace(bound, batch, trace, 0).surrogate, trace.log_q.sum()

        value, log_q = jax.vmap(one)(z)
        return (lax.stop_gradient(jnp.exp(log_q)) * value).sum()

    return eqx.filter_grad(total)((p, q))


def test_unbiased_for_iwae():
    p, q = tsbn()
    close(expected(p, q, IWAE(2), VIMCO()), exact(p, q, IWAE(2)))


def test_unbiased_for_the_elbo_of_two_particles():
    p, q = tsbn()
    close(expected(p, q, ELBO(2, closed_form=False), VIMCO()), exact(p, q, ELBO()))


def test_the_local_signal_has_its_known_bias():
    p, q = tsbn()
    grad = expected(p, q, ELBO(2, closed_form=False), VIMCO("local"))[1]
    np.testing.assert_allclose(grad.layers[0].bias, LOCAL, atol=2e-9)


@pytest.mark.parametrize("bound", [IWAE(4), ELBO(4, closed_form=False)], ids=["iwae", "elbo"])
def test_what_is_taken_off_is_the_bound_with_the_others_mean(bound):
    p, q = tsbn()
    trace, _ = rollout(p, q, whole(FRAMES, 2), random.key(3), particles=4, pathwise=False)
    found = advantage(bound, trace, None, local=False)[0]
    weight = np.asarray(trace.log_weight.sum(0))
    pool = lambda w: np.logaddexp.reduce(w) - np.log(4) if isinstance(bound, IWAE) else w.mean()
    for row in range(2):
        for k in range(4):
            other = weight[row].copy()
            other[k] = np.delete(other, k).mean()
            assert found[row, k] == pytest.approx(pool(weight[row]) - pool(other), abs=1e-10)


@pytest.mark.parametrize(
    ("bound", "signal", "reason"),
    [
        (IWAE(1), "reward_to_go", "compares each particle with the others"),
        (FIVO(4), "reward_to_go", "when they resample"),
        (IWAE(4), "local", "does not split"),
    ],
)
def test_bounds_without_a_leave_one_out_signal_are_refused(bound, signal, reason):
    with pytest.raises(CounterpointError, match=reason):
        Pairing(*tsbn(), bound, VIMCO(signal))
