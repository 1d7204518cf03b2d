import matplotlib.figure
import numpy as np
import pytest

from counterpoint.errors import CounterpointError
from counterpoint.report import word_figure

COMMON, LATE, EARLY, RARE = 40.0, 0.0, 20.0, 1.0
COUNTS = np.array([[COMMON, LATE, EARLY, RARE]] * 3 + [[COMMON, EARLY, LATE, RARE]] * 3)
WORDS = ("the", "iraq", "spain", "zeal")


@pytest.fixture
def drawn(monkeypatch):
    """The axes of what is saved."""
    found = []
    save = matplotlib.figure.Figure.savefig
    monkeypatch.setattr(
        matplotlib.figure.Figure, "savefig", lambda f, *a, **k: (found.extend(f.axes), save(f, *a, **k))
    )
    return found


def labels(axis) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def test_words_whose_share_changes_most_stand_by_their_time(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr("counterpoint.report.words.SHOWN", 2)
    word_figure({"texts": COUNTS}, WORDS, [str(y) for y in range(1998, 2004)], tmp_path / "a.png", given=4)
    (axes,) = drawn
    assert labels(axes.yaxis) == ["spain", "iraq"]
    np.testing.assert_array_equal(axes.images[0].get_array(), [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]])
    assert labels(axes.xaxis) == ["1998", "1999", "2000", "2001", "2002", "2003"]
    assert axes.lines[0].get_xdata()[0] == 3.5


def test_more_steps_than_times_are_counted_and_panels_share_their_words(drawn, tmp_path):
    word_figure({"1": COUNTS, "2": COUNTS[::-1]}, WORDS, ("1998",), tmp_path / "a.png")
    assert labels(drawn[0].yaxis) == labels(drawn[1].yaxis)
    assert labels(drawn[0].xaxis)[:2] == ["0", "1"]


@pytest.mark.parametrize(
    "counts", [{}, {"a": COUNTS[:, :3]}, {"a": COUNTS[:0]}, {"a": -COUNTS}, {"a": np.nan * COUNTS}]
)
def test_what_is_no_count_of_words_is_refused(counts, tmp_path):
    with pytest.raises(CounterpointError, match="word_figure needs counts"):
        word_figure(counts, WORDS, (), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_text_without_words_is_drawn_empty(drawn, tmp_path):
    word_figure({"a": 0 * COUNTS}, WORDS, (), tmp_path / "a.png")
    assert not drawn[0].images[0].get_array().any()
