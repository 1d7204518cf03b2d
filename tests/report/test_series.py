"""Lines and marks over steps: what is drawn, for which data, and where what was given ends."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from counterpoint.commands import pictures
from counterpoint.data import Corpus, Sequences
from counterpoint.data.views import Audio, Images, Notes, Numbers, Words
from counterpoint.errors import CounterpointError
from counterpoint.report import categories, lines, series
from counterpoint.report.canvas import GIVEN

RNG = np.random.default_rng(0)
KINDS = [
    ("real", None, (8,), pictures.draw_lines),
    ("grey", None, (2, 2), pictures.draw_lines),
    ("count", None, (3,), pictures.draw_lines),
    ("real", None, (9,), pictures.draw_numbers),
    ("binary", None, (3,), pictures.draw_numbers),
    ("index", None, (), pictures.draw_categories),
    ("binary", Notes(), (5,), pictures.draw_notes),
    ("grey", Images(2, 2), (4,), pictures.draw_images),
    ("real", Audio(8000, deviation=1000.0), (4,), pictures.draw_audio),
]


def corpus(kind, view, event, steps=6):
    values = RNG.random((steps, *event)) if kind in ("real", "grey") else RNG.integers(0, 2, (steps, *event))
    data = Sequences((values,))
    return Corpus("made", data, data, data, kind, view=view)


@pytest.fixture
def figures(monkeypatch):
    """What would have been saved."""
    found = []
    monkeypatch.setattr(series, "save", lambda figure, path: found.append(figure))
    return found


@pytest.mark.parametrize(("kind", "view", "event", "how"), KINDS)
def test_a_picture_fits_its_data(kind, view, event, how):
    assert pictures.look(corpus(kind, view, event)).draw is how


def test_points_and_words_are_no_lines():
    assert pictures.look(corpus("real", None, (2,), steps=1)).draw is pictures.draw_points
    assert pictures.look(corpus("real", None, (3,), steps=1)).draw is pictures.draw_numbers
    assert pictures.look(corpus("count", Words(("a", "b")), (2,))).draw is not pictures.draw_lines


def test_a_line_for_each_dimension_on_one_scale(figures):
    x = RNG.normal(size=(20, 3))
    lines({"data": x, "generated": 5 * x[:10]}, "a.png", seconds=0.5)
    for axes, a in zip(figures[0].axes, (x, 5 * x[:10]), strict=True):
        assert [len(line.get_xdata()) for line in axes.get_lines()] == [len(a)] * 3
        for d, line in enumerate(axes.get_lines()):
            np.testing.assert_allclose(line.get_xydata(), np.stack([0.5 * np.arange(len(a)), a[:, d]], 1))
    above, below = figures[0].axes
    assert above.get_ylim() == below.get_ylim()
    assert above.get_xlim() == below.get_xlim() == (-0.25, 9.75)
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == [f"dimension {d}" for d in range(3)]


def test_one_dimension_needs_no_legend(figures):
    lines({"data": np.array([[1.0], [np.nan], [2.0]])}, "a.png")
    assert not figures[0].legends


@pytest.mark.parametrize(("event", "want", "label"), [((1,), 7.0, "value"), ((2,), -1.0, "normalised value")])
def test_one_number_is_drawn_in_its_own_units_and_several_on_one_scale(figures, event, want, label):
    known = corpus("real", Numbers(np.full(event, 10.0), np.full(event, 3.0)), event)
    pictures.draw(known, {"": np.full((4, *event), -1.0)}, Path("a.png"))
    (axes,) = figures[0].axes
    assert axes.get_ylabel() == label
    assert all((line.get_ydata() == want).all() for line in axes.get_lines())


def test_marks_of_categories_beside_probabilities(figures):
    categories({"data": np.array([0, 2, 1]), "reconstruction": np.full((3, 4), 0.25)}, "a.png")
    (marks,) = figures[0].axes[0].collections
    np.testing.assert_allclose(
        list(marks.get_segments()),
        [[[-0.5, 0], [0.5, 0]], [[0.5, 2], [1.5, 2]], [[1.5, 1], [2.5, 1]]],
    )
    assert figures[0].axes[1].images[0].get_array().shape == (4, 3)
    assert all(axes.get_ylim() == (-0.5, 3.5) for axes in figures[0].axes)


def test_missing_categories_have_no_mark(figures):
    categories({"a": np.array([1.0, np.nan, 0.0]), "b": np.array([-1, -1])}, "a.png")
    assert all(axes.get_ylim() == (-0.5, 1.5) for axes in figures[0].axes)
    categories({"b": np.array([-1, -1])}, "a.png")
    assert figures[1].axes[0].get_ylim() == (-0.5, 0.5)


def line_of(path) -> int | None:
    """The middle of the columns of a picture that a line in the colour of what was given fills, None without."""
    picture = imread(path)[..., :3]
    red = (np.abs(picture - to_rgb(GIVEN)).max(-1) < 0.25).sum(0)
    columns = np.flatnonzero(red > len(picture) / 4)
    return int(columns.mean()) if len(columns) else None


@pytest.mark.parametrize(("kind", "view", "event"), [kind[:3] for kind in KINDS])
def test_a_line_follows_what_was_given(tmp_path, kind, view, event):
    known, places = corpus(kind, view, event), []
    for given in (0, 2, 4):
        pictures.draw(known, {"": known.train.x[0]}, tmp_path / "a.png", given)
        places.append(line_of(tmp_path / "a.png"))
    assert places[0] is None
    assert 250 < places[1] < places[2] - 200 < 900


@pytest.mark.parametrize("arrays", [{}, {"a": np.zeros((2, 9))}, {"a": np.zeros((2, 3)), "b": np.zeros((2, 4))}])
def test_what_cannot_be_lines(tmp_path, arrays):
    with pytest.raises(CounterpointError, match="lines need arrays"):
        lines(arrays, tmp_path / "a.png")


@pytest.mark.parametrize("arrays", [{}, {"a": np.zeros((0,), int)}])
def test_what_cannot_be_categories(tmp_path, arrays):
    with pytest.raises(CounterpointError, match="categories need arrays"):
        categories(arrays, tmp_path / "a.png")
