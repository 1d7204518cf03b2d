import io

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from counterpoint.errors import CounterpointError
from counterpoint.report import table
from counterpoint.report.topics import telling, topic_figure, topics

VOCABULARY = ("army", "bank", "corn", "debt")
WEIGHTS = np.array([[2.0, -1.0, 0.0], [1.0, 3.0, 0.0], [-5.0, 0.0, 0.0], [0.0, 4.0, 0.0]])
YEARS = tuple(str(year) for year in range(1790, 1802))
ACTIVITY = np.array(
    [[1.0, 0, 0, 0.9, 0, 0, 0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.6], np.full(12, 0.97)]
).T


def test_words_and_times_by_hand():
    rows = topics(WEIGHTS, ACTIVITY, VOCABULARY, YEARS, top=2)
    assert rows == [
        {"topic": 0, "words": "army, bank", "most active": "1790–1793, 1799–1800"},  # two years' pause ends no span
        {"topic": 1, "words": "debt, bank", "most active": "1801"},
        {"topic": 2, "words": "army, bank", "most active": "always"},
    ]


def test_telling_words_are_the_terms_of_a_divergence():
    share = np.array([0.90, 0.09, 0.009, 0.001])
    weights = np.log([[1.0, 2.0], [5.0, 2.0], [9.0, 2.0], [20.0, 2.0]])
    found = telling(weights, share)
    s = share * np.array([1, 5, 9, 20.0])
    s = s / s.sum()
    np.testing.assert_allclose(found[:, 0], s * np.log(s / share))
    assert found[:, 0].sum() > 0
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-12)  # what raises all raises none
    assert np.argmax(found[:, 0]) == 1  # the commonest is word 0, the one with the highest weight word 3
    np.testing.assert_allclose(telling(weights + 900, share), found)


@pytest.mark.parametrize(
    ("activity", "when"),
    [
        ([0, 0, 0.02], "never"),
        ([1, 1, 0.98], "always"),
        ([0.49, 0.5, 0.51], "no time of its own"),
        ([1, 0, 0, 0, 1, 1, 0, 0, 0, 0.8], "1, 5–6"),  # the two with the highest sums, in order of time
    ],
)
def test_when(activity, when):
    found = topics(WEIGHTS[:, :1], np.array([activity]).T, VOCABULARY)[0]["most active"]
    assert found == when


def test_a_vocabulary_smaller_than_the_number_of_words_asked_for():
    assert topics(WEIGHTS, ACTIVITY, VOCABULARY, YEARS)[1]["words"] == "debt, bank, corn, army"


def test_rows_make_a_table():
    console = Console(file=io.StringIO(), width=80)
    console.print(table(topics(WEIGHTS, ACTIVITY, VOCABULARY, YEARS), ["topic", "words", "most active"]))
    assert "1790–1793, 1799–1800" in console.file.getvalue()


@pytest.mark.parametrize("times", [YEARS, (*YEARS, "2014"), ("Monday",) * 12, ()])
def test_a_figure(times, tmp_path):
    topic_figure(WEIGHTS, ACTIVITY, VOCABULARY, times, tmp_path / "a.png")
    picture = imread(tmp_path / "a.png")
    assert picture.shape[1] == 1200
    assert picture[..., :3].mean(axis=-1).std() > 0.05


def test_strips_stand_in_order_of_time_and_only_the_liveliest(tmp_path):
    rng = np.random.default_rng(0)
    start = rng.permutation(30)
    activity = np.zeros((40, 30))
    for j, t in enumerate(start):
        activity[t : t + 10, j] = 1.0 if t >= 5 else 0.1  # the five earliest vary least
    topic_figure(rng.normal(size=(4, 30)), activity, VOCABULARY, ("week",) * 40, tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text()
    numbers = [line.strip()[5:-4] for line in svg.splitlines() if line.strip().startswith("<!-- ")]
    shown = [int(n) for n in numbers if n.isdecimal()]
    assert shown == [int(j) for j in np.argsort(start) if start[j] >= 5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": WEIGHTS.T}, r"weights \(M, J\)"),
        ({"activity": ACTIVITY[:, :2]}, "activity of shape"),
        ({"activity": ACTIVITY[0]}, "activity of shape"),
        ({"activity": ACTIVITY[:0]}, "activity of shape"),
        ({"vocabulary": VOCABULARY[:3]}, "3 words"),
        ({"times": YEARS[:5]}, "5 times for activity over 12 steps"),
        ({"activity": ACTIVITY * np.nan}, "NaN"),
    ],
)
def test_what_cannot_be_shown(change, message, tmp_path):
    given = {"weights": WEIGHTS, "activity": ACTIVITY, "vocabulary": VOCABULARY, "times": YEARS} | change
    with pytest.raises(CounterpointError, match=message):
        topics(**given)
    with pytest.raises(CounterpointError, match=message):
        topic_figure(**given, path=tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_figure_that_cannot_be_written(tmp_path):
    with pytest.raises(CounterpointError, match="cannot draw"):
        topic_figure(WEIGHTS, ACTIVITY, VOCABULARY, YEARS, tmp_path / "a.jpeg2")
