"""How a pair learned by different estimators: rows for the terminal and for Markdown, JSON, and a figure."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from counterpoint.evaluation.learning import Learned
from counterpoint.files import replacing
from counterpoint.report.markdown import markdown_table
from counterpoint.report.rivals import Course, rivals

COLUMNS = ("estimator", "at the end", "at best", "after", "ms")


class Lesson(NamedTuple):
    """What was measured, what the numbers are, and how each learned."""

    what: str
    about: str
    learned: Mapping[str, Learned]


def about(what: str, sequences: int, updates: int, rule: str) -> str:
    """What the numbers are."""
    return (
        f"{what}: of the batch of {sequences} sequences, after {updates} updates by {rule} of all of it, from the same"
        " parameters; after: the updates until it was best; ms: of one update."
    )


def lines(learned: Mapping[str, Learned]) -> list[dict[str, str]]:
    """One row for each estimator."""
    rows = []
    for name, found in learned.items():
        best = best_of(found)
        cells = name, f"{found.values[-1]:.3f}", f"{found.values[best]:.3f}", str(found.steps[best])
        rows.append(dict(zip(COLUMNS, (*cells, f"{1000 * found.seconds[-1] / found.steps[-1]:.2f}"), strict=True)))
    return rows


def best_of(found: Learned) -> int:
    """Which mark was best; one that is no number was not."""
    return int(np.where(np.isfinite(found.values), found.values, -np.inf).argmax())


def write(folder: Path, title: str, lesson: Lesson, command: str) -> list[Path]:
    """learning.json, learning.md and learning.png in a folder, which is made where it is not there."""
    places = [folder / f"learning.{kind}" for kind in ("json", "md", "png")]
    courses: dict[str, Any] = {
        name: {key: value.tolist() for key, value in found._asdict().items()} for name, found in lesson.learned.items()
    }
    plain = {"command": command, "title": title, "what": lesson.what, "learned": courses}
    with replacing(places[0]) as file:
        file.write((json.dumps(plain, indent=1) + "\n").encode())
    rows = markdown_table(COLUMNS, (row.values() for row in lines(lesson.learned)), "lrrrr")
    page = [f"# {title}", f"    {command}", lesson.about, rows, "![By updates and by time](learning.png)"]
    with replacing(places[1]) as file:
        file.write(("\n\n".join(page) + "\n").encode())
    shown = {
        name: Course(found.steps, found.seconds, found.values[:, None], np.array([best_of(found)]))
        for name, found in lesson.learned.items()
    }
    rivals(shown, lesson.what, places[2])
    return places
