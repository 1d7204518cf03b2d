"""Moving MNIST: how digits move, bounce and are drawn, and what the files of MNIST may hold."""

import gzip
import sys

import numpy as np
import pytest

from counterpoint.data import load, moving_mnist
from counterpoint.data.moving_mnist import FILES, MAGIC, paths, render, resized
from counterpoint.distributions.discretised import spacing
from counterpoint.errors import CounterpointError


def idx(path, digits: np.ndarray, count: int | None = None) -> None:
    numbers = (len(digits) if count is None else count, *digits.shape[1:])
    head = MAGIC + b"".join(n.to_bytes(4, "big") for n in numbers)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head + digits.tobytes())


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Files of MNIST with few digits, of one grey value each: train 10, valid 20, test 30."""
    monkeypatch.setattr(sys.modules[moving_mnist.__module__], "HELD", 3)
    grey = lambda *values: np.repeat(np.array(values, np.uint8), 28 * 28).reshape(-1, 28, 28)
    (tmp_path / "mnist").mkdir()
    idx(tmp_path / "mnist" / FILES["train"], grey(10, 10, 10, 10, 20, 20, 20))
    idx(tmp_path / "mnist" / FILES["test"], grey(30, 30, 30))
    return tmp_path


def test_digits_stay_inside_and_go_straight_between_bounces():
    free = 32
    x = paths(np.random.default_rng(0), 500, 60, 2, 64, stochastic=False)
    assert x.shape == (500, 60, 2, 2)
    assert (x.min(), x.max()) == (0, free - 1)
    speed = np.diff(x, axis=1)
    assert np.abs(speed).max() <= 4
    # away from the edges nothing changes; and a film has one absolute speed a digit and axis, cut where it bounces
    inner = ((x > 4) & (x < free - 5))[:, 1:-1]
    np.testing.assert_array_equal(speed[:, 1:][inner], speed[:, :-1][inner])
    most = np.abs(speed).max(1, keepdims=True)
    assert (np.isin(np.abs(speed), (0, 1, 2, 3, 4)) & (np.abs(speed) <= most)).all()
    assert (np.abs(speed) == most).mean() > 0.9


def test_a_stochastic_bounce_leads_away_from_the_edge_with_any_speed():
    free = 32
    x = paths(np.random.default_rng(0), 2000, 60, 1, 64, stochastic=True)[:, :, 0]
    speed = np.diff(x, axis=1)
    row, column = x[:, 1:-2, 0], x[:, 1:-1, 1]
    straight = (row > 0) & (row < free - 1) & (np.minimum(column, free - 1 - column) > 4)[:, :-1]
    straight &= (np.minimum(column, free - 1 - column) > 4)[:, 1:]  # no edge of the other axis in the next step either
    ahead = row + speed[:, :-2, 0]  # where the next step leads
    low, high = speed[:, 2:][straight & (ahead < 0)], speed[:, 2:][straight & (ahead >= free)]
    assert min(len(low), len(high)) > 1000
    assert set(np.unique(low[:, 0])) == {1, 2, 3, 4}
    assert set(np.unique(high[:, 0])) == {-4, -3, -2, -1}
    counts = np.bincount(low[:, 0], minlength=5)[1:]
    np.testing.assert_allclose(counts / counts.sum(), 0.25, atol=0.05)
    assert set(np.unique(low[:, 1])) == set(range(-4, 5))  # across the edge, too
    inner = ((x > 4) & (x < free - 5)).all(-1)[:, 1:-1]
    np.testing.assert_array_equal(speed[:, 1:][inner], speed[:, :-1][inner])


def test_a_film_is_the_sum_of_its_digits_cut_at_one():
    shapes = np.full((1, 2, 2, 2), 0.75, np.float32)
    places = np.array([[[[0, 1], [1, 2]], [[2, 2], [0, 0]]]])  # one film, two frames, two digits, row and column
    a, b = render(places, shapes, 4).reshape(2, 4, 4)
    np.testing.assert_array_equal(a, [[0, 0.75, 0.75, 0], [0, 0.75, 1, 0.75], [0, 0, 0.75, 0.75], [0, 0, 0, 0]])
    np.testing.assert_array_equal(b, [[0.75, 0.75, 0, 0]] * 2 + [[0, 0, 0.75, 0.75]] * 2)


def test_splits_share_no_digits_and_the_test_set_stays(small):
    corpus = moving_mnist(small, train=4, valid=2, test=3, length=5, digits=1, resolution=8)
    for part, grey in ((corpus.train, 10), (corpus.valid, 20), (corpus.test, 30)):
        assert {round(255 * v) for v in np.unique(part.x[0]).tolist()} == {0, grey}
    assert (corpus.kind, corpus.train.event, corpus.view.height) == ("grey", (64,), 8)
    again = moving_mnist(small, train=2, valid=5, test=3, length=5, digits=1, resolution=8)
    np.testing.assert_array_equal(again.test.x, corpus.test.x)
    other = moving_mnist(small, train=4, valid=2, test=3, length=5, digits=1, resolution=8, seed=1)
    assert not np.array_equal(other.test.x, corpus.test.x)


def test_values_are_255ths(small):
    corpus = moving_mnist(small, train=4, valid=1, test=1, digits=3, resolution=16, stochastic=True)
    assert corpus.name == "stochastic_moving_mnist"
    x = np.concatenate(corpus.train.x) * 255
    np.testing.assert_allclose(x, np.round(x), atol=1e-4)
    assert spacing(resized(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), 16)) == pytest.approx(1 / 255, rel=1e-6)


def damaged(path, how):
    data = path.read_bytes()
    if how == "absent":
        path.unlink()
    elif how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "no gzip":
        path.write_bytes(b"digits")
    elif how == "too much":
        idx(path, np.zeros((7, 28, 28), np.uint8), 5)
    else:
        idx(path, np.zeros((7, 28, 27), np.uint8))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("absent", "is missing .* it is one of the four files of MNIST"),
        ("cut", "cannot be read"),
        ("no gzip", "cannot be read"),
        ("too much", "holds 3921 bytes of images, and says 3920"),
        ("other", "is not MNIST's train-images"),
    ],
)
def test_what_is_no_mnist(small, how, message):
    damaged(small / "mnist" / FILES["train"], how)
    with pytest.raises(CounterpointError, match=message):
        load("moving_mnist", small)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"digits": 0}, "digits is 0"), ({"length": 0}, "length is 0"), ({"resolution": 3}, "resolution is 3")],
)
def test_numbers_that_make_no_sense(small, numbers, message):
    with pytest.raises(CounterpointError, match=message):
        moving_mnist(small, **numbers)


@pytest.mark.corpus
def test_of_the_real_mnist(corpora):
    corpus = moving_mnist(corpora, train=3, valid=2, test=2)
    assert corpus.train.x[0].shape == (20, 64 * 64)
    ink = np.mean([x.mean() for x in corpus.train.x])
    assert 0.03 < ink < 0.09  # two digits, each a quarter of the film, of which about an eighth is ink
