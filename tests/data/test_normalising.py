"""Real numbers of one's own learn at any scale, and are written in their own units."""

import numpy as np
import pytest

from counterpoint.data import load, save_npz
from counterpoint.data.normalising import in_units_of, normalised
from counterpoint.data.sequences import Corpus, Sequences

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
    np.testing.assert_allclose(frames.mean(0), [0, 0, 7], atol=1e-5)
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


def test_what_is_missing_says_nothing_of_mean_and_deviation():
    x = np.array([[1.0], [3.0], [np.nan], [100.0]])
    part = Sequences((x, x), (np.array([True, True, False, False]),) * 2)
    view = normalised(Corpus("mine", part, part, part, "real")).view
    assert (view.mean, view.deviation) == (2.0, 1.0)


def test_other_data_are_measured_in_the_units_that_a_model_learned_in(path, tmp_path):
    own = load(path)
    np.savez(tmp_path / "other.npz", x=2 * np.load(path)["x"][:10])
    other = load(tmp_path / "other.npz")
    moved = in_units_of(other, own)
    for x, known in zip(moved.train.x, other.train.x):
        np.testing.assert_allclose(x, own.view.normalise(other.view.values(known)), atol=1e-4)
        np.testing.assert_allclose(moved.view.values(x), other.view.values(known), rtol=1e-5)
