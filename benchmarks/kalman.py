"""Kalman smoothing (16 latent dimensions, 32 observed, 50 sequences of 100 steps) against dynamax, and one sequence of
100,000 steps.

    pip install dynamax
    python benchmarks/kalman.py [--rounds 20] [--long 100000]

Both sides smooth the same sequences under the same parameters, compiled once, and their likelihoods, means and
covariances must agree before anything is timed; dynamax's `lgssm_smoother` is mapped over the sequences. Rounds
alternate between the sides; the ratio is that of medians. The same with a tenth of the entries missing, which dynamax
has no way to say.
"""

import argparse

import dynamax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from dynamax.linear_gaussian_ssm import lgssm_smoother
from dynamax.linear_gaussian_ssm.inference import make_lgssm_params
from timing import medians

from counterpoint.core import Batch
from counterpoint.inference import Kalman
from counterpoint.models import LDS

LATENT, WIDTH, COUNT, STEPS = 16, 32, 50, 100
smooth = eqx.filter_jit(lambda p, batch: Kalman().marginals(p, batch))


def parameters():
    """A, Q, C, R, m_0, P_0: a slowly turning state, seen through noise that is correlated."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(LATENT, LATENT)))[0]
    spread = lambda d, scale: scale * (np.eye(d) + 0.1 * (lambda a: a @ a.T / d)(rng.normal(size=(d, d))))
    readout = rng.normal(size=(WIDTH, LATENT)) / LATENT**0.5
    return 0.97 * turn, spread(LATENT, 0.1), readout, spread(WIDTH, 0.5), np.zeros(LATENT), np.eye(LATENT)


def drawn(count: int, steps: int, move, noise, readout, shake, start, spread) -> np.ndarray:
    """Sequences (count, steps, WIDTH)."""
    rng, lower, below = np.random.default_rng(1), np.linalg.cholesky(noise), np.linalg.cholesky(shake)
    x, z = np.zeros((count, steps, WIDTH), np.float32), rng.normal(size=(count, LATENT)) @ np.linalg.cholesky(spread).T
    for t in range(steps):
        x[:, t] = z @ readout.T + rng.normal(size=(count, WIDTH)) @ below.T
        z = z @ move.T + rng.normal(size=(count, LATENT)) @ lower.T
    return x


def single(values):
    return [jnp.asarray(a, jnp.float32) for a in values]


def agree(found, want) -> float:
    """The largest difference of a smoothed mean or covariance."""
    mine, theirs = float(found.log_evidence.sum()), float(want.marginal_loglik.sum())
    assert abs(mine - theirs) < 1e-4 * abs(theirs), (mine, theirs)
    pairs = zip(found.smoothed, (want.smoothed_means, want.smoothed_covariances))
    worst = max(float(jnp.abs(a - b).max()) for a, b in pairs)
    assert worst < 1e-3, worst
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--long", type=int, default=100_000)
    options = parser.parse_args()
    values = parameters()
    move, noise, readout, shake, start, spread = single(values)
    p = LDS.of(move, noise, readout, shake, start, spread)
    params = make_lgssm_params(start, spread, move, noise, readout, shake)
    other = jax.jit(jax.vmap(lambda x: lgssm_smoother(params, x)))
    print("| sequences | counterpoint, ms | dynamax, ms | ratio | largest difference |\n|---|---|---|---|---|")
    for count, steps in ((COUNT, STEPS), (1, options.long)):
        x = jnp.asarray(drawn(count, steps, *values))
        batch = Batch(x, jnp.ones(x.shape[:2], bool))
        worst = agree(smooth(p, batch), other(x))
        sides = {"ours": lambda batch=batch: smooth(p, batch), "dynamax": lambda x=x: other(x)}
        rounds = options.rounds if steps == STEPS else max(options.rounds // 5, 1)
        taken = medians(sides, rounds)
        ratio = taken["dynamax"] / taken["ours"]
        print(f"| {count} of {steps} | {taken['ours']:.1f} | {taken['dynamax']:.1f} | {ratio:.2f} | {worst:.0e} |")
    x = jnp.asarray(drawn(COUNT, STEPS, *values))
    gaps = Batch(x, jnp.ones(x.shape[:2], bool), jnp.asarray(np.random.default_rng(2).random(x.shape) > 0.1))
    missing = medians({"ours": lambda: smooth(p, gaps)}, options.rounds)["ours"]
    print(f"\nWith a tenth of the entries missing: {missing:.1f} ms")
    print(f"dynamax {dynamax.__version__}; JAX {jax.__version__}; float32")


if __name__ == "__main__":
    main()
