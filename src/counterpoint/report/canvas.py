"""The sheet that every figure is drawn on, and how it becomes a file: PNG, PDF or SVG by suffix.

Matplotlib is imported on first use, and only its object interface: no global state, no display.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from counterpoint.errors import CounterpointError
from counterpoint.files import replacing

if TYPE_CHECKING:
    import matplotlib.figure

TRAIN, VALID, QUIET = "#8a8a8a", "#0b5fa5", "#555555"  # told apart by lightness too, for print
WIDTH, DPI = 8.0, 150  # inches, dots per inch: 1200 pixels wide


def new_figure(height: float) -> "matplotlib.figure.Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")


def thin(bar: Any) -> None:  # Matplotlib's stubs do not know a colour bar's outline
    """A thin frame around a colour bar."""
    bar.outline.set_linewidth(0.5)


def save(figure: "matplotlib.figure.Figure", path: str | os.PathLike) -> None:
    kind = Path(path).suffix.lstrip(".").lower() or "png"
    if kind not in figure.canvas.get_supported_filetypes():
        raise CounterpointError(f"cannot draw {path}: give a name that ends in .png, .pdf or .svg")
    with replacing(path) as file:
        figure.savefig(file, format=kind)
