"""counterpoint show: what a recipe or a run is made of."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse


@dataclass(frozen=True)
class Options:
    """Show p, q, bound and estimator in one line, then every setting beside the flag that sets it; of a run, also how
    far it has come."""

    what: Annotated[Positional[str], tyro.conf.arg(metavar="RECIPE|RUN", help_behavior_hint="")]
    """the name of a recipe, or the folder of a run"""


def run(words: list[str]) -> None:
    options = parse(Options, words, "counterpoint show", ["what"])
    from rich.console import Console

    from counterpoint.recipes import recipe, recipes
    from counterpoint.runs import is_run, open_run

    found = open_run(options.what) if is_run(options.what) else None
    shown = found.recipe if found else recipe(options.what)
    known = recipes().get(shown.name)
    # what a recipe says of itself, such as a published number, is of its own data
    about = shown.about if known and known.data == shown.data else ""
    rows: dict[str, Any] = {"--data": found.source if found else shown.data}
    if found:
        rows |= {"--seed": found.seed, "--repeats": found.repeats}
    for name in ("p", "q", "bound", "estimator", "fit"):
        rows |= settings(getattr(shown, name), f"--{name}.")
    rows["--particles"] = shown.particles
    width = max(map(len, rows))
    lines = ["", *(f"{flag:<{width}}  {value}" for flag, value in rows.items())]
    if found:
        lines += ["", *([f"begun with {found.program}"] if found.program else []), *state(found)]
    console = Console(highlight=False, markup=False)
    console.print(shown.line())
    if about:
        console.print(about)
    for line in lines:
        console.print(line, soft_wrap=True)


def settings(config: Any, prefix: str) -> dict[str, Any]:
    """Every setting of a configuration, by its flag."""
    rows: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value, flag = getattr(config, field.name), f"{prefix}{field.name.replace('_', '-')}"
        if not field.init:
            continue
        if dataclasses.is_dataclass(value):
            rows |= settings(value, f"{flag}.")
        else:
            rows[flag] = value
    return rows


def state(run: Any) -> list[str]:
    """How far a run came. Raises CounterpointError where its metrics.json or checkpoints are damaged."""
    from counterpoint.errors import CounterpointError

    progress, foretells = run.progress(), run.recipe.fit.select == "prediction"
    if not progress.step:
        return [f"no checkpoint yet; counterpoint resume {run.folder}"]
    if (run.folder / "metrics.json").exists():
        rows = run.read("metrics.json")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise CounterpointError(f"{run.folder / 'metrics.json'}: damaged; counterpoint resume writes it anew")
    best = ", ".join(f"{abs(value) if foretells else value:.3f}" for value in progress.best)
    return [
        f"saved at update {progress.step}, after {progress.epoch} of {run.recipe.fit.epochs} epochs",
        f"best validation {'error of prediction' if foretells else 'bound, nats per step'}: {best}"
        f" (seed {', '.join(map(str, run.seeds))})",
    ]
