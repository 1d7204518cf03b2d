"""A deep Markov model of one latent dimension against integration on a grid."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import stirred
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.inference import Prior, SmoothingConfig
from counterpoint.models import DMMConfig
from counterpoint.rollout import rollout

pytestmark = pytest.mark.usefixtures("x64")

X = np.array([[0.3, -0.8], [1.1, 0.2], [0.5, 0.9], [-0.4, 0.1]])
FACTS = facts((X,), "real")


def model(latent):
    return stirred(DMMConfig(latent=latent, transition=4, emission=3).build(FACTS, random.key(0)), 2)


def integrated(p, grid):
    """log p(x) by the rectangle rule, one step after the other."""
    prior = jax.vmap(lambda old: jax.vmap(lambda new: p.prior(old[None]).log_prob(new[None]))(grid))(grid)
    seen = jax.vmap(lambda x: jax.vmap(lambda z: p.likelihood(z[None], z[None]).log_prob(x))(grid))(jnp.asarray(X))
    start = jax.vmap(lambda z: p.prior(p.initial()).log_prob(z[None]))(grid)
    width = jnp.log(grid[1] - grid[0])
    alpha = start + seen[0]
    for now in seen[1:]:
        alpha = jax.nn.logsumexp(alpha[:, None] + prior, 0) + width + now
    return jax.nn.logsumexp(alpha) + width


@pytest.mark.parametrize(
    "config", [None, SmoothingConfig(hidden=3, width=4, residual=True)], ids=["prior", "smoothing"]
)
def test_weights_are_unbiased_for_the_integrated_likelihood(config):
    p = model(1)
    log_p = eqx.filter_jit(integrated)(p, jnp.linspace(-12, 12, 1201))
    q = Prior() if config is None else config.build(p, FACTS, random.key(1))
    batch = Batch(jnp.asarray(X)[None], jnp.ones((1, 4), bool))
    run = eqx.filter_jit(lambda p, q: rollout(p, q, batch, random.key(2), particles=40000)[0].log_weight.sum(0)[0])
    ratio = jnp.exp(run(p, q) - log_p)
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / 200


def test_the_gate_chooses_between_a_linear_and_a_nonlinear_transition():
    p, z = model(3), jnp.array([0.4, -1.2, 0.7])
    gate = np.asarray(1 / (1 + np.exp(-inner(p.gate, z))))
    moved = inner(p.move, z)
    linear = np.asarray(p.linear.weight @ z + p.linear.bias)
    law = p.prior(z)
    np.testing.assert_allclose(law.loc, (1 - gate) * linear + gate * moved, atol=1e-12)
    raw = np.asarray(p.spread.weight) @ np.maximum(moved, 0) + np.asarray(p.spread.bias)
    np.testing.assert_allclose(law.scale, np.log1p(np.exp(raw + np.log(np.e - 1))) + 1e-4, atol=1e-9)


def inner(net, z):
    """Two layers with a rectifier between."""
    first, last = net.layers[0], net.layers[2]
    return np.asarray(last.weight @ jnp.maximum(first.weight @ z + first.bias, 0) + last.bias)


def test_an_untrained_one_walks():
    """A starts as the identity: with the gates shut, z_t is about where z_t-1 was."""
    p = DMMConfig(latent=3, transition=4).build(FACTS, random.key(0))
    shut = eqx.tree_at(lambda p: p.gate.layers[2].bias, p, jnp.full(3, -50.0))
    z = jnp.array([0.4, -1.2, 0.7])
    np.testing.assert_allclose(shut.prior(z).loc, z, atol=1e-9)
