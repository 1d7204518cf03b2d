"""Several runs in one figure: validation against updates, and against time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from counterpoint.report.canvas import new_figure, save

STYLES = ("-", "--", ":", "-.")
SPREAD = 10.0  # of times, from where on a curve would be too short to read
SCALES = ((90.0, "seconds", 1.0), (5400.0, "minutes", 60.0), (float("inf"), "hours", 3600.0))


@dataclass(frozen=True)
class Course:
    """How the validations of one run went.

    steps, seconds (n,)   after how many updates, and how much training
    values (n, R)         what was measured of each repeat
    where (R,)            which of the n was best
    """

    steps: np.ndarray
    seconds: np.ndarray
    values: np.ndarray
    where: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """(R,) the best of each repeat."""
        return np.take_along_axis(self.values, self.where[None], 0)[0]

    def at(self, when: np.ndarray) -> float:
        """The mean over repeats of when they were best."""
        return float(when[self.where].mean())


def rivals(courses: Mapping[str, Course], what: str, path: str | os.PathLike) -> None:
    """`draw` as a file. Raises CounterpointError where it cannot be written."""
    save(draw(courses, what), path)


def draw(courses: Mapping[str, Course], what: str):
    """A figure of the mean over repeats of `what` was validated, of every run by its title, against updates at the left
    and training time at the right; a dot at the mean of their bests.

    Titles that differ by a last ", k = ..." alone share a colour and differ by the line's style. Seen is what runs did
    on the later four fifths of the way to their best. Where one took over ten times as long as another, time is on a
    logarithmic axis.
    """
    from matplotlib import colormaps

    longest = max(course.seconds[-1] for course in courses.values())
    unit, scale = next((unit, scale) for limit, unit, scale in SCALES if longest < limit)
    figure = new_figure(4.2)
    panels: Any = figure.subplots(1, 2, sharey=True)
    parts = [name.partition(", k = ")[::2] for name in courses]
    stems, ks = ({part: i for i, part in enumerate(dict.fromkeys(column))} for column in zip(*parts))
    shades = colormaps["viridis"](np.linspace(0.0, 0.85, len(stems)))
    looks = [{"color": shades[stems[stem]], "linestyle": STYLES[ks[k] % len(STYLES)]} for stem, k in parts]
    for axes, key, by, label in zip(panels, ("steps", "seconds"), (1.0, scale), ("updates", f"{unit} of training")):
        for (name, course), look in zip(courses.items(), looks):
            when = getattr(course, key) / by
            axes.plot(when, course.values.mean(1), linewidth=1.6, label=name, **look)
            dot = {"color": look["color"], "mec": "white", "mew": 0.9, "clip_on": False, "zorder": 4}
            axes.plot(course.at(when), course.best.mean(), "o", **dot)
        axes.set_xlabel(label)
        if key == "seconds" and longest > SPREAD * min(course.seconds[-1] for course in courses.values()):
            axes.set_xscale("log")
        else:
            axes.set_xlim(left=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
    panels[0].set_ylim(*_limits(courses))
    panels[0].set_ylabel(what.replace(", ", ",\n", 1))
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    return figure


def _limits(courses: Mapping[str, Course]) -> tuple[float, float]:
    """Of what each repeat did on the later four fifths of the way to its best."""
    ways = (member[i // 5 : i + 1] for one in courses.values() for member, i in zip(one.values.T, one.where))
    kept = np.concatenate(list(ways))
    kept = kept[np.isfinite(kept)]
    margin = 0.05 * (kept.max() - kept.min()) or 0.5
    return float(kept.min() - margin), float(kept.max() + margin)
