"""Real numbers of one's own learn at any scale, and are written in their own units."""

import numpy as np
import pytest

from counterpoint.data import load, save_npz
from counterpoint.data.normalising import in_units_of, normalised, same_units
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.swiss_roll import swiss_roll
from counterpoint.runs import digest

SCALE = np.array([1e4, 1e-3, 1.0])


@pytest.fixture
def path(tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 7, 3)) * SCALE + 5 * SCALE
    x[..., 2] = 7.0  # never changes
    np.savez(tmp_path / "mine.npz", x=x)
    return tmp_path / "mine.npz"


def test_the_training_frames_have_mean_0_and_deviation_1_and_the_view_turns_back(path):
    corpus, given = load(path), np.load(path)["x"]
    frames = np.concatenate(corpus.train.x)
    np.testing.assert_allclose(frames.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(frames.std(0), [1, 1, 0], atol=1e-5)
    back = corpus.view.values(np.stack([x for part in (corpus.train, corpus.valid, corpus.test) for x in part.x]))
    order = lambda a: a[np.argsort(a[:, 0, 0])]
    np.testing.assert_allclose(order(back), order(given), rtol=1e-5)
    density = lambda x, scale: -0.5 * (x / scale) ** 2 - np.log(scale)  # of a Gaussian, but for a constant
    moved = density(corpus.view.deviation, corpus.view.deviation).sum() - density(np.ones(3), np.ones(3)).sum()
    assert moved == pytest.approx(-corpus.view.shift)
    assert f"lower by {corpus.view.shift:.3f} nats a step" in corpus.summary


def test_what_was_saved_or_has_units_is_not_normalised_again(path, tmp_path):
    corpus = load(path)
    save_npz(tmp_path / "again.npz", corpus)
    again = load(tmp_path / "again.npz")
    for name in ("train", "valid", "test"):
        for a, b in zip(getattr(again, name).x, getattr(corpus, name).x):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(again.view.deviation, corpus.view.deviation)
    np.savez(tmp_path / "own.npz", x=np.load(path)["x"], mean=0.0, deviation=1.0)
    assert max(np.abs(x).max() for x in load(tmp_path / "own.npz").train.x) > 1e4


def test_numbers_far_from_zero_keep_what_they_vary_by(tmp_path):
    x = 1.7e9 + np.random.default_rng(0).normal(size=(20, 7, 1))  # seconds since 1970
    np.savez(tmp_path / "times.npz", x=x)
    frames = np.concatenate(load(tmp_path / "times.npz").train.x)
    assert len(np.unique(frames)) == len(frames)
    assert frames.std() == pytest.approx(1, abs=1e-4)


def test_what_is_missing_says_nothing_of_mean_and_deviation():
    x = np.array([[1.0], [3.0], [np.nan], [100.0]])
    part = Sequences((x, x), (np.array([True, True, False, False]),) * 2)
    view = normalised(Corpus("mine", part, part, part, "real")).view
    assert (view.mean, view.deviation) == (2.0, 1.0)


def test_other_data_are_measured_in_the_units_that_a_model_learned_in(path, tmp_path):
    own, given = load(path), np.load(path)["x"]
    np.savez(tmp_path / "other.npz", x=2 * given[:10])
    np.savez(tmp_path / "plain.npz", x=np.round(2 * given[:10]).astype(int), kind="real", mean=0, deviation=1)
    for name in ("other", "plain"):
        other = load(tmp_path / f"{name}.npz")
        moved = in_units_of(other, own)
        assert same_units(moved, own)
        assert not same_units(other, own)
        for x, known in zip(moved.train.x, other.train.x):
            np.testing.assert_allclose(x, own.view.normalise(other.view.values(known)), atol=1e-4)
            assert x.dtype == np.float32
    assert in_units_of(own, own) is own
    back = in_units_of(own, swiss_roll(20, 3, 3))
    assert back is own  # frames of another shape


def test_what_has_no_view_is_in_units_of_its_own(tmp_path):
    roll = swiss_roll(20, 3, 3)
    np.savez(
        tmp_path / "moved.npz", train=np.stack(roll.train.x), valid=np.stack(roll.valid.x), test=np.stack(roll.test.x)
    )
    for a, b in zip(in_units_of(load(tmp_path / "moved.npz"), roll).test.x, roll.test.x):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_units_are_part_of_what_data_are(path, tmp_path):
    np.savez(tmp_path / "double.npz", x=2.0 * np.load(path)["x"])
    assert digest(load(path)) == digest(load(path))
    assert digest(load(path)) != digest(load(tmp_path / "double.npz"))
