"""Images side by side: dictionaries (weights of hidden units) and strips of frames, as PNG, PDF or SVG by suffix."""

import math
import os
from collections.abc import Mapping, Sequence

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.report.canvas import WIDTH, mark, new_figure, save, thin

FRAMES = 12  # of a strip, at most


def image_grid(
    images: np.ndarray,
    path: str | os.PathLike,
    columns: int | None = None,
    titles: Sequence[str] | None = None,
    title: str | None = None,
) -> None:
    """Images (N, height, width) in rows of `columns`, one scale for all, with a bar that tells it. By default a row has
    10 or, where there are more than 100, as many as there are rows.

    Where any value is negative, colours diverge from white at 0 (red above, blue below); else 0 is black and the
    greatest value white. `titles` stand above the images, `title` above all. Raises CounterpointError for other
    shapes, NaN or infinity, more or fewer titles than images, and a path that cannot be written.
    """
    images = np.asarray(images, float)
    if columns is None:
        columns = max(10, math.ceil(math.sqrt(images.shape[0] if images.ndim else 0)))
    if images.ndim != 3 or 0 in images.shape or columns < 1:
        raise CounterpointError(
            f"a grid of {columns} columns of images of shape {images.shape}; give (count, height, width) and 1"
            " column or more"
        )
    if not np.isfinite(images).all():
        raise CounterpointError("images hold NaN or infinity; leave those out")
    if titles is not None and len(titles) != len(images):
        raise CounterpointError(f"{len(titles)} titles for {len(images)} images; give one for each")
    rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    most = float(np.abs(images).max()) or 1.0
    signed = bool((images < 0).any())
    names = [] if titles is None else [titles[i : i + columns] for i in range(0, len(images), columns)]
    colours = ("RdBu_r", -most, most) if signed else ("Greys_r", 0.0, most)
    _mosaic(rows, path, colours, names, title=title, bar=True)


def film_strip(
    sequences: Mapping[str, np.ndarray],
    path: str | os.PathLike,
    height: int,
    width: int,
    every: int | None = None,
    given: int = 0,
) -> None:
    """A row of frames for each sequence (title -> (T, height * width), row after row), 0 black and 1 white.

    Every `every`-th frame is shown, by default as many as make at most 12 columns; numbers above count frames from 1.
    NaN (missing) is drawn in a pale colour. A thin vertical line follows the `given` first frames. Raises
    CounterpointError for no sequences, other shapes, an `every` below 1, and a path that cannot be written.
    """
    arrays = {title: np.asarray(a, float) for title, a in sequences.items()}
    shapes = {title: a.shape for title, a in arrays.items()}
    if not arrays or any(len(s) != 2 or s[0] == 0 or s[1] != height * width for s in shapes.values()):
        raise CounterpointError(
            f"images of {height} x {width} pixels need arrays of shape (time, {height * width}); got {shapes or 'none'}"
        )
    longest = max(map(len, arrays.values()))
    every = math.ceil(longest / FRAMES) if every is None else every
    if every < 1:
        raise CounterpointError(f"every is {every}; give 1 for all frames")
    rows = [a[::every].reshape(-1, height, width) for a in arrays.values()]
    numbers = [str(t + 1) for t in range(0, longest, every)]
    _mosaic(rows, path, ("Greys_r", 0.0, 1.0), [numbers], sides=list(arrays), given=math.ceil(given / every))


def _mosaic(
    rows: Sequence[np.ndarray],
    path: str | os.PathLike,
    colours: tuple[str, float, float],
    names: Sequence[Sequence[str]],
    sides: Sequence[str] = (),
    title: str | None = None,
    bar: bool = False,
    given: int = 0,
) -> None:
    """Rows of images (n, height, width), with names above those of the first rows, `sides` before rows and a line after
    the `given` first columns.

    All are one picture in one pair of axes: some hundred axes would take many seconds to lay out.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import PatchCollection
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    columns = max(map(len, rows))
    height, width = rows[0].shape[1:]
    gap = max(1, round(width / 12))
    inch = columns * (width + gap) / (WIDTH - 1.0)  # image pixels that an inch of the page shows, about
    above = [max(gap, math.ceil(0.17 * inch)) if r < len(names) else gap for r in range(len(rows))]
    chart, low, high = colours
    scale = ScalarMappable(Normalize(low, high), colormaps[chart].with_extremes(bad="#f3e3cf"))
    canvas = np.ones((sum(above) + len(rows) * height, columns * (width + gap) - gap, 4))
    figure = new_figure(0.1 + 0.3 * bool(title) + len(canvas) / inch)
    axes = figure.add_subplot()
    frames, middles, top = [], [], 0
    for r, row in enumerate(rows):
        top += above[r]
        middles.append(top + height / 2 - 0.5)
        for c, image in enumerate(row):
            left = c * (width + gap)
            canvas[top : top + height, left : left + width] = scale.to_rgba(np.ma.masked_invalid(image))
            frames.append(Rectangle((left - 0.5, top - 0.5), width, height))
            if r < len(names):
                middle = left + width / 2 - 0.5
                axes.text(middle, top - 0.5 - 0.03 * inch, names[r][c], fontsize=7, ha="center", va="bottom")
        top += height
    axes.imshow(canvas, interpolation="nearest")
    axes.add_collection(PatchCollection(frames, facecolor="none", edgecolor="#bbbbbb", linewidth=0.5, clip_on=False))
    if given:
        mark(axes, given * (width + gap) - gap / 2 - 0.5)
    axes.set_xticks([])
    axes.set_yticks(middles if sides else [], sides or None)
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)
    if bar:
        legend = figure.colorbar(scale, ax=axes, aspect=30, pad=0.01)
        legend.ax.tick_params(labelsize=7)
        thin(legend)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    figure.draw_without_rendering()  # with square pixels the layout needs two passes, or long sides are cut off
    save(figure, path)
