"""Single precision, however small one noise is beside the other: against a filter of NumPy in float64."""

import itertools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.core import Batch
from counterpoint.inference import Kalman
from counterpoint.models import LDS
from counterpoint.rollout import rollout

STEPS, LATENT, DECAY = 200, 8, 0.95
EPS = np.finfo(np.float32).eps
marginals = eqx.filter_jit(lambda p, batch: Kalman().marginals(p, batch))
weights = eqx.filter_jit(
    lambda p, batch: rollout(p, Kalman(), batch, random.key(0), particles=16, pathwise=False)[0].log_weight.sum(0)[0]
)


def drawn(q, r, width):
    """An LDS in float32, its matrices in float64 as float32 holds them, and a sequence of it."""
    rng = np.random.default_rng(0)
    move = DECAY * np.linalg.qr(rng.normal(size=(LATENT, LATENT)))[0]
    readout = rng.normal(size=(width, LATENT)) / LATENT**0.5
    x, z = np.zeros((STEPS, width), np.float32), rng.normal(size=LATENT)
    for t in range(STEPS):
        x[t] = readout @ z + r**0.5 * rng.normal(size=width)
        z = move @ z + q**0.5 * rng.normal(size=LATENT)
    noises = q * np.eye(LATENT), r * np.eye(width), np.eye(LATENT)
    single = [jnp.asarray(a, jnp.float32) for a in (move, noises[0], readout, noises[1], np.zeros(LATENT), noises[2])]
    p = LDS.of(*single)
    square = lambda a: np.asarray(a.cholesky, float) @ np.asarray(a.cholesky, float).T
    move, readout = np.asarray(p.transition, float), np.asarray(p.readout, float)
    return p, (move, square(p.noise), readout, square(p.observation_noise), square(p.start_noise)), x


def textbook(move, noise, readout, shake, spread, x, seen):
    """log p(x), the means of z given x, and the deviations of z given x until then, in Joseph's form."""
    mean, log_evidence, found = np.zeros(len(move)), 0.0, []
    for now, some in zip(x.astype(float), seen):
        c, r = readout[some], shake[np.ix_(some, some)]
        error, inner = now[some] - c @ mean, c @ spread @ c.T + r
        log_evidence -= 0.5 * (error @ np.linalg.solve(inner, error) + np.linalg.slogdet(2 * np.pi * inner)[1])
        gain = np.linalg.solve(inner, c @ spread).T
        kept = np.eye(len(mean)) - gain @ c
        after, narrow = mean + gain @ error, kept @ spread @ kept.T + gain @ r @ gain.T
        mean, spread = move @ after, move @ narrow @ move.T + noise
        found.append((after, narrow, mean, spread))
    mean, spread, *_ = found[-1]
    smoothed = [(mean, spread)]
    for after, narrow, ahead, wide in found[-2::-1]:
        gain = np.linalg.solve(wide, move @ narrow).T
        kept = np.eye(len(mean)) - gain @ move
        mean = after + gain @ (mean - ahead)
        spread = kept @ narrow @ kept.T + gain @ (noise + spread) @ gain.T
        smoothed.append((mean, spread))
    means = np.array([mean for mean, _ in smoothed[::-1]])
    return log_evidence, means, np.sqrt([np.diag(narrow) for _, narrow, *_ in found])


QUICK = [(0.01, 1e-6, 4)]  # the others take long together
GRID = [*QUICK, (0.01, 1e-3, 12), (0.1, 1e-4, 12), *itertools.product([1e-7, 0.1], [1e-6, 1.0], [4, 12])]


@pytest.mark.parametrize(
    ("q", "r", "width"), [c if c in QUICK else pytest.param(*c, marks=pytest.mark.slow) for c in GRID]
)
@pytest.mark.slow
def test_single_precision_holds_however_small_a_noise_is(q, r, width):
    """Less is seen than there is, or, with gaps, more. With X = max |x|, Z = max |z|, D = 1 / (1 - decay) steps that a
    rounding lasts, and independent roundings that add up as their root, four deviations are allowed:

        log-likelihood   of whitened errors of size 1, each rounded by eps X / sqrt(R): sqrt(T M) eps X / sqrt(R), and
                         of the sum over T: eps sqrt(T) |log p|
        weights          so, too, for M + n errors, rounded by eps (X / sqrt(R) + Z / sqrt(Q))
        means            eps D Z, and, since gains are rounded that say how much of what the future adds is believed,
                         eps X / sqrt(R) of the deviation that the filter leaves
    """
    p, exact, x = drawn(q, r, width)
    seen = np.random.default_rng(1).random(x.shape) > 0.15 if width > LATENT else np.ones(x.shape, bool)
    gaps = jnp.asarray(seen)[None] if width > LATENT else None
    batch = Batch(jnp.asarray(x)[None], jnp.ones((1, STEPS), bool), gaps)
    log_evidence, means, deviations = textbook(*exact, x, seen)
    found, lasts = marginals(p, batch), 1 / (1 - DECAY)
    error, state = np.abs(x).max() / r**0.5, np.abs(means).max()
    summed = STEPS**0.5 * abs(log_evidence)
    allowed = 4 * EPS * ((STEPS * width) ** 0.5 * error + summed)
    np.testing.assert_allclose(np.asarray(found.log_evidence, float).sum(), log_evidence, rtol=0, atol=allowed)
    allowed = 4 * EPS * ((STEPS * (width + LATENT)) ** 0.5 * (error + state / q**0.5) + summed)
    np.testing.assert_allclose(weights(p, batch), log_evidence, rtol=0, atol=allowed)
    allowed = 4 * EPS * (lasts * state + error * deviations)
    np.testing.assert_array_less(np.abs(found.smoothed[0][0] - means), allowed)
