"""counterpoint train --dry-run: how large, how long, without training."""

import time

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console

from counterpoint.data import Corpus
from counterpoint.data.batch import buckets, check_data, plan
from counterpoint.recipes import Recipe
from counterpoint.report import duration, table
from counterpoint.training.checkpoint import paths
from counterpoint.training.step import learner, make_step, split

TIMED = 3  # steps, after the one that compiles


def describe(recipe: Recipe, corpus: Corpus, seed: int, repeats: int) -> int:
    """Print the parts, the shapes of parameters, memory, and the measured time of an epoch."""
    console, config = Console(highlight=False, markup=False), recipe.fit
    seeds = [seed + i for i in range(repeats)]
    pairings = [recipe.build(recipe.facts(corpus), jax.random.key(s)) for s in seeds]
    for part in (corpus.train, corpus.valid, corpus.test):
        check_data(pairings[0].p, part)
    console.print(f"{recipe.name}  {recipe.line()}")
    console.print(f"{corpus.name}: {corpus.summary}")
    static = split(pairings[0])[1]
    groups = buckets(corpus.train, pairings[0].p, config.buckets)
    steps = plan(groups, config.batch_size, seeds, 0, config.crop, config.carry)
    optimiser = config.optimiser.build(len(steps) * config.epochs)
    carried, gaps = config.batch_size if config.carry else 0, corpus.train.observed is not None
    now = learner(pairings, optimiser, carried, gaps)

    rows = [
        {"parameter": name, "shape": " x ".join(map(str, a.shape)) or "scalar", "count": int(a.size)}
        for name, a in paths(split(pairings[0])[0]).items()
    ]
    counts = {voice: sum(r["count"] for r in rows if r["parameter"].split(".")[0] == voice) for voice in "pq"}
    counts["other"] = sum(r["count"] for r in rows) - sum(counts.values())
    console.print("parameters: " + ", ".join(f"{v} in {k}" for k, v in counts.items() if v))

    weights, state = nbytes(now.params), nbytes(now.optimiser)
    batch = max(min(g.x.shape[1], config.crop or g.x.shape[1]) for g in groups) * config.batch_size
    batch *= int(np.prod(corpus.train.event, dtype=int)) * groups[0].x.dtype.itemsize * repeats
    data = sum(nbytes((g.x, g.lengths, g.observed)) for g in groups)
    total = 2 * weights + state + batch + data
    step = jax.jit(make_step(static, optimiser, repeats, config.crop), donate_argnums=0)
    called = lambda portion: (portion.rows, jnp.int32(portion.start))
    epoch = compiling = 0.0
    scratch = 0  # what the largest update keeps for its gradient, as its compiled program says
    for number, group in enumerate(groups):
        mine = [portion for portion in steps if portion.bucket == number]
        fixed, ready = (
            (jnp.asarray(seeds, jnp.uint32), jnp.int32(0), group._replace(index=None)),
            np.ones(repeats, bool),
        )
        start = time.perf_counter()
        program = step.lower(now, ready, *called(mine[0]), *fixed).compile()
        compiling += time.perf_counter() - start
        analysis = program.memory_analysis()
        scratch = max(scratch, analysis.temp_size_in_bytes if analysis else 0)
        times = []
        for i in range(TIMED):
            start = time.perf_counter()
            now, outcome = program(now, ready, *called(mine[i % len(mine)]), *fixed)
            jax.block_until_ready(outcome)
            times.append(time.perf_counter() - start)
        epoch += min(times) * len(mine)
    console.print(
        f"memory: {mega(total + scratch)} (parameters {mega(weights)}, a copy of the best {mega(weights)}, optimiser"
        f" {mega(state)}, largest batch {mega(batch)}, data {mega(data)}, what an update keeps for its gradient"
        f" {mega(scratch)}), besides JAX itself"
    )
    most = duration(epoch * config.epochs)
    console.print(
        f"an epoch: {len(steps)} updates, {duration(epoch)}; at most {config.epochs} epochs, {most}, after"
        f" {duration(compiling)} of compiling; validation and report come on top"
    )
    console.print("nothing was written; the parameters are")
    console.print(table(rows, ("parameter", "shape", "count")))
    return 0


def nbytes(tree) -> int:
    return sum(a.nbytes for a in jax.tree.leaves(tree))


def mega(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
