"""Points of a plane: where they are drawn, and how they are kept."""

import numpy as np
import pytest

from counterpoint.commands import pictures
from counterpoint.data.swiss_roll import swiss_roll
from counterpoint.errors import CounterpointError
from counterpoint.report import points

RNG = np.random.default_rng(0)


@pytest.fixture
def figure(monkeypatch):
    """What would have been saved."""
    found = []
    monkeypatch.setattr("counterpoint.report.plane.save", lambda figure, path: found.append(figure))
    return lambda: found[-1]


def test_panels_share_their_scale_and_are_as_wide_as_high(figure):
    x = {"data": RNG.normal(size=(50, 2)), "generated": np.array([[9.0, 0.0], [np.nan, np.nan]])}
    points(x, "a.png")
    for axes, (title, a) in zip(figure().axes, x.items(), strict=True):
        assert axes.get_title() == title
        np.testing.assert_allclose(axes.collections[0].get_offsets().filled(np.nan), a)
        assert axes.get_xlim() == axes.get_ylim() == pytest.approx((-9.45, 9.45))
        assert axes.get_aspect() == 1


def test_points_that_are_generated_one_by_one_share_a_panel_and_an_array(figure, tmp_path):
    corpus, made = swiss_roll(20, 3, 3), RNG.normal(size=(5, 1, 2))
    shown = pictures.titled(list(made))
    pictures.draw(corpus, shown, tmp_path / "a.png")
    (axes,) = figure().axes
    np.testing.assert_allclose(axes.collections[0].get_offsets(), made[:, 0])
    (path,) = pictures.keep(corpus, shown, tmp_path / "a.npz")
    with np.load(path) as kept:
        np.testing.assert_allclose(kept["points"], made[:, 0])


@pytest.mark.parametrize("arrays", [{}, {"a": np.zeros((2, 3))}, {"a": np.zeros((0, 2))}])
def test_what_cannot_be_points(tmp_path, arrays):
    with pytest.raises(CounterpointError, match="points need arrays"):
        points(arrays, tmp_path / "a.png")
