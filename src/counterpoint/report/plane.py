"""Points of a plane: PNG, PDF or SVG by suffix."""

import os
from collections.abc import Mapping

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.report.canvas import VALID, WIDTH, new_figure, save


def points(arrays: Mapping[str, np.ndarray], path: str | os.PathLike) -> None:
    """Points (title -> array of shape (N, 2)) in panels side by side, of one scale and as wide as high.

    NaN (missing) is not drawn. Raises CounterpointError for no arrays, other shapes, and a path that cannot be written.
    """
    arrays = {title: np.asarray(a, float) for title, a in arrays.items()}
    shapes = {title: a.shape for title, a in arrays.items()}
    if not arrays or any(len(s) != 2 or s[1] != 2 or 0 in s for s in shapes.values()):
        raise CounterpointError(f"points need arrays of shape (points, 2); got {shapes or 'none'}")
    reach = np.nanmax(np.abs(np.concatenate([*arrays.values(), np.full((1, 2), 1e-9)])))
    figure = new_figure(min(WIDTH / 2, WIDTH / len(arrays) + 0.4))
    grid = figure.subplots(1, len(arrays), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (title, a) in zip(grid, arrays.items()):
        axes.scatter(*a.T, s=max(2.0, 60 / len(a)), color=VALID, linewidths=0)
        axes.set(xlim=(-1.05 * reach, 1.05 * reach), ylim=(-1.05 * reach, 1.05 * reach), aspect="equal")
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)
