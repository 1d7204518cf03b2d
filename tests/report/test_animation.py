"""GIFs and grids of images: what is in their pixels, how long they play, and what they refuse."""

import numpy as np
import pytest
from matplotlib.image import imread
from PIL import Image, ImageSequence

from counterpoint.errors import CounterpointError
from counterpoint.report.animation import GAP, HEAD, MISSING, PANEL, gif_images, gif_skeleton
from counterpoint.report.images import film_strip, image_grid

EDGES = ((0, 1), (1, 2), (0, 3))


def frames(path) -> np.ndarray:
    """(n, height, width, 3)"""
    with Image.open(path) as gif:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)])


def seconds(path) -> float:
    with Image.open(path) as gif:
        return sum(frame.info["duration"] for frame in ImageSequence.Iterator(gif)) / 1000


def walk(length=8):
    """Four joints that go along x."""
    rest = np.array([[0.0, 1, 0], [0, 2, 0], [0.5, 2.5, 0], [0.2, 0, 0.2]])
    return rest + np.arange(length)[:, None, None] * np.array([0.3, 0, 0])


def test_pixels_of_a_gif_are_those_of_the_images(tmp_path):
    x = np.zeros((3, 6))
    x[[0, 1, 2], [0, 3, 5]] = 1.0  # 2 x 3 pixels: top left, bottom left, bottom right
    x[1, 2] = np.nan
    x[2, 1] = 0.5
    gif_images({"a": x}, tmp_path / "a.gif", 2, 3, scale=10, fps=10)
    shown = frames(tmp_path / "a.gif")
    cells = shown[:, HEAD + 5 : HEAD + 20 : 10, GAP + 5 : GAP + 30 : 10].astype(int)  # centres of pixels
    assert cells.shape == (3, 2, 3, 3)
    expected = np.where(np.isnan(x)[..., None], MISSING, 255 * np.nan_to_num(x)[..., None]).reshape(3, 2, 3, 3)
    assert np.abs(cells - expected).max() <= 3
    assert (shown[:, 0, 0] == 255).all()
    assert seconds(tmp_path / "a.gif") == pytest.approx(0.3)


def test_an_early_end_stands_still(tmp_path):
    long, short = np.eye(4), np.eye(4)[:2]
    gif_images({"long": long, "short": short}, tmp_path / "a.gif", 2, 2, scale=20)
    shown = frames(tmp_path / "a.gif")
    half = shown.shape[2] // 2
    np.testing.assert_array_equal(shown[1, :, half:], shown[3, :, half:])
    assert not np.array_equal(shown[1, :, :half], shown[3, :, :half])


@pytest.mark.parametrize(("fps", "count"), [(30.0, 60), (7.0, 21), (50.0, 10)])
def test_the_whole_plays_as_long_as_it_should(tmp_path, fps, count):
    x = np.linspace(0, 1, count)[:, None] * np.ones(4)
    gif_images({"a": x}, tmp_path / "a.gif", 2, 2, fps=fps)
    assert seconds(tmp_path / "a.gif") == pytest.approx(count / fps, abs=0.006)


def test_stick_figures(tmp_path):
    gif_skeleton({"walk": walk(), "back": walk()[:5] * [-1, 1, -1]}, EDGES, tmp_path / "a.gif", fps=25)
    shown = frames(tmp_path / "a.gif")
    assert shown.shape == (8, PANEL + HEAD + GAP, 2 * (PANEL + GAP) + GAP, 3)
    blue = (shown[..., 2].astype(int) - shown[..., 0]) > 40
    # Turned round, the same walk is seen from its right side as well.
    left, right = blue[0, HEAD:, GAP : GAP + PANEL], blue[0, HEAD:, 2 * GAP + PANEL : 2 * (GAP + PANEL)]
    assert left.sum() > 300
    np.testing.assert_array_equal(left, right)
    # The camera goes along: the figure stays, the ground does not.
    np.testing.assert_array_equal(blue[0, :, :PANEL], blue[3, :, :PANEL])
    assert not np.array_equal(shown[0, :, :PANEL], shown[3, :, :PANEL])
    # Upright: the lowest joint is drawn lowest.
    rows = np.flatnonzero(left.any(1))
    assert rows[0] < 0.35 * PANEL < 0.8 * PANEL < rows[-1] < PANEL


def test_a_figure_that_goes_nowhere(tmp_path):
    gif_skeleton({"still": np.zeros((2, 3, 3)), "one frame": walk(1)[:, :3]}, EDGES[:2], tmp_path / "a.gif")
    assert len(frames(tmp_path / "a.gif")) >= 1


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ({}, "got none"),
        ({"a": np.zeros((3, 5))}, r"images of 2 x 2 pixels need arrays of shape \(time, 4\)"),
        ({"a": np.zeros((0, 4))}, "images of 2 x 2"),
    ],
)
@pytest.mark.parametrize("draw", [gif_images, film_strip])
def test_images_that_cannot_be_drawn(tmp_path, draw, sequences, message):
    with pytest.raises(CounterpointError, match=message):
        draw(sequences, tmp_path / "a.gif", 2, 2)


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (np.zeros((3, 3, 3)), "4 joints or more for these edges"),
        (np.zeros((3, 12)), r"positions of shape \(time, joints, 3\)"),
        (np.full((3, 4, 3), np.inf), "positions of 'a' hold NaN or infinity"),
    ],
)
def test_figures_that_cannot_be_drawn(tmp_path, positions, message):
    with pytest.raises(CounterpointError, match=message):
        gif_skeleton({"a": positions}, EDGES, tmp_path / "a.gif")


def test_titles_say_as_long_as_frames_are_given(tmp_path):
    path, x = tmp_path / "a.gif", np.linspace(0, 1, 4)[:, None] * np.ones(4)
    for make in (
        lambda given: gif_skeleton({"1": walk(4)}, EDGES, path, given=given),
        lambda given: gif_images({"1": x, "2": x[:3]}, path, 2, 2, scale=30, given=given),
    ):
        make(0)
        plain = frames(path)[:, :HEAD]
        make(2)
        shown = frames(path)[:, :HEAD]
        np.testing.assert_array_equal(shown[2:], plain[2:])
        assert (shown[:2] != plain[:2]).any((1, 2, 3)).all()


def test_what_a_gif_cannot_be(tmp_path):
    with pytest.raises(CounterpointError, match="fps is 60; a GIF shows between 0 and 50"):
        gif_images({"a": np.zeros((1, 4))}, tmp_path / "a.gif", 2, 2, fps=60)
    with pytest.raises(CounterpointError, match=r"a\.png: give a name that ends in \.gif"):
        gif_images({"a": np.zeros((1, 4))}, tmp_path / "a.png", 2, 2)
    assert not list(tmp_path.iterdir())


def test_a_grid_has_every_image_in_its_colours(tmp_path):
    weights = np.zeros((5, 4, 4))
    weights[3], weights[4] = 1.0, -1.0
    image_grid(weights, tmp_path / "a.png", columns=3, titles=list("abcde"), title="weights")
    picture = imread(tmp_path / "a.png")[..., :3]
    red = (picture[..., 0] > picture[..., 2] + 0.2).sum()
    blue = (picture[..., 2] > picture[..., 0] + 0.2).sum()
    # A cell each, and their halves of the bar; the three cells of zeros are white.
    assert red > 20000
    assert 0.8 * red < blue < 1.25 * red
    image_grid(np.abs(weights), tmp_path / "grey.png", columns=3)
    grey = imread(tmp_path / "grey.png")[..., :3]
    assert np.ptp(grey, axis=-1).max() < 0.01
    image_grid(np.ones((20 * 19 + 1, 4, 4)), tmp_path / "many.png")
    assert 900 < imread(tmp_path / "many.png").shape[0] < 1300  # of 1200 pixels width: a square page


def test_a_strip_takes_every_so_many_frames(tmp_path):
    x = np.ones((50, 9)) * np.linspace(0, 1, 50)[:, None]
    x[20:30] = np.nan
    film_strip({"a": x, "b": x[:20]}, tmp_path / "a.png", 3, 3)
    film_strip({"a": x}, tmp_path / "b.png", 3, 3, every=25)
    pale = lambda picture: (np.abs(picture[..., :3] - np.array(MISSING) / 255).max(-1) < 0.01).sum()
    assert pale(imread(tmp_path / "a.png")) > 2000  # frames 21 and 26
    assert pale(imread(tmp_path / "b.png")) > 2000  # frame 26
    with pytest.raises(CounterpointError, match="every is 0"):
        film_strip({"a": x}, tmp_path / "c.png", 3, 3, every=0)


@pytest.mark.parametrize(
    ("images", "more", "message"),
    [
        (np.zeros((3, 4)), {}, r"images of shape \(3, 4\); give \(count, height, width\)"),
        (np.zeros((3, 4, 4)), {"columns": 0}, "grid of 0 columns"),
        (np.zeros((3, 4, 4)), {"titles": ["a"]}, "1 titles for 3 images"),
        (np.full((3, 4, 4), np.nan), {}, "NaN or infinity"),
    ],
)
def test_grids_that_cannot_be_drawn(tmp_path, images, more, message):
    with pytest.raises(CounterpointError, match=message):
        image_grid(images, tmp_path / "a.png", **more)
