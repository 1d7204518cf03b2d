"""Draws the bound against the iterations of inference, docs/images/avf-iterations.png; prints the numbers.

    counterpoint reproduce avf --out FOLDER --corpora DIR
    python scripts/avf_iterations.py FOLDER [FOLDER ...] [--out FILE]

Each line is a posterior that was trained with some number of iterations, asked for others on the test set: with none it
is the prior, which is printed and not drawn. It takes what the folders have of the table's rows; the last of a recipe
counts. FILE is avf-iterations.png in the first folder where none is named.
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


def draw(found: dict[str, np.ndarray], direct: float | None, path: Path) -> None:
    """Bounds (iterations asked for, repeats) of each posterior, and that of direct filtering."""
    figure = new_figure(3.6)
    axes = figure.add_subplot()
    for suffix, values in found.items():
        means, spread = values.mean(1)[1:], values.std(1, ddof=min(1, values.shape[1] - 1))[1:]
        look = {"color": COLOURS[suffix], "marker": "o", "markersize": 3, "linewidth": 1.2}
        axes.errorbar(ASKED[1:], means, spread, **look)
    ends = [(float(values[-1].mean()), TRAINED[suffix], COLOURS[suffix]) for suffix, values in found.items()]
    if direct is not None:
        axes.plot((ASKED[1], ASKED[-1]), (direct, direct), color=QUIET, linewidth=0.8, linestyle=":")
        ends.append((direct, "direct filtering", QUIET))
    low, high = axes.get_ylim()
    at = np.inf
    for end, label, colour in sorted(ends, reverse=True):  # from the top, none on another, right of all lines
        at = min(end, at - 0.05 * (high - low))
        axes.annotate(f"  {label}", (ASKED[-1], at), fontsize=7, color=colour, va="center")
    axes.set_xscale("log", base=2)
    axes.set_xticks(ASKED[1:], [str(n) for n in ASKED[1:]])
    axes.set_xlim(0.9, 45)
    axes.set_xlabel("iterations of inference a step, on the test set")
    axes.set_ylabel("ELBO, nats per step\n(higher is better)")
    axes.set_title("at the right, the iterations that q was trained with", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def main(words: list[str]) -> int:
    path = None
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
    print(f"{'trained with':32}" + "".join(f"{n:>8}" for n in ASKED) + "   iterations, ELBO a step")
    found, direct = {}, None
    for suffix, run in lines.items():
        values = np.stack([bounds(run, lambda p, q, n=n, run=run: refined(run, p, q, n)) for n in ASKED])
        print(f"{TRAINED[suffix]:32}" + "".join(f"{a:8.2f}" for a in values.mean(1)), flush=True)
        found[suffix] = values
    if "" in opened:
        direct = float(bounds(opened[""]).mean())
        print(f"{'direct filtering':32}{direct:8.2f}")
    path = path or Path(words[0]) / "avf-iterations.png"
    draw(found, direct, path)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
