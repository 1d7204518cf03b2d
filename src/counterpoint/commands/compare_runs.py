"""counterpoint compare runs: how fast each learned, by updates and by the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError

COLUMNS = ("run", "best", "at update", "after", "took")


@dataclass(frozen=True)
class Options:
    """Compare runs on the same data by their validation, as it went on with updates and with the clock.

    What is compared is the bound that each was trained on, in nats per step, higher is better: lower bounds of
    different tightness differ for that alone. Time is that of training with its validations, on whatever machine and
    beside whatever else it ran.
    """

    runs: Annotated[Positional[tuple[str, ...]], tyro.conf.arg(metavar="RUN ...", help_behavior_hint="")]
    """the folders of runs"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """draw both curves: a .png, .pdf or .svg"""


def run(words: list[str]) -> None:
    options = parse(Options, words, "counterpoint compare runs", ["runs"])
    from rich.console import Console

    from counterpoint.report import table
    from counterpoint.report.rivals import rivals
    from counterpoint.runs import open_run

    found = named([open_run(folder) for folder in options.runs])
    histories = {name: validated(one) for name, one in found.items()}
    console = Console(highlight=False, markup=False)
    console.print(
        table(
            [line(name, histories[name]) for name in found],
            COLUMNS,
            "Validation bound, nats per step",
            whole=COLUMNS,
        )
    )
    many = max(len(row["valid"]) for rows in histories.values() for row in rows)
    if many > 1:
        console.print("± is the standard deviation over repeats; where and when are means over them.", soft_wrap=True)
    if options.out is not None:
        rivals(histories, options.out)
        console.print(f"{options.out}", soft_wrap=True)


def named(runs: Sequence[Any]) -> dict[str, Any]:
    """Each by the name of its folder. Raises CounterpointError for other data and for two of one name."""
    first, found = runs[0], {}
    for one in runs:
        if one.digest != first.digest:
            raise CounterpointError(
                f"{first.folder} and {one.folder} were trained on different data; their bounds cannot be compared"
            )
        folder = one.folder.resolve()
        if folder in (other.folder.resolve() for other in found.values()):
            raise CounterpointError(f"{one.folder} is named twice")
        name = folder.name if folder.name not in found else f"{folder.parent.name}/{folder.name}"
        while name in found:
            name += "'"
        found[name] = one
    return found


def validated(one: Any) -> list[dict]:
    """The rows of its history that have a validation. Raises CounterpointError where there is none."""
    rows = [row for row in one.progress().history if "valid" in row]
    if not rows:
        raise CounterpointError(f"{one.folder} has no validation yet; counterpoint resume {one.folder}")
    return rows


def line(name: str, rows: Sequence[dict]) -> dict[str, Any]:
    """What a table says of a run: where each repeat had its best validation, and when."""
    import numpy as np

    from counterpoint.report import duration

    values = np.array([row["valid"] for row in rows], float)
    at = np.nanargmax(values, axis=0)
    steps, seconds = (np.array([row[key] for row in rows], float)[at].mean() for key in ("step", "seconds"))
    best = np.nanmax(values, axis=0)
    plus = f" ± {best.std(ddof=1):.3f}" if len(best) > 1 else ""
    return {
        "run": name,
        "best": f"{best.mean():.3f}{plus}",
        "at update": round(steps),
        "after": duration(seconds),
        "took": duration(rows[-1]["seconds"]),
    }
