"""The sheet that every figure is drawn on, and how it becomes a file: PNG, PDF or SVG by suffix.

Matplotlib is imported on first use, and only its object interface: no global state, no display.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from counterpoint.errors import CounterpointError
from counterpoint.files import replacing

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure
    import matplotlib.ticker

TRAIN, VALID, QUIET = "#8a8a8a", "#0b5fa5", "#555555"  # told apart by lightness too, for print
GIVEN = "#d01030"  # where what was given ends and what a model made begins; no other colour of a picture is near
WIDTH, DPI = 8.0, 150  # inches, dots per inch: 1200 pixels wide


def new_figure(height: float) -> "matplotlib.figure.Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")


def thin(bar: Any) -> None:  # Matplotlib's stubs do not know a colour bar's outline
    """A thin frame around a colour bar."""
    bar.outline.set_linewidth(0.5)


def mark(axes: "matplotlib.axes.Axes", x: float) -> None:
    """A thin vertical line where what was given ends."""
    axes.axvline(x, color=GIVEN, linewidth=1.0, clip_on=False)


def integers() -> "matplotlib.ticker.Locator":
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10])


def save(figure: "matplotlib.figure.Figure", path: str | os.PathLike) -> None:
    kind = Path(path).suffix.lstrip(".").lower() or "png"
    if kind not in figure.canvas.get_supported_filetypes():
        raise CounterpointError(f"cannot draw {path}: give a name that ends in .png, .pdf or .svg")
    with replacing(path) as file:
        figure.savefig(file, format=kind)


def years(times: Sequence[str]) -> list[int]:
    """Steps to name: round years where times are whole numbers, else some eight of equal distance."""
    if all(time.isdecimal() for time in times):
        known = [int(time) for time in times]
        apart = next((n for n in (1, 2, 5, 10, 20, 25, 50, 100) if (known[-1] - known[0]) / n <= 10), 500)
        return [t for t, year in enumerate(known) if year % apart == 0] or [0]
    return list(range(0, len(times), max(1, len(times) // 8)))
