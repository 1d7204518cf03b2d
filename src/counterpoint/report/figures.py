"""Training curves, as PNG, PDF or SVG by suffix."""

import math
import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.report.canvas import QUIET, TRAIN, VALID, integers, new_figure, save

if TYPE_CHECKING:
    import matplotlib.axes


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
    axes.xaxis.set_major_locator(integers())
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
    """Limits of the vertical axis: all but the low values of the first, steep tenth of training; of less than ten
    epochs those of the first, where they would take more than three quarters of the height.

    Every repeat's best value and every reference stay inside, however early the best came.
    """
    tenth = len(shown[0]) // 10
    low, high = _ends(shown, references, tenth)
    later = _ends(shown, references, 1)
    if not tenth and 0 < 4 * (later[1] - later[0]) < high - low:
        low, high = later
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + 1.5 * margin


def _ends(shown: list[np.ndarray], references: Mapping[str, float], first: int) -> tuple[float, float]:
    """The least and the greatest of all values from row `first` on, of each repeat's best and of the references."""
    parts = [np.array([*references.values()])]
    for values in shown:  # (epochs, R)
        parts += [values[first:].ravel(), np.fmax.reduce(values, axis=0)]
    kept = np.concatenate(parts)
    kept = kept[np.isfinite(kept)]
    return float(kept.min()), float(kept.max())
