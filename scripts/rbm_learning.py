"""Draws how an RBM learns by the estimators of Bachman and Precup 2015, section 5.4, where its likelihood can be
counted, docs/images/rbm-learning.png; prints the numbers.

    python scripts/rbm_learning.py [FILE] [--updates 20000] [--repeats 3]

Bars and stripes of 4 x 4 pixels, 12 hidden units: all 32 pictures (30 different ones) in every update, plain gradient
steps of one size or, where it falls, from that to 0 in a line.

KL(D || p) = sum_x D(x) log(D(x) / p(x)) in nats is exact, log Z being summed over all 4096 states of the hidden units;
0 would be the data's own law. Chains that persist are as many as the pictures; tempered, each has 10 temperatures.
"""

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

from counterpoint import counting
from counterpoint.bounds import TrajectoryKL
from counterpoint.core import Batch
from counterpoint.data import bars_and_stripes
from counterpoint.distributions import facts
from counterpoint.estimators import ContrastiveDivergenceConfig, MaximumLikelihood
from counterpoint.inference import Gibbs
from counterpoint.models import RBMConfig
from counterpoint.report.canvas import new_figure, save

UNITS, SCALE, RATE, MARKS, TEMPERATURES = 12, 0.1, 0.05, 100, 10


class Method(NamedTuple):
    estimator: Any
    sweeps: int
    colour: str
    falls: bool = False


def methods(rows: int) -> dict[str, Method]:
    cd = ContrastiveDivergenceConfig
    return {
        "CD-1": Method(cd(), 1, "#d95f02"),
        "CD-10": Method(cd(), 10, "#e6ab02"),
        "CD-1 with eq. 45": Method(cd(policy_gradient=True), 1, "#e7298a"),
        "persistent chains": Method(cd(rows), 1, "#1b9e77"),
        "persistent chains, falling step": Method(cd(rows), 1, "#7570b3", True),
        "parallel tempering": Method(cd(rows, temperatures=TEMPERATURES), 1, "#0b5fa5"),
        "parallel tempering, falling step": Method(cd(rows, temperatures=TEMPERATURES), 1, "#66a61e", True),
        "exact gradient": Method(MaximumLikelihood(), 1, "#222222"),
    }


def frames():
    """(32, 1, 16), what a recipe knows of them, and sum_x D(x) log D(x)."""
    corpus = bars_and_stripes()
    x = np.stack(corpus.train.x)
    share = np.unique(x, axis=0, return_counts=True)[1] / len(x)
    return jnp.asarray(x), facts(corpus.train.x, corpus.kind), float(share @ np.log(share))


@eqx.filter_jit
def divergence(p, x, negentropy):
    """KL(D || p)."""
    energy = jax.vmap(lambda x: p.free_energy(None, x))(x[:, 0])
    return negentropy + energy.mean() + counting.log_total(p)


def learned(method: Method, updates: int, repeats: int):
    """KL(D || p) (marks + 1, repeats)."""
    x, known, negentropy = frames()
    batch, q = Batch(x, jnp.ones(x.shape[:2], bool)), Gibbs(method.sweeps)
    begun = lambda key: RBMConfig(UNITS, SCALE).build(known, key)
    p = jax.vmap(begun)(random.split(random.key(0), repeats))
    estimator = method.estimator.build(begun(random.key(0)), known, random.key(2))

    def update(state, now):
        (p, memory), (key, rate) = state, now

        def loss(p):
            estimate, after = estimator(p, q, TrajectoryKL(), batch, key, memory, 0)
            return estimate.surrogate, after

        grad, memory = eqx.filter_grad(loss, has_aux=True)(p)
        return (jax.tree.map(lambda a, g: a - rate * g, p, grad), memory), None

    def run(state, keys, rates):
        return lax.scan(update, state, (keys, rates))[0]

    step = eqx.filter_jit(eqx.filter_vmap(run, in_axes=(eqx.if_array(0), 0, None)))
    rates = np.linspace(RATE, 0.0 if method.falls else RATE, updates, endpoint=False, dtype=np.float32)
    states = p, jax.tree.map(lambda a: jnp.broadcast_to(a, (repeats, *a.shape)), estimator.initial())
    measured = jax.vmap(lambda p: divergence(p, x, negentropy))
    found = [measured(p)]
    for mark in range(MARKS):
        keys = random.split(random.fold_in(random.key(1), mark), (repeats, updates // MARKS))
        states = step(states, keys, jnp.asarray(rates[mark * (updates // MARKS) :][: updates // MARKS]))
        found.append(measured(states[0]))
    return np.stack(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=Path("rbm-learning.png"), help="default: %(default)s")
    parser.add_argument("--updates", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if options.updates % MARKS:
        parser.error(f"--updates: give a multiple of {MARKS}")
    chosen = methods(len(frames()[0]))
    curves = {}
    print("| gradient | at the end | at best | after |\n|---|---|---|---|")
    for name, method in chosen.items():
        curves[name] = learned(method, options.updates, options.repeats)
        least, last = curves[name].min(0), curves[name][-1]
        at = curves[name].mean(1).argmin() * options.updates // MARKS
        print(
            f"| {name} | {last.mean():.3f} ± {last.std(ddof=1):.3f} | {least.mean():.3f} ± {least.std(ddof=1):.3f}"
            f" | {at} |",
            flush=True,
        )
    draw(options.file, curves, chosen, options.updates)
    print(options.file)


def draw(path: Path, curves: dict, chosen: dict[str, Method], updates: int) -> None:
    """The mean over repeats, and a thin line for each."""
    figure = new_figure(4.2)
    axes = figure.subplots()
    at = np.linspace(0, updates, MARKS + 1)
    for name, values in curves.items():
        colour = chosen[name].colour
        axes.plot(at, values, color=colour, linewidth=0.5, alpha=0.4)
        axes.plot(at, values.mean(1), color=colour, linewidth=1.8, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("updates")
    axes.set_ylabel("KL(data || model), nats, exact")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


if __name__ == "__main__":
    main()
