"""Topics: what the hidden units of a model of word counts speak of, and when (Gan et al. 2015, sec. 5.4; Gan's slides).

    E[x_mt] ∝ exp(sum_j W_mj h_jt + c_m)

so W_mj is by how much unit j, when on, raises the log-odds of word m. For a TSBN W is W2 (`p.visible.now`); its
activity is q(h_jt = 1), or the mean of samples of h_jt. The words of a topic are its most telling ones: see `telling`.
The paper's table has the "most probable words", without a formula.
"""

import os
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.report.canvas import QUIET, VALID, new_figure, save, years

if TYPE_CHECKING:
    import matplotlib.axes

TOP = 10  # words of a topic
SHOWN = 25  # topics in a figure
SPANS = 2  # times named for each topic
GAP = 2  # steps below the middle that do not end a span
FLAT = 0.05  # a topic whose activity varies less than this has no time of its own


def telling(weights: np.ndarray, share: np.ndarray) -> np.ndarray:
    """How much each word tells of each unit (M, J), by which words are put in order, from W (M, J) and r (M,):

        s_mj log(s_mj / r_m),    s_mj ∝ r_m exp(W_mj)

    the terms of KL(s_j || r), nats, with r_m the usual share of word m and s_mj its share once unit j raises it. By
    s_mj alone the commonest words come first in every topic, by W_mj alone the rarest.
    """
    raised = share[:, None] * np.exp(weights - weights.max(0))
    raised = raised / raised.sum(0)
    return raised * np.log(raised / share[:, None])


def topics(
    weights: np.ndarray, activity: np.ndarray, vocabulary: Sequence[str], times: Sequence[str] = (), top: int = TOP
) -> list[dict[str, Any]]:
    """A row for each unit j, for `report.table`: "topic" j, its `top` "words", and when it is "most active".

    weights (M, J), by which words are put in order, the highest first (such as `telling`); activity (T, J) between 0
    and 1, M words, T times (none given: steps from 1). Most active is a topic in the steps where its activity is above
    the middle of its range, joined over gaps of up to two steps; the two spans with the highest sum are named.

    Raises CounterpointError where the numbers of words, units or times differ, and for NaN.
    """
    weights, activity, times = _checked(weights, activity, vocabulary, times)
    return [
        {
            "topic": j,
            "words": ", ".join(_words(weights[:, j], vocabulary, top)),
            "most active": _when(activity[:, j], times),
        }
        for j in range(weights.shape[1])
    ]


def topic_figure(
    weights: np.ndarray,
    activity: np.ndarray,
    vocabulary: Sequence[str],
    times: Sequence[str],
    path: str | os.PathLike,
) -> None:
    """A strip for each topic, its activity over time, its TOP words beside it: PNG, PDF or SVG by suffix.

    Arrays as in `topics`. Strips stand in order of the mean time of activity, the earliest first; of more than SHOWN
    topics those whose activity varies most are drawn.

    Raises CounterpointError as `topics` does, and where the file cannot be written.
    """
    weights, activity, times = _checked(weights, activity, vocabulary, times)
    shown = np.argsort(-activity.std(0), kind="stable")[:SHOWN]
    steps = np.arange(len(activity))
    above = activity - activity.min(0)
    when = (steps @ above + 1e-9 * steps.mean()) / (above.sum(0) + 1e-9)
    shown = shown[np.argsort(when[shown], kind="stable")]

    low, high = min(0.0, activity.min()), max(1.0, activity.max())  # probabilities; means of samples may leave it
    figure = new_figure(0.44 * len(shown) + 0.7)
    figure.set_layout_engine("constrained", hspace=0.0, h_pad=0.02)
    grid: Any = figure.subplots(len(shown), 2, sharex="col", squeeze=False, width_ratios=(1, 1.15))
    for (axes, beside), j in zip(grid, shown):
        _strip(axes, steps, activity[:, j])
        axes.set_ylim(low, high + 0.05 * (high - low))
        beside.axis("off")
        beside.text(0.0, 0.5, f"{j}", transform=beside.transAxes, va="center", fontsize=8, color=QUIET)
        words = textwrap.fill(", ".join(_words(weights[:, j], vocabulary, TOP)), 60)
        beside.text(0.07, 0.5, words, transform=beside.transAxes, va="center", fontsize=8, linespacing=1.25)
    for axes, title in zip(grid[0], ("activity", "topic, and its most telling words")):
        axes.set_title(title, loc="left", fontsize=8, color=QUIET)
    last = grid[-1, 0]
    ticks = years(times)
    last.set_xticks(ticks, [times[t] for t in ticks])
    last.tick_params(bottom=True, labelbottom=True, labelsize=8)
    last.set_xlim(-0.5, len(steps) - 0.5)
    save(figure, path)


def _strip(axes: "matplotlib.axes.Axes", steps: np.ndarray, activity: np.ndarray) -> None:
    axes.fill_between(steps, activity, step="mid", color=VALID, alpha=0.25, linewidth=0)
    axes.step(steps, activity, where="mid", color=VALID, linewidth=0.8)
    axes.set_yticks([])
    axes.tick_params(bottom=False, labelbottom=False)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_linewidth(0.5)
    axes.spines["bottom"].set_color(QUIET)


def _words(column: np.ndarray, vocabulary: Sequence[str], top: int) -> list[str]:
    return [vocabulary[int(m)] for m in np.argsort(-column, kind="stable")[:top]]


def _when(activity: np.ndarray, times: Sequence[str]) -> str:
    low, high = activity.min(), activity.max()
    if high - low < FLAT:
        return "always" if low > 0.5 else "never" if high < 0.5 else "no time of its own"
    on = np.flatnonzero(activity > (low + high) / 2)
    spans = np.split(on, np.flatnonzero(np.diff(on) > GAP + 1) + 1)
    best = sorted(spans, key=lambda span: -activity[span].sum())[:SPANS]
    named = sorted((int(span[0]), int(span[-1])) for span in best)
    return ", ".join(times[a] if a == b else f"{times[a]}–{times[b]}" for a, b in named)


def _checked(
    weights: np.ndarray, activity: np.ndarray, vocabulary: Sequence[str], times: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, Sequence[str]]:
    weights, activity = np.asarray(weights, float), np.asarray(activity, float)
    fits = weights.ndim == activity.ndim == 2 and weights.shape == (len(vocabulary), activity.shape[1])
    if not fits or 0 in (*weights.shape, *activity.shape):
        raise CounterpointError(
            f"weights of shape {weights.shape}, activity of shape {activity.shape} and {len(vocabulary)} words; give"
            " weights (M, J), activity (T, J) and M words"
        )
    if not (np.isfinite(weights).all() and np.isfinite(activity).all()):
        raise CounterpointError("weights or activity have NaN or infinity; the model has diverged, train it again")
    times = times or [str(t + 1) for t in range(len(activity))]
    if len(times) < len(activity):
        raise CounterpointError(f"{len(times)} times for activity over {len(activity)} steps; give one for each")
    return weights, activity, times[: len(activity)]
