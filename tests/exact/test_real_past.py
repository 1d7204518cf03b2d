"""RBMs over real frames whose biases come from a past: 2 visible and 2 hidden units over 3 steps, every state of the
hidden units and a grid of frames."""

import itertools

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import random
from scipy.special import logsumexp

from counterpoint.bounds import Annealed, score
from counterpoint.inference import Gibbs
from counterpoint.models import CRBM, RBM, RTRBM
from exact.cases import loss_from_the_exact_law, mk, whole

pytestmark = pytest.mark.usefixtures("x64")

HIDDEN = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
SEQUENCE = np.array([[0.6, -1.1], [1.5, 0.2], [-0.4, 0.9]])
LINE = np.arange(-9.0, 9.1, 0.4)  # so coarse a sum over it is the integral of such mixtures, to 1e-12
GRID = np.array(list(itertools.product(LINE, repeat=2)))


def machine() -> RBM:
    return RBM(mk((2, 2), 1, 0.9), mk(2, 17, 0.7), mk(2, 19, 0.8), spread=mk(2, 23, 0.9))


MODELS = {
    "rtrbm": lambda: RTRBM(machine(), mk((2, 2), 5, 1.5), mk(2, 9, 0.7)),
    "crbm": lambda: CRBM(machine(), mk((2, 4, 2), 23, 0.6)),
}


def added(name):
    """What the past adds to b and to c at each step, in NumPy."""
    p = MODELS[name]()
    if name == "crbm":
        lags, padded = np.array(p.lags), np.concatenate([np.zeros((2, 2)), SEQUENCE])
        both = [lags[0] @ padded[t + 1] + lags[1] @ padded[t] for t in range(3)]
        return [(a[:2], a[2:]) for a in both]
    W, b, U = (np.array(a) for a in (p.machine.weights, p.machine.hidden, p.across))
    past, found = np.array(p.start), []
    for x in SEQUENCE:
        found.append((past, np.zeros(2)))
        past = U @ (1 / (1 + np.exp(-(W @ (x / np.array(p.machine.deviation)) + b + past))))
    return found


def log_density(name):
    """log p(x_1:3), each step a mixture of Gaussians of deviation sigma, one for each state of the hidden units."""
    m, total = machine(), 0.0
    for x, (to_b, to_c) in zip(SEQUENCE, added(name)):
        W, b, c = np.array(m.weights), np.array(m.hidden) + to_b, np.array(m.visible) + to_c
        sigma = np.array(m.deviation)
        means = (HIDDEN @ W) * sigma + c
        shares = HIDDEN @ b + 0.5 * (((means / sigma) ** 2).sum(1) - ((c / sigma) ** 2).sum())
        each = -0.5 * (((x - means) / sigma) ** 2).sum(1) - np.log(2 * np.pi * sigma.prod())
        total += logsumexp(shares - logsumexp(shares) + each)
    return total


@eqx.filter_jit
def likelihood_and_gradients(p):
    """log p(x_1:3), its gradient, and that of the estimator whose chains end all over the grid, each end weighed by its
    density given the past."""
    exact = jax.value_and_grad(lambda p: score(p, Gibbs(), Annealed(), whole(SEQUENCE), random.key(0))[0])
    return exact(p), jax.grad(lambda p: -loss_from_the_exact_law(p, SEQUENCE, GRID))(p)


@pytest.mark.parametrize("name", MODELS)
def test_likelihood_and_its_gradient_by_contrastive_divergence_from_the_exact_law(name):
    (value, want), found = likelihood_and_gradients(MODELS[name]())
    assert float(value) == pytest.approx(log_density(name), abs=1e-10)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)
        assert np.abs(b).min() > 1e-4
