"""The report a run ends with: the table, the pictures, a sample, and what to type next."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jax import random
from rich.console import Console

from counterpoint.commands.measure import COLUMNS, axis, baselines, caption, measure, rows, spreads, summary
from counterpoint.commands.pictures import draw, keep, look, titled
from counterpoint.data import Corpus
from counterpoint.errors import CounterpointError
from counterpoint.evaluation import generate, reconstruct, side_of
from counterpoint.report import busy, counted, curves, table
from counterpoint.runs import EVALUATE, GENERATE, Run
from counterpoint.training import Fitted

REPLICATES = 4
STILLS = 12  # images in a row


def close(run: Run, corpus: Corpus, fitted: Fitted, console: Console) -> dict[str, Any]:
    """Measure and draw; gives back what results.json says, and the names of what was drawn as "files"."""
    name = title(run)
    with busy(console, "measuring the test set"):
        pairings = fitted.pairings
        times = 1 if pairings[0].bound.chain else REPLICATES  # chains are dear: once, as tables measure them
        members = measure(pairings, corpus.test, run.recipe.particles, run.key(EVALUATE), times)
        model = {bound: summary([member[bound] for member in members]) for bound in members[0]}
        others = baselines(run.recipe, corpus, run.key(EVALUATE))
        results = {name: model} | {
            other: {bound: summary([score]) for bound, score in scores.items()} for other, scores in others.items()
        }
        references = {f"{other} (test)": results[other]["exact"]["per_step"] for other in others}
    found = {
        "data": corpus.name,
        "split": "test",
        "units": caption(run.recipe.facts(corpus), {a["side"] for bounds in results.values() for a in bounds.values()}),
        "seeds": run.seeds,
        "validation": fitted.progress.best,
        "best_step": fitted.progress.best_step,
        "still_improving": improving(run, fitted),
        "seconds": fitted.progress.history[-1]["seconds"],
        "results": results,
    }
    run.write("results.json", found)
    found["files"] = []
    with busy(console, "drawing"):
        try:
            for path in pictures(run, corpus, fitted, references):
                found["files"].append(path.name)
        except CounterpointError as error:  # what was measured stands
            console.print(f"not all could be drawn: {error}", soft_wrap=True)
    return found


def title(run: Run) -> str:
    """What results.json calls the run's own pair."""
    return f"{run.recipe.p.name} + {run.recipe.q.name}"


def read_report(run: Run) -> dict[tuple[str, str], list[float]]:
    """Each repeat's numbers in results.json, by the label of the bound and the average."""
    bounds, found = run.read("results.json")["results"][title(run)], {}
    for label, known in bounds.items():
        for average in ("per_step", "per_sequence"):
            found[label, average] = known.get(f"{average}_members", [known[average]])
    return found


def tell(run: Run, corpus: Corpus, found: Mapping[str, Any], console: Console) -> None:
    """The table of results.json, where everything is, and what to type next."""
    shown = [row for model, results in found["results"].items() for row in rows(model, results)]
    console.print(
        table(
            shown,
            COLUMNS,
            f"{corpus.name}, test set: {counted(len(corpus.test), 'sequence')}",
            found["units"] + spreads(shown, run.repeats > 1),
        )
    )
    if ahead := behind(found["results"]):
        console.print(ahead)
    exact = all(bound["side"] == "exact" for bound in found["results"][title(run)].values())
    warming = 0 if exact else unwarmed(run)  # log p(x) has no KL
    if found["still_improving"] or warming:
        rising = f"the KL's weight still rises, for {counted(warming, 'epoch')} in all"
        why = rising if warming else "still improving when it stopped"
        more = f"counterpoint resume {run.folder} --epochs {2 * max(run.recipe.fit.epochs, warming)}"
        console.print(f"{why}; train further with:\n      {more}", soft_wrap=True)
    console.print(f"{run.folder}: {', '.join([*found['files'], 'results.json'])}", soft_wrap=True)
    console.print(
        f"next: counterpoint generate {run.folder}\n      counterpoint evaluate {run.folder} --csv scores.csv",
        soft_wrap=True,
    )


def behind(results: Mapping[str, Any]) -> str:
    """Which baselines are ahead of the model by all its bounds, where any is."""
    (model, bounds), *others = results.items()
    best = max(bound["per_step"] for bound in bounds.values())
    ahead = [other for other, scores in others if scores["exact"]["per_step"] > best]
    verb = "is" if len(ahead) == 1 else "are"
    said = f"{' and '.join(ahead)} {verb} ahead of {model} by each number; docs/choosing.md says what to try"
    return said if ahead else ""


def unwarmed(run: Run) -> int:
    """Epochs of the KL's warm-up, where training ended within it; otherwise 0."""
    progress, warmup = run.progress(), run.recipe.bound.build().warmup
    return math.ceil(warmup * progress.epoch / progress.step) if 0 < progress.step <= warmup else 0


def improving(run: Run, fitted: Fitted) -> bool:
    """Whether a repeat ran out of epochs with its best validation in the last twentieth of the steps, and not the only
    one."""
    progress = fitted.progress
    several = sum("valid" in row for row in progress.history) > 1
    return several and progress.epoch >= run.recipe.fit.epochs and max(progress.best_step) > 0.95 * progress.step


def pictures(run: Run, corpus: Corpus, fitted: Fitted, references: dict[str, float]) -> Iterator[Path]:
    """curves.png, sequences.png, the sample and what can be seen within the model, of the first repeat: each as it has
    been written. A sequence is shown where it has several steps; of still images, a row of them."""
    learned, beside = run.folder / "curves.png", run.folder / "sequences.png"
    pairing = fitted.pairings[0]
    curves(
        fitted.progress.history,
        learned,
        references,
        corpus.name if run.recipe.name == corpus.name else f"{run.recipe.name} on {corpus.name}",
        axis(run.recipe.facts(corpus), side_of(pairing.bound, pairing.p, pairing.q, corpus.test.observed is None)),
        fitted.progress.reports,
    )
    yield learned
    order, last = np.argsort(corpus.test.lengths, kind="stable"), len(corpus.test) - 1
    single, most = corpus.test.lengths.max() == 1, look(corpus).most or STILLS
    rows = order[np.linspace(0, last, min(most, last + 1)).astype(int)] if single else order[[len(order) // 2]]
    shown = corpus.test.take(rows)
    again = np.concatenate(reconstruct(pairing.p, pairing.q, shown, run.key(EVALUATE), samples=8))
    made = generate(pairing.p, random.fold_in(run.key(GENERATE), 0), len(shown.x[0]), len(rows), q=pairing.q)
    draw(
        corpus,
        {"data": np.concatenate(shown.x), "reconstruction": again, "generated": np.concatenate(made)},
        beside,
    )
    yield beside
    yield from keep(corpus, titled(made), run.folder / f"sample{look(corpus).suffix}")
    yield from look(corpus).inside(corpus, pairing, run.key(EVALUATE), run.folder)
