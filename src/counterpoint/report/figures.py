"""Figures: training curves, piano rolls and other sequences side by side, as PNG, PDF or SVG by suffix.

Matplotlib is imported on first use, and only its object interface: no global state, no display.
"""

import math
import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.report.canvas import QUIET, TRAIN, VALID, new_figure, save, thin

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure
    import matplotlib.ticker


def curves(
    history: Sequence[Mapping[str, Any]],
    path: str | os.PathLike,
    references: Mapping[str, float] | None = None,
    title: str | None = None,
    what: str = "bound on log-likelihood",
    reports: str = "",
) -> None:
    """Training and validation bound, nats per step, against epoch; `what` says of what it is one, and `reports` what
    training shows where that is another number.

    `history` holds rows {"epoch": int, "step": int, "train": [R], "valid": [R]} with one value per repeat;
    either list may be absent or None, and None or NaN stands for one absent value. Each repeat is a thin
    line, their mean a thick one, each repeat's best validation epoch a dot: by "error", where rows have it.
    `references` names horizontal lines (baselines, published numbers), in nats per step.

    Raises CounterpointError where no row has a number, or the file cannot be written.
    """
    figure = new_figure(4.5)
    axes = figure.add_subplot()
    epochs = np.array([row["epoch"] for row in history], dtype=float)
    shown = []
    names = {"train": f"training ({reports})" if reports else "training", "valid": "validation"}
    for key, colour in (("train", TRAIN), ("valid", VALID)):
        values = _members(history, key)  # (epochs, R)
        if np.isfinite(values).any():
            shown.append(values)
            _bundle(axes, epochs, values, colour, names[key])
            if key == "valid":
                errors = _members(history, "error")
                _best(axes, epochs, values, -errors if np.isfinite(errors).any() else values)
    if not shown:
        raise CounterpointError("no bound to draw: no row of the history has a number under 'train' or 'valid'")
    low, high = _range(shown, references or {})
    axes.set_ylim(low, high)
    _label(axes, references or {}, low, high)
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"{what},\nnats per step (higher is better)")
    axes.xaxis.set_major_locator(_integers())
    # Above the axes, where no curve can run through it.
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    save(figure, path)


def _members(history: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    """(epochs, R) of one column, NaN where absent."""
    rows = [row.get(key) for row in history]
    repeats = max((len(row) for row in rows if row is not None), default=0)
    values = np.full((len(rows), repeats), np.nan)
    for i, row in enumerate(rows):
        if row is not None:
            values[i, : len(row)] = [np.nan if v is None else v for v in row]
    values[~np.isfinite(values)] = np.nan  # a diverged member is a gap, not a broken axis
    return values


def _bundle(axes: "matplotlib.axes.Axes", epochs: np.ndarray, values: np.ndarray, colour: str, label: str) -> None:
    import warnings

    repeats = values.shape[1]
    for member in values.T:
        seen = np.isfinite(member)  # validation may skip epochs; the line goes on through them
        if repeats > 1:
            axes.plot(epochs[seen], member[seen], color=colour, linewidth=0.6, alpha=0.45, zorder=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows without a number give NaN, which is meant
        mean = np.nanmean(values, axis=1)
    seen = np.isfinite(mean)
    label += f", mean of {repeats}" if repeats > 1 else ""
    axes.plot(epochs[seen], mean[seen], color=colour, linewidth=2.0, label=label, zorder=3)


def _best(axes: "matplotlib.axes.Axes", epochs: np.ndarray, values: np.ndarray, judged: np.ndarray) -> None:
    """A dot where each repeat was best by `judged`, higher is better."""
    members = [(m, by) for m, by in zip(values.T, judged.T) if np.isfinite(by).any()]
    best = [int(np.nanargmax(by)) for _, by in members]
    heights = [m[i] for (m, _), i in zip(members, best)]
    label = "best validation" + (" of each" if values.shape[1] > 1 else "")
    dot = {"color": VALID, "markersize": 6, "mec": "white", "mew": 0.9, "clip_on": False, "zorder": 4}
    axes.plot(epochs[best], heights, "o", label=label, **dot)


def _label(axes: "matplotlib.axes.Axes", references: Mapping[str, float], low: float, high: float) -> None:
    """Horizontal lines with their names in the right margin, moved apart where they would overlap."""
    floor = -math.inf
    for name, value in sorted(references.items(), key=lambda item: item[1]):
        axes.axhline(value, color=QUIET, linewidth=0.9, linestyle=(0, (5, 3)), zorder=1)
        lines = textwrap.wrap(name, 20)
        height = 0.04 * (len(lines) + 1) * (high - low)
        floor = max(value, floor + height)
        text = "\n".join([*lines, f"{value:.2f}".replace("-", "−")])
        axes.annotate(
            text,
            (1, value),
            (1.015, floor),
            xycoords=axes.get_yaxis_transform(),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
            color=QUIET,
            annotation_clip=False,
        )


def _range(shown: list[np.ndarray], references: Mapping[str, float]) -> tuple[float, float]:
    """Limits of the vertical axis: all but the low values of the first, steep tenth of training.

    Every repeat's best value and every reference stay inside, however early the best came.
    """
    parts = [np.array([*references.values()])]
    for values in shown:  # (epochs, R)
        parts += [values[len(values) // 10 :].ravel(), np.fmax.reduce(values, axis=0)]
    kept = np.concatenate(parts)
    kept = kept[np.isfinite(kept)]
    low, high = float(kept.min()), float(kept.max())
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + 1.5 * margin


def panels(
    arrays: Mapping[str, np.ndarray],
    path: str | os.PathLike,
    ylabel: str = "dimension",
    seconds: float | None = None,
    limits: tuple[float, float] | None = None,
    ticks: Mapping[int, str] | None = None,
    offset: float = 0.0,
) -> None:
    """Sequences (title -> array of shape (T, D)) stacked over one time axis, dark for high values.

    The axis counts steps, or seconds where one step lasts `seconds`. `limits` are the values drawn white and
    black (default: the least and the greatest in any panel, with a scale beside them). Row d is drawn at
    height `offset` + d, and `ticks` names heights. NaN (missing) is drawn in a pale colour that no value has.

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
        axes.set_title(name, loc="left", fontsize=9, fontweight="bold", pad=3)
        axes.set_ylabel(ylabel, fontsize=8)
        axes.set_xlim(0, span)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        if ticks is None:
            axes.yaxis.set_major_locator(_integers())
            continue
        axes.set_yticks(list(ticks), list(ticks.values()))
        for height in ticks:
            axes.axhline(height, color="#0b5fa5", linewidth=0.5, alpha=0.25)
    if limits is None:
        bar = figure.colorbar(image, ax=list(grid[:, 0]), aspect=40, pad=0.01)
        bar.ax.tick_params(labelsize=8)
        thin(bar)
    if seconds is None:
        grid[-1, 0].xaxis.set_major_locator(_integers())
    grid[-1, 0].set_xlabel("time, seconds" if seconds else "time step", fontsize=8)
    save(figure, path)


def piano_rolls(
    rolls: Mapping[str, np.ndarray],
    path: str | os.PathLike,
    lowest: int = 21,
    seconds: float | None = None,
) -> None:
    """Piano rolls (title -> array of shape (T, notes), 0/1 or probabilities) stacked over one time axis.

    Column i is MIDI note `lowest` + i; only the octaves in use are drawn (a probability of 0.02 is use), and
    every C is named, C4 being middle C (note 60). One step lasts `seconds`, where given. Raises what `panels`
    raises.
    """
    rolls = {name: np.asarray(roll, dtype=float) for name, roll in rolls.items()}
    used = [np.flatnonzero((roll >= 0.02).any(axis=0)) for roll in rolls.values() if roll.ndim == 2]
    notes = np.concatenate(used) + lowest if used else np.array([])
    low, high = (int(notes.min()) - 2, int(notes.max()) + 2) if len(notes) else (60, 72)
    first = max(lowest, low)
    cut = {name: roll[..., first - lowest : high - lowest + 1] for name, roll in rolls.items()}
    names = {note: f"C{note // 12 - 1}" for note in range(math.ceil(first / 12) * 12, high + 1, 12)}
    panels(cut, path, "note", seconds, limits=(0.0, 1.0), ticks=names, offset=first)


def _integers() -> "matplotlib.ticker.Locator":
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10])
