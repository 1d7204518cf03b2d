"""Sequences of few numbers as lines, and of categories as marks, one above the other: PNG, PDF or SVG by suffix."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.report.canvas import VALID, integers, mark, new_figure, save

# one for each dimension, as many as lines in one panel can be told apart
COLOURS = (VALID, "#e69f00", "#009e73", "#cc79a7", "#222222", "#56b4e9", "#8c510a", "#9a9a9a")
FEW = len(COLOURS)


def lines(
    arrays: Mapping[str, np.ndarray],
    path: str | os.PathLike,
    seconds: float | None = None,
    given: int = 0,
    label: str = "value",
) -> None:
    """Sequences (title -> array of shape (T, D), D at most 8): a line for each dimension, one scale for all.

    The axis counts steps from 0, or seconds where one step lasts `seconds`; a thin vertical line follows the `given`
    first steps. NaN (missing) is a gap. Raises CounterpointError for no arrays, other shapes, different D, and a path
    that cannot be written.
    """
    arrays = {title: np.asarray(a, float) for title, a in arrays.items()}
    shapes = {title: a.shape for title, a in arrays.items()}
    widths = {shape[1:] for shape in shapes.values()}
    if len(widths) != 1 or any(len(s) != 2 or 0 in s or s[1] > FEW for s in shapes.values()):
        raise CounterpointError(f"lines need arrays of shape (time, D), one D for all, at most {FEW}; got {shapes}")
    ((count,),) = widths
    figure, unit = new_figure(0.7 + 0.3 * (count > 1) + 1.5 * len(arrays)), seconds or 1.0
    for axes, a in _stacked(figure, arrays, seconds, given):
        dot = min(4.0, max(2.0, 200 / len(a)))  # never without, for a step between two that are missing has no line
        for d, colour in enumerate(COLOURS[:count]):
            axes.plot(np.arange(len(a)) * unit, a[:, d], ".-", color=colour, linewidth=1.0, markersize=dot)
        axes.set_ylabel(label, fontsize=8)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    if count > 1:
        drawn = figure.axes[0].get_lines()[-count:]
        names = [f"dimension {d}" for d in range(count)]
        tight = {"frameon": False, "fontsize": 7, "handlelength": 1.2, "columnspacing": 1.2}
        figure.legend(drawn, names, loc="outside upper right", ncols=count, **tight)
    save(figure, path)


def categories(
    arrays: Mapping[str, np.ndarray], path: str | os.PathLike, seconds: float | None = None, given: int = 0
) -> None:
    """Sequences (title -> categories (T,), or their probabilities (T, n)): a mark at each step's category, or all in
    grey, black for 1. Axis and `given` as of `lines`. Raises CounterpointError for no arrays, other shapes, and a path
    that cannot be written.
    """
    arrays = {title: np.asarray(a) for title, a in arrays.items()}
    shapes = {title: a.shape for title, a in arrays.items()}
    if not arrays or any(len(s) not in (1, 2) or 0 in s for s in shapes.values()):
        raise CounterpointError(f"categories need arrays of shape (time,) or (time, n); got {shapes or 'none'}")
    count = max(1, *(a.shape[1] if a.ndim == 2 else int(np.nanmax(a)) + 1 for a in arrays.values()))
    figure, unit = new_figure(0.7 + len(arrays) * min(2.6, 1.1 + 0.03 * count)), seconds or 1.0
    for axes, a in _stacked(figure, arrays, seconds, given):
        ends = (np.arange(len(a) + 1) - 0.5) * unit
        if a.ndim == 2:
            extent = (ends[0], ends[-1], -0.5, a.shape[1] - 0.5)
            look = {"aspect": "auto", "origin": "lower", "cmap": "Greys", "vmin": 0.0, "vmax": 1.0}
            axes.imshow(a.T, interpolation="nearest", extent=extent, **look)
        else:
            axes.hlines(a, ends[:-1], ends[1:], color=VALID, linewidth=max(1.5, min(5.0, 60 / count)))
        axes.set_ylim(-0.5, count - 0.5)
        axes.set_ylabel("category", fontsize=8)
        axes.yaxis.set_major_locator(integers())
    save(figure, path)


def _stacked(figure: Any, arrays: Mapping[str, np.ndarray], seconds: float | None, given: int):
    """Axes and array of each sequence, one above the other, all with the same limits."""
    unit = seconds or 1.0
    grid: Any = figure.subplots(len(arrays), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, title in zip(grid, arrays):
        if given:
            mark(axes, (given - 0.5) * unit)
        axes.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=3)
        axes.set_xlim(-0.5 * unit, (max(map(len, arrays.values())) - 0.5) * unit)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
    if seconds is None:
        grid[-1].xaxis.set_major_locator(integers())
    grid[-1].set_xlabel("time, seconds" if seconds else "time step", fontsize=8)
    return zip(grid, arrays.values())
