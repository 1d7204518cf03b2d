"""Draws what amortised variational filtering reaches where all is known, docs/images/lds-avf.png; prints the numbers.

    python scripts/lds_avf.py [FILE]      # lds-avf.png here where none is named

The system is z_1 ~ N(0, 1), z_t = 0.9 z_t-1 + N(0, 0.5), x_t = z_t + N(0, 0.8), of four steps. Free energies are
those of whole sequences, F = -sum_t (log p(x_t | z_t) - KL) in nats: at the left of one sequence, at the right the mean
over sequences of the system. All are exact but those of what was learned, which are means over paths.
"""

import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, random

from counterpoint.bounds import ELBO
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.estimators import FilteringEM
from counterpoint.inference import IterativeConfig, Kalman, Prior
from counterpoint.models import LDS
from counterpoint.report.canvas import QUIET, TRAIN, VALID, new_figure, save
from counterpoint.rollout import rollout

A, Q, R, STEPS = 0.9, 0.5, 0.8, 4
FRAMES = np.array([0.5, -0.3, 1.2, 0.7])[:, None]
ITERATIONS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)
UPDATES, EVERY, ROWS = 3000, 200, 32
TESTED, PATHS, AT_ONCE = 4000, 64, 100


def system() -> LDS:
    one = lambda value: np.full((1, 1), value)
    return LDS.of(one(A), one(Q), one(1.0), one(R), np.zeros(1), one(1.0))


def iterative(**options):
    """With the two points that make every expectation exact."""
    config = IterativeConfig(**{"samples": 0, "layer_norm": False, "width": 16} | options)
    return config.build(system(), facts((FRAMES,), "real"), random.key(1))


def drawn(count: int, seed: int) -> np.ndarray:
    """(count, STEPS, 1) sequences of the system."""
    rng, frames = np.random.default_rng(seed), []
    z = rng.normal(size=count)
    for _ in range(STEPS):
        frames.append(z + R**0.5 * rng.normal(size=count))
        z = A * z + Q**0.5 * rng.normal(size=count)
    return np.stack(frames, 1)[..., None]


# Exact numbers


@eqx.filter_jit
def exact(p, q, x):
    """F of one sequence, where every mean of q is linear in z_t-1: the paths of all signs of z_t = mean +- deviation
    have the moments of all paths."""
    _, context = q.encode(p, q.memory(), x, x, jnp.ones(x.shape, bool))
    carries, total = jax.tree.map(lambda a: a[None], p.initial()), jnp.zeros(())
    for t in range(len(x)):

        def step(carry, t=t):
            law = q.propose(p, carry, jax.tree.map(lambda a: a[t], context), x[t], random.key(0)).distribution

            def one(sign):
                z = law.mean + sign * (law.drawn(jnp.ones(1)) - law.mean)
                gain = p.prior(carry).log_prob(z) + p.likelihood(carry, z).log_prob(x[t]) - law.log_prob(z)
                return p.advance(carry, z, x[t]), gain

            return jax.vmap(one)(jnp.array([-1.0, 1.0]))

        carries, gains = jax.vmap(step)(carries)
        carries = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), carries)
        total = total - gains.mean()
    return total


def covariance() -> np.ndarray:
    """(STEPS, STEPS) of x_1 .. x_T."""
    move = np.linalg.inv(np.eye(STEPS) - A * np.eye(STEPS, k=-1))
    return move @ np.diag([1.0] + [Q] * (STEPS - 1)) @ move.T + R * np.eye(STEPS)


def mean_of_linear(past, seen, log_variance):
    """E F over sequences, for q(z_t) = N(past_t z_t-1 + seen_t x, exp log_variance_t): z_t and x_t are linear in the
    independent numbers that drew them, and E F asks for their second moments alone."""
    x = jnp.hstack([jnp.linalg.cholesky(covariance()), jnp.zeros((STEPS, STEPS))])
    z, total = jnp.zeros(2 * STEPS), 0.0
    for t in range(STEPS):
        variance, noise = jnp.exp(log_variance[t]), Q if t else 1.0
        mean, prior = past[t] * z + seen[t] @ x, A * z
        z = mean.at[STEPS + t].set(variance**0.5)
        total += 0.5 * (jnp.log(2 * jnp.pi * R) + ((x[t] - z) ** 2).sum() / R)
        total += 0.5 * (jnp.log(noise / variance) - 1 + (variance + ((mean - prior) ** 2).sum()) / noise)
    return total


def greedy() -> tuple:
    """The filter that is best for each step by itself."""
    noise = np.array([1.0] + [Q] * (STEPS - 1))
    gain = noise / (noise + R)
    return A * (1 - gain), np.diag(gain), np.log((1 - gain) * noise)


def best_linear(reach: np.ndarray) -> float:
    """The least E F of a linear filter that sees what `reach` (t, s) allows of x."""
    rule = optax.adam(optax.cosine_decay_schedule(0.02, 4000))
    loss = lambda a: mean_of_linear(a[0], a[1] * reach, a[2])

    def step(loop, _):
        a, state = loop
        updates, state = rule.update(jax.grad(loss)(a), state)
        return (optax.apply_updates(a, updates), state), None

    start = tuple(map(jnp.asarray, greedy()))
    found = jax.jit(lambda a: lax.scan(step, (a, rule.init(a)), None, 4000)[0][0])(start)
    return float(loss(found))


# What is learned


def taught(q, estimator, frames):
    """q after every EVERY updates of Adam, each on its own ROWS sequences (UPDATES, ROWS, STEPS, 1). p stays."""
    p, rule = system(), optax.adam(optax.cosine_decay_schedule(0.01, UPDATES, 0.01))
    params, static = eqx.partition(q, eqx.is_inexact_array)

    @jax.jit
    def run(params, state, keys, frames):
        def step(loop, now):
            (params, state), (key, x) = loop, now
            batch = Batch(x, jnp.ones(x.shape[:2], bool))
            loss = lambda a: estimator(p, eqx.combine(a, static), ELBO(), batch, key, (), None)[0].surrogate
            updates, state = rule.update(jax.grad(loss)(params), state)
            return (optax.apply_updates(params, updates), state), None

        return lax.scan(step, (params, state), (keys, frames))[0]

    state, keys, found = rule.init(params), random.split(random.key(3), UPDATES), [q]
    for i in range(0, UPDATES, EVERY):
        params, state = run(params, state, keys[i : i + EVERY], frames[i : i + EVERY])
        found.append(eqx.combine(params, static))
    return found


@eqx.filter_jit
def sampled(p, q, x):
    """F of each sequence (N, STEPS, 1), a mean over PATHS."""

    def some(now):
        key, x = now
        batch = Batch(x, jnp.ones(x.shape[:2], bool))
        trace, _ = rollout(p, q, batch, key, particles=PATHS, closed_form=True)
        return -(trace.log_likelihood - trace.kl).sum(0).mean(-1)

    parts = x.reshape(-1, AT_ONCE, *x.shape[1:])
    return lax.map(some, (random.split(random.key(8), len(parts)), parts)).ravel()


def main() -> int:
    jax.config.update("jax_enable_x64", True)
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "lds-avf.png")
    p, x = system(), jnp.asarray(FRAMES)
    floor = 0.5 * float(FRAMES[:, 0] @ np.linalg.solve(covariance(), FRAMES[:, 0]))
    floor += 0.5 * float(np.linalg.slogdet(2 * np.pi * covariance())[1])
    mean_floor = 0.5 * float(np.linalg.slogdet(2 * np.pi * np.e * covariance())[1])
    steps = [exact(p, iterative(update="gradient", step=0.3, iterations=n) if n else Prior(), x) for n in ITERATIONS]
    optimum = float(exact(p, Kalman(smooth=False), x))
    one = taught(iterative(), FilteringEM(), jnp.broadcast_to(x, (UPDATES, ROWS, STEPS, 1)))[-1]
    paths = np.asarray(sampled(p, one, jnp.broadcast_to(x, (TESTED, *x.shape))))
    learned, error = float(paths.mean()), paths.std() / TESTED**0.5
    rows = [(f"{n} plain gradient steps" if n else "q = prior", float(f)) for n, f in zip(ITERATIONS, steps)]
    rows += [(f"AVF, learned, +- {error:.4f}", learned), ("best of every step", optimum), ("-log p(x)", floor)]
    print("F of one sequence")
    for name, value in rows:
        print(f"  {name:32} {value:.4f}")

    of_greedy = float(mean_of_linear(*greedy()))
    lines = {
        "best of every step": of_greedy,
        "best linear in z_t-1, x_t": best_linear(np.eye(STEPS)),
        "best linear in z_t-1, x_1 .. x_t": best_linear(np.tri(STEPS)),
        "-log p(x)": mean_floor,
    }
    train, test = jnp.asarray(drawn(UPDATES * ROWS, 1)).reshape(UPDATES, ROWS, STEPS, 1), jnp.asarray(drawn(TESTED, 2))
    base = np.asarray(sampled(p, Kalman(smooth=False), test))
    curves = {}
    print("E F over sequences")
    for name, value in lines.items():
        print(f"  {name:32} {value:.4f}")
    for name, estimator in (("by step", FilteringEM()), ("through time", FilteringEM(through_time=True))):
        # the same sequences and noise as the greedy filter, whose mean is known exactly
        apart = [np.asarray(sampled(p, q, test)) - base for q in taught(iterative(), estimator, train)]
        curves[name] = [of_greedy + a.mean() for a in apart]
        error = apart[-1].std() / len(base) ** 0.5
        print(f"  {'AVF, ' + name:32} {curves[name][-1]:.4f} +- {error:.4f}")
    draw(path, steps, learned, optimum, floor, lines, curves)
    print(path)
    return 0


def draw(path: Path, steps, learned: float, optimum: float, floor: float, lines: dict, curves: dict) -> None:
    figure = new_figure(3.6)
    left, right = figure.subplots(1, 2)
    left.plot(ITERATIONS, steps, "o-", color=TRAIN, markersize=3, label="plain gradient steps, from the prior")
    left.plot([1], [learned], "D", color=VALID, label="AVF, one iteration, learned by step")
    left.set_xscale("symlog", linthresh=1)
    left.set_xticks((0, 1, 2, 4, 8, 16, 32, 64), ("0", "1", "2", "4", "8", "16", "32", "64"))
    left.minorticks_off()
    left.set_xlabel("iterations of inference a step")
    left.set_ylabel("free energy of a sequence, nats\n(lower is better)")
    left.set_title("one sequence", fontsize=9)
    mark(left, {"best of every step": optimum, "-log p(x)": floor})
    updates = np.arange(0, UPDATES + 1, EVERY)
    for (name, values), colour in zip(curves.items(), (TRAIN, VALID)):
        right.plot(updates, values, color=colour, label=f"AVF, one iteration, learned {name}")
    shown = {name: value for name, value in lines.items() if name.startswith("best")}
    right.set_ylim(min(shown.values()) - 0.015, max(shown.values()) + 0.045)
    right.set_xlabel("updates of q")
    right.set_title("mean over sequences of the system", fontsize=9)
    mark(right, shown)
    for axes in (left, right):
        axes.legend(loc="upper right", frameon=False, fontsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def mark(axes, lines: dict) -> None:
    """A thin line for each, with its name and value above it, and that of the lowest below."""
    for name, value in lines.items():
        axes.axhline(value, color=QUIET, linewidth=0.6, linestyle=":")
        lowest = value == min(lines.values())
        axes.annotate(
            f"{name.replace('z_t-1', '$z_{t-1}$').replace('x_t', '$x_t$').replace('x_1', '$x_1$')}  {value:.3f}",
            (0.01, value),
            xycoords=("axes fraction", "data"),
            fontsize=6.5,
            color=QUIET,
            va="top" if lowest else "bottom",
            xytext=(0, -2 if lowest else 1),
            textcoords="offset points",
        )


if __name__ == "__main__":
    sys.exit(main())
