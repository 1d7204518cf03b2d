import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from counterpoint.errors import CounterpointError
from counterpoint.report import curves, panels, piano_rolls
from counterpoint.report.figures import _best, _range


def ink(path) -> float:
    """Standard deviation of the lightness of a picture 1200 pixels wide."""
    picture = imread(path)
    assert picture.shape[1] == 1200
    return float(picture[..., :3].mean(axis=-1).std())


def rows(repeats=3):
    for epoch in range(1, 12):
        train = [-9 + 0.2 * epoch + 0.1 * r for r in range(repeats)]
        valid = [None, *(-9 - 0.02 * (epoch - 6) ** 2 - r for r in range(1, repeats))] if epoch % 2 else None
        yield {"epoch": epoch, "step": 40 * epoch, "train": train, "valid": valid}


def test_curves_with_gaps_and_references(tmp_path):
    history = list(rows())
    history[3]["train"][0] = float("nan")
    references = {"a long name of a published number": -8.2, "another": -8.21, "baseline": -12.0}
    curves(history, tmp_path / "a.png", references, title="three repeats")
    assert ink(tmp_path / "a.png") > 0.05


def test_curves_from_the_first_epoch_alone(tmp_path):
    curves([{"epoch": 1, "step": 1, "train": [-8.0], "valid": None}], tmp_path / "a.png")
    curves([{"epoch": 0, "step": 0, "valid": [-8.0]}], tmp_path / "b.png")
    assert ink(tmp_path / "a.png") > 0.02


def test_the_best_epoch_stays_in_sight_however_early():
    early = np.full((40, 2), -9.0)
    early[0] = -30.0
    early[1] = -7.0, -20.0
    early[2:, 1] = np.nan  # this repeat diverged at once: its best is its last
    low, high = _range([early], {"baseline": -10.0})
    assert -30.0 < low < -20.0
    assert -7.0 < high < 0.0


@pytest.mark.parametrize("epochs", [2, 3, 9, 10, 40])
def test_a_first_value_far_off_is_out_of_sight(epochs):
    values = np.linspace(-2.0, -1.0, epochs)[:, None]
    values[0] = -1e4
    low, high = _range([values, values - 0.1], {"baseline": -3.0})
    assert -3.5 < low < -3.0
    assert -1.0 < high < -0.5


def test_a_first_value_that_leaves_room_is_in_sight():
    assert _range([np.array([[-5.0], [-4.0], [-3.0]])], {})[0] < -5.0
    assert _range([np.array([[-1e4], [-1.0]])], {})[0] < -1e4  # one value alone is no range
    low, high = _range([np.array([[-1.0], [-1e4], [-1e4 - 1]])], {})  # the first is the best
    assert low < -1e4 - 1
    assert high > -1.0


def test_the_dot_is_where_each_repeat_was_judged_best():
    axes = Figure().add_subplot()
    bounds, errors = (
        np.array([[-3.0, -1.0], [-2.0, -2.0], [-9.0, -3.0]]),
        np.array([[5.0, 1.0], [4.0, 2.0], [3.0, 7.0]]),
    )
    _best(axes, np.array([1.0, 2.0, 3.0]), bounds, -errors)
    (dots,) = axes.get_lines()
    np.testing.assert_array_equal(dots.get_xydata(), [[3.0, -9.0], [1.0, -1.0]])


@pytest.mark.parametrize("history", [[], [{"epoch": 1, "step": 1, "train": [float("nan")], "valid": None}]])
def test_curves_of_nothing(tmp_path, history):
    with pytest.raises(CounterpointError, match="no bound to draw"):
        curves(history, tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_piano_rolls_show_notes(tmp_path, suffix):
    noise = np.random.default_rng(0)
    rolls = {"heard": noise.random((40, 88)) < 0.05, "predicted": noise.random((30, 88)) * 0.4}
    path = tmp_path / f"a.{suffix}"
    piano_rolls(rolls, path, seconds=0.5)
    assert path.stat().st_size > 4000
    if suffix == "png":
        empty = tmp_path / "empty.png"
        piano_rolls({name: np.zeros_like(roll) for name, roll in rolls.items()}, empty)
        assert ink(path) > 1.2 * ink(empty)


def test_panels_of_numbers_with_missing_frames(tmp_path):
    walk = np.cumsum(np.random.default_rng(0).normal(size=(60, 12)), axis=0)
    walk[10:20] = np.nan
    panels({"joint angles": walk}, tmp_path / "a.png")
    panels({"constant": np.ones((3, 1)), "missing": np.full((5, 1), np.nan)}, tmp_path / "b.png")
    assert ink(tmp_path / "a.png") > 0.1


@pytest.mark.parametrize(
    "arrays",
    [{}, {"a": np.zeros(3)}, {"a": np.zeros((3, 2)), "b": np.zeros((3, 4))}, {"a": np.zeros((0, 2))}],
)
@pytest.mark.parametrize("draw", [panels, piano_rolls])
def test_shapes_that_cannot_be_drawn(tmp_path, draw, arrays):
    with pytest.raises(CounterpointError, match="panels need arrays"):
        draw(arrays, tmp_path / "a.png")


def test_an_unknown_format(tmp_path):
    with pytest.raises(CounterpointError, match=r"\.png"):
        panels({"a": np.eye(3)}, tmp_path / "a.xyz")
    assert not list(tmp_path.iterdir())
