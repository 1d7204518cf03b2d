"""Several runs in one figure: validation against updates, and against time."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from counterpoint.report.canvas import new_figure, save

SCALES = ((90.0, "seconds", 1.0), (5400.0, "minutes", 60.0), (float("inf"), "hours", 3600.0))


def rivals(histories: Mapping[str, Sequence[Mapping[str, Any]]], path: str | os.PathLike) -> None:
    """Mean validation bound over repeats, nats per step, of every run (title -> rows of its history, see `curves`, with
    "seconds"), against updates at the left and training time at the right; a dot where the mean is best.

    The steep first tenth of each is cut off. Raises CounterpointError where the file cannot be written.
    """
    from matplotlib import colormaps

    means = {name: np.array([np.mean(row["valid"]) for row in rows]) for name, rows in histories.items()}
    longest = max(rows[-1]["seconds"] for rows in histories.values())
    unit, scale = next((unit, scale) for limit, unit, scale in SCALES if longest < limit)
    figure = new_figure(4.2)
    panels: Any = figure.subplots(1, 2, sharey=True)
    colours = colormaps["viridis"](np.linspace(0.0, 0.85, len(histories)))
    for axes, key, by, label in zip(panels, ("step", "seconds"), (1.0, scale), ("updates", f"{unit} of training")):
        for (name, rows), colour in zip(histories.items(), colours):
            x, y = np.array([row[key] for row in rows]) / by, means[name]
            axes.plot(x, y, color=colour, linewidth=1.6, label=name)
            best = int(np.nanargmax(y))
            axes.plot(x[best], y[best], "o", color=colour, mec="white", mew=0.9, clip_on=False, zorder=4)
        axes.set_xlabel(label)
        axes.set_xlim(left=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
    panels[0].set_ylim(*_limits(means))
    panels[0].set_ylabel("validation bound,\nnats per step (higher is better)")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    save(figure, path)


def _limits(means: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """What each run does after its first tenth, and its best."""
    kept = np.concatenate([np.append(y[len(y) // 10 :], np.nanmax(y)) for y in means.values()])
    kept = kept[np.isfinite(kept)]
    margin = 0.05 * (kept.max() - kept.min()) or 0.5
    return float(kept.min() - margin), float(kept.max() + margin)
