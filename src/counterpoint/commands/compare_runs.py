"""counterpoint compare runs: how fast each learned, by updates and by the clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError
from counterpoint.report.rivals import Course

COLUMNS = ("run", "seeds", "best", "at update", "after")
TITLES = {"valid": "Validation bound, nats per step, higher is better", "error": "Validation error of prediction"}


@dataclass(frozen=True)
class Options:
    """Compare runs on the same data by their validation, against updates and against time.

    The validation of a run is the bound that it was trained on, in nats per step, higher is better; bounds of
    different tightness differ for that reason alone. If every run was selected by prediction (--fit.select), it is the
    error of prediction, lower is better. Time is that of training and validation on the machine that it ran on;
    several seeds in one program take longer than one.
    """

    runs: Annotated[Positional[tuple[str, ...]], tyro.conf.arg(metavar="RUN RUN2 ...", help_behavior_hint="")]
    """the folders of runs"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """draw both curves: a .png, .pdf or .svg"""


def run(words: list[str]) -> None:
    options = parse(Options, words, "counterpoint compare runs", ["runs"])
    if len(options.runs) < 2:
        raise CounterpointError(f"{' '.join(options.runs)} is one run; name another to compare it with")
    from rich.console import Console

    from counterpoint.report import table
    from counterpoint.report.rivals import rivals
    from counterpoint.runs import open_run

    found = named([open_run(folder) for folder in options.runs])
    histories = {name: one.progress().history for name, one in found.items()}
    errors = all("error" in row for rows in histories.values() for row in rows if "valid" in row)
    key = "error" if errors else "valid"
    courses = {name: course(found[name], histories[name], key) for name in found}
    if options.out is not None:
        rivals(courses, TITLES[key], options.out)
    console = Console(highlight=False, markup=False)
    console.print(table([line(name, one) for name, one in courses.items()], COLUMNS, TITLES[key], whole=COLUMNS[1:]))
    console.print("± is the standard deviation over seeds; update and time are means over them.", soft_wrap=True)
    if options.out is not None:
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


def course(one: Any, history: Sequence[Mapping], key: str) -> Course:
    """How its validation went. Raises CounterpointError where a repeat has none that is a number."""
    rows = [row for row in history if key in row]
    values = np.array([row[key] for row in rows], float)
    if not rows or not np.isfinite(values).any(0).all():
        raise CounterpointError(f"{one.folder} has no validation yet; counterpoint resume {one.folder}")
    steps, seconds = (np.array([row[name] for row in rows], float) for name in ("step", "seconds"))
    return Course(steps, seconds, values, np.nanargmin(values, 0) if key == "error" else np.nanargmax(values, 0))


def line(name: str, course: Course) -> dict[str, Any]:
    """What a table says of a run."""
    from counterpoint.report import duration

    best = course.best
    plus = f" ± {best.std(ddof=1):.3f}" if len(best) > 1 else ""
    return {
        "run": name,
        "seeds": len(best),
        "best": f"{best.mean():.3f}{plus}",
        "at update": round(course.at(course.steps)),
        "after": duration(course.at(course.seconds)),
    }
