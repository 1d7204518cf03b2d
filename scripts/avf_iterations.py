"""Draws docs/images/avf-iterations.png, the bound against the iterations of inference; prints the numbers.

    counterpoint reproduce avf --out FOLDER --corpora DIR
    python scripts/avf_iterations.py FOLDER [FOLDER ...] [--out FILE]

Each line is a posterior that was trained with some number of iterations, asked for others on the test set: with none it
is the prior, which is printed and not drawn. It takes what the folders have of the table's rows; the last of a recipe
counts.
"""

import dataclasses
import functools
import sys
from pathlib import Path

import jax
import numpy as np
from jax import random

from counterpoint.bounds import ELBO
from counterpoint.core import AbstractPosterior
from counterpoint.evaluation import evaluate
from counterpoint.inference import Prior
from counterpoint.recipes.ablations import NAME
from counterpoint.report.canvas import QUIET, VALID, new_figure, save
from counterpoint.runs import Run, open_run

USUAL = Path(__file__).resolve().parent.parent / "docs" / "images" / "avf-iterations.png"
TRAINED = {"-avf": "1", "-avf-2": "2", "-avf-4": "4", "-avf-8": "8"}
TRAINED |= {f"-avf-full{end}": f"{n}, reads the notes, 2 samples" for end, n in (("", 1), ("-2", 2), ("-4", 4))}
COLOURS = dict(zip(TRAINED, ("#a6c8e8", "#5b9bd5", VALID, "#08306b", "#fdae6b", "#f08a3c", "#b34700")))
ASKED = (0, 1, 2, 4, 8, 16)


def refined(run: Run, p, q, iterations: int) -> AbstractPosterior:
    """A learned posterior with another number of iterations, which share its weights."""
    if not iterations:
        return Prior()
    config = dataclasses.replace(run.recipe.q, iterations=iterations)
    made = config.build(p, run.recipe.facts(corpus_of(run)), random.key(0))
    return jax.tree.unflatten(jax.tree.structure(made), jax.tree.leaves(q))


@functools.cache
def corpus_of(run: Run):
    return run.corpus()


def bounds(run: Run, change=lambda p, q: q) -> np.ndarray:
    """The ELBO of every repeat, mean over test sequences of nats by steps."""
    corpus, found = corpus_of(run), []
    for one in run.best(corpus):
        scores = evaluate(one.p, change(one.p, one.q), corpus.test, {"ELBO": ELBO()}, random.key(1), replicates=1)
        found.append(scores["ELBO"].per_sequence)
    return np.array(found)


def main(words: list[str]) -> int:
    path = USUAL
    if "--out" in words:
        at = words.index("--out")
        path, words = Path(words[at + 1]), words[:at] + words[at + 2 :]
    runs = {
        found.parent.name: found.parent
        for folder in words
        for found in sorted(Path(folder).glob(f"{NAME}*-0*/results.json"))
    }
    opened = {run.recipe.name.removeprefix(NAME): run for run in map(open_run, runs.values())}
    lines = {suffix: opened[suffix] for suffix in TRAINED if suffix in opened}
    if not lines:
        print(f"no run of {NAME}-avf in {' '.join(words) or 'no folder'}: counterpoint reproduce avf --out FOLDER")
        return 2
    figure = new_figure(3.6)
    axes = figure.add_subplot()
    print(f"{'trained with':32}" + "".join(f"{n:>8}" for n in ASKED) + "   iterations, ELBO a step")
    ends = {}
    for suffix, run in lines.items():
        values = np.stack([bounds(run, lambda p, q, n=n, run=run: refined(run, p, q, n)) for n in ASKED])
        print(f"{TRAINED[suffix]:32}" + "".join(f"{a:8.2f}" for a in values.mean(1)), flush=True)
        means, spread = values.mean(1), values.std(1, ddof=min(1, values.shape[1] - 1))
        axes.errorbar(
            ASKED[1:],
            means[1:],
            spread[1:],
            color=COLOURS[suffix],
            marker="o",
            markersize=3,
            linewidth=1.2,
        )
        ends[suffix] = means[-1]
    low, high = axes.get_ylim()
    at = np.inf
    for suffix in sorted(ends, key=lambda suffix: -ends[suffix]):  # from the top, none on another
        at = min(ends[suffix], at - 0.05 * (high - low))
        axes.annotate(f"  {TRAINED[suffix]}", (ASKED[-1], at), fontsize=7, color=COLOURS[suffix], va="center")
    if "" in opened:
        direct = bounds(opened[""]).mean()
        print(f"{'direct filtering':32}{direct:8.2f}")
        axes.axhline(direct, color=QUIET, linewidth=0.8, linestyle=":")
        axes.annotate("direct filtering", (ASKED[-2], direct), fontsize=7, color=QUIET, va="bottom")
    axes.set_xscale("log", base=2)
    axes.set_xticks(ASKED[1:], [str(n) for n in ASKED[1:]])
    axes.set_xlim(0.9, 45)
    axes.set_xlabel("iterations of inference a step, on the test set")
    axes.set_ylabel("ELBO, nats per step\n(higher is better)")
    axes.set_title("at the right, the iterations that q was trained with", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
