"""Several runs in one figure."""

import numpy as np

from counterpoint.report.rivals import Course, draw


def course(*values):
    """Two repeats, the second a nat below the first; a mark every ten updates, which take twenty seconds."""
    marks = np.arange(len(values))
    both = np.array(values)[:, None] - np.array([0.0, 1.0])
    return Course(10 * marks, 20.0 * marks, both, both.argmax(0))


COURSES = {
    "CD, k = 1": course(-9.0, -5.0, -6.0),
    "CD, k = 10": course(-9.0, -4.0, -4.5),
    "PCD, k = 1": course(-9.0, -4.5, -4.25),
    "exact": course(-9.0, -3.5, -3.0),
}


def lines(axes):
    return {line.get_label(): line for line in axes.lines if line.get_label() in COURSES}


def test_a_colour_for_each_title_and_a_style_for_each_k():
    shown = lines(draw(COURSES, "log p").axes[0])
    colour = {name: tuple(line.get_color()) for name, line in shown.items()}
    style = {name: line.get_linestyle() for name, line in shown.items()}
    assert colour["CD, k = 1"] == colour["CD, k = 10"]
    assert len(set(colour.values())) == 3
    assert style["CD, k = 1"] == style["PCD, k = 1"] != style["CD, k = 10"]


def test_where_one_takes_far_longer_the_others_can_be_read_too():
    assert draw(COURSES, "log p").axes[1].get_xscale() == "linear"
    slow = COURSES["exact"]
    slow = Course(slow.steps, 11 * slow.seconds, slow.values, slow.where)
    by_updates, by_time = draw(COURSES | {"exact": slow}, "log p").axes
    assert (by_updates.get_xscale(), by_time.get_xscale()) == ("linear", "log")


def test_means_over_repeats_by_updates_and_by_time():
    by_updates, by_time = draw(COURSES, "log p").axes
    np.testing.assert_allclose(lines(by_updates)["exact"].get_xydata(), [[0, -9.5], [10, -4.0], [20, -3.5]])
    np.testing.assert_allclose(lines(by_time)["exact"].get_xdata(), [0, 20, 40])
    assert by_time.get_xlabel() == "seconds of training"
    dots = [tuple(line.get_xydata()[0]) for line in by_updates.lines if line.get_marker() == "o"]
    assert dots == [(10.0, -5.5), (10.0, -4.5), (20.0, -4.75), (20.0, -3.5)]
