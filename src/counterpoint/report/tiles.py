"""Piano rolls and other sequences as tiles, one above the other, as PNG, PDF or SVG by suffix."""

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.report.canvas import integers, mark, new_figure, save, thin


def panels(
    arrays: Mapping[str, np.ndarray],
    path: str | os.PathLike,
    ylabel: str = "dimension",
    seconds: float | None = None,
    limits: tuple[float, float] | None = None,
    ticks: Mapping[int, str] | None = None,
    offset: float = 0.0,
    given: int = 0,
) -> None:
    """Sequences (title -> array of shape (T, D)) stacked over one time axis, dark for high values.

    The axis counts steps, or seconds where one step lasts `seconds`. `limits` are the values drawn white and
    black (default: the least and the greatest in any panel, with a scale beside them). Row d is drawn at
    height `offset` + d, and `ticks` names heights. NaN (missing) is drawn in a pale colour that no value has. A thin
    vertical line follows the `given` first steps.

    Raises CounterpointError for no arrays, arrays that are not 2-D or have different D, or a path that cannot
    be written.
    """
    arrays = {name: np.asarray(a, dtype=float) for name, a in arrays.items()}
    shapes = {name: a.shape for name, a in arrays.items()}
    widths = {shape[1:] for shape in shapes.values()}
    if len(widths) != 1 or any(len(shape) != 2 or 0 in shape for shape in shapes.values()):
        raise CounterpointError(f"panels need arrays of shape (time, D), one D for all; got {shapes or 'none'}")
    (rows,) = widths.pop()
    seen = np.concatenate([a[np.isfinite(a)] for a in arrays.values()])
    low, high = limits or ((float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0))

    from matplotlib import colormaps

    colours = colormaps["Greys"].with_extremes(bad="#f3e3cf")
    figure = new_figure(0.7 + len(arrays) * min(2.6, max(1.3, 0.045 * rows + 0.5)))
    unit = seconds or 1.0
    span = max(len(a) for a in arrays.values()) * unit
    grid: Any = figure.subplots(len(arrays), 1, sharex=True, sharey=True, squeeze=False)
    for axes, (name, a) in zip(grid[:, 0], arrays.items()):
        image = axes.imshow(
            a.T,
            aspect="auto",
            origin="lower",
            interpolation="nearest",
            cmap=colours,
            vmin=low,
            vmax=high if high > low else low + 1.0,
            extent=(0, len(a) * unit, offset - 0.5, offset + rows - 0.5),
        )
        if len(a) * unit < span:  # where it ends, or silence could not be told from no more music
            axes.axvline(len(a) * unit, color="black", linewidth=0.8)
        if given:
            mark(axes, given * unit)
        axes.set_title(name, loc="left", fontsize=9, fontweight="bold", pad=3)
        axes.set_ylabel(ylabel, fontsize=8)
        axes.set_xlim(0, span)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        if ticks is None:
            axes.yaxis.set_major_locator(integers())
            continue
        axes.set_yticks(list(ticks), list(ticks.values()))
        for height in ticks:
            axes.axhline(height, color="#0b5fa5", linewidth=0.5, alpha=0.25)
    if limits is None:
        bar = figure.colorbar(image, ax=list(grid[:, 0]), aspect=40, pad=0.01)
        bar.ax.tick_params(labelsize=8)
        thin(bar)
    if seconds is None:
        grid[-1, 0].xaxis.set_major_locator(integers())
    grid[-1, 0].set_xlabel("time, seconds" if seconds else "time step", fontsize=8)
    save(figure, path)


def piano_rolls(
    rolls: Mapping[str, np.ndarray],
    path: str | os.PathLike,
    lowest: int = 21,
    seconds: float | None = None,
    given: int = 0,
) -> None:
    """Piano rolls (title -> array of shape (T, notes), 0/1 or probabilities) stacked over one time axis.

    Column i is MIDI note `lowest` + i; only the octaves in use are drawn (a probability of 0.02 is use), and
    every C is named, C4 being middle C (note 60). One step lasts `seconds`, where that is told; `given` as of
    `panels`. Raises what `panels` raises.
    """
    rolls = {name: np.asarray(roll, dtype=float) for name, roll in rolls.items()}
    used = [np.flatnonzero((roll >= 0.02).any(axis=0)) for roll in rolls.values() if roll.ndim == 2]
    notes = np.concatenate(used) + lowest if used else np.array([])
    low, high = (int(notes.min()) - 2, int(notes.max()) + 2) if len(notes) else (60, 72)
    first = max(lowest, low)
    cut = {name: roll[..., first - lowest : high - lowest + 1] for name, roll in rolls.items()}
    names = {note: f"C{note // 12 - 1}" for note in range(math.ceil(first / 12) * 12, high + 1, 12)}
    panels(cut, path, "note", seconds, limits=(0.0, 1.0), ticks=names, offset=first, given=given)
