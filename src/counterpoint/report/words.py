"""Which words come and go in sequences of counts, one above the other: PNG, PDF or SVG by suffix."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.report.canvas import mark, new_figure, save, years

SHOWN = 20  # words


def word_figure(
    counts: Mapping[str, np.ndarray],
    vocabulary: Sequence[str],
    times: Sequence[str],
    path: str | os.PathLike,
    given: int = 0,
) -> None:
    """s_tm = x_tm / sum_m x_tm, the share of step t that word m has, as tiles: black where it is greatest of all

    Sequences (title -> counts or probabilities (T, M)) of M words, with one choice of at most SHOWN of them for all:
    those with the greatest sum_t n_t (s_tm - s_m)^2 / s_m, the statistic of a chi-square test that the share is s_m,
    that of all steps, at each. They stand in the order of the mean time of their share, the earliest on top. Times name
    steps, from the first on (too few: steps from 0); a thin vertical line follows the `given` first steps.

    Raises CounterpointError for no sequences, other shapes, numbers below 0 or not finite, and a path that cannot be
    written.
    """
    arrays = {title: np.asarray(a, float) for title, a in counts.items()}
    shapes = {title: a.shape for title, a in arrays.items()}
    if not arrays or any(len(s) != 2 or 0 in s or s[1] != len(vocabulary) for s in shapes.values()):
        raise CounterpointError(f"word_figure needs counts of shape (time, {len(vocabulary)} words); got {shapes}")
    if not all(np.isfinite(a).all() and (a >= 0).all() for a in arrays.values()):
        raise CounterpointError("word_figure needs counts of at least 0: there are others, or NaN")
    every = np.concatenate(list(arrays.values()))
    total = every.sum(1, keepdims=True)
    share, mean = every / np.maximum(total, 1e-9), every.sum(0) / max(every.sum(), 1e-9)
    told = (total * (share - mean) ** 2).sum(0) / np.maximum(mean, 1e-12)
    chosen = np.argsort(-told, kind="stable")[:SHOWN]
    when = np.concatenate([np.arange(len(a)) for a in arrays.values()])
    weight = share[:, chosen]
    chosen = chosen[np.argsort(when @ weight / np.maximum(weight.sum(0), 1e-12), kind="stable")]

    figure = new_figure(0.7 + len(arrays) * (0.4 + 0.15 * len(chosen)))
    grid: Any = figure.subplots(len(arrays), 1, squeeze=False)[:, 0]
    shares = [a[:, chosen] / np.maximum(a.sum(1, keepdims=True), 1e-9) for a in arrays.values()]
    greatest = np.maximum(np.concatenate(shares).max(0)[:, None], 1e-12)
    for axes, title, a, share in zip(grid, arrays, arrays.values(), shares):
        image = share.T / greatest
        axes.imshow(image, aspect="auto", interpolation="nearest", cmap="Greys", vmin=0.0, vmax=1.0)
        axes.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=3)
        axes.set_yticks(range(len(chosen)), [vocabulary[int(m)] for m in chosen])
        names = times[: len(a)] if len(times) >= len(a) else [str(t) for t in range(len(a))]
        ticks = years(names)
        axes.set_xticks(ticks, [names[t] for t in ticks])
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        if given:
            mark(axes, given - 0.5)
    grid[-1].set_xlabel("share of the step's words, black where that of a word is greatest in any panel", fontsize=8)
    save(figure, path)
