"""Still images: what files hold, how images are drawn, and that training draws them anew."""

import sys

import jax
import numpy as np
import pytest

from counterpoint.bounds import ELBO
from counterpoint.core import AbstractEstimator, Estimate, Pairing
from counterpoint.data import FOUND, load, load_npz, moving_mnist, save_npz
from counterpoint.data.moving_mnist import FILES
from counterpoint.data.packed import digest
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.inference import PriorConfig
from counterpoint.models import AutoregressiveConfig
from counterpoint.training import FitConfig, OptimiserConfig, fit
from data.test_moving_mnist import idx

mnist = sys.modules[FOUND["mnist"].__module__]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Files of all four corpora with few images, taken for the real ones."""
    monkeypatch.setattr(sys.modules[moving_mnist.__module__], "HELD", 3)
    monkeypatch.setattr(mnist, "HELD", 3)
    monkeypatch.setattr(mnist, "VALID", 2)
    monkeypatch.setattr(mnist, "TEST", 3)
    rng = np.random.default_rng(0)
    (tmp_path / "mnist").mkdir()
    half = np.zeros((7, 28, 28), np.uint8)
    half[:, :14], half[:, 14:, :14] = 255, 51
    idx(tmp_path / "mnist" / FILES["train"], half)
    idx(tmp_path / "mnist" / FILES["test"], half[:5])
    bits = lambda n: rng.integers(0, 256, (n, 98)).astype(np.uint8)
    ink = lambda n: np.full((n, 28, 28), np.arange(n)[:, None, None] % 17, np.uint8)
    known = {
        "mnist_fixed": {"train": bits(5), "valid": bits(2), "test": bits(3)},
        "omniglot": {"background_images": ink(9), "evaluation_images": ink(8) + np.uint8(8)},
        "caltech_silhouettes": {"train_bits": bits(5), "val_bits": bits(2), "test_bits": bits(3)},
    }
    files = dict(mnist.ARRAYS)
    for name, arrays in known.items():
        file, sub, _, how = files[name]
        (tmp_path / sub).mkdir(exist_ok=True)
        np.savez(tmp_path / sub / file, **arrays)
        files[name] = (file, sub, digest(arrays), how)
    monkeypatch.setattr(mnist, "ARRAYS", files)
    return tmp_path, known


def test_grey_values_are_probabilities_and_the_draw_stays(small):
    corpus = load("mnist", small[0])
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (4, 3, 5)
    assert (corpus.kind, corpus.step, corpus.view.height, corpus.train.x[0].shape) == ("binary", "image", 28, (1, 784))
    x = np.concatenate(corpus.train.x).reshape(-1, 28, 28)
    assert (x[:, :14] == 1).all()
    assert (x[:, 14:, 14:] == 0).all()
    assert 0.1 < x[:, 14:, :14].mean() < 0.3
    np.testing.assert_allclose(corpus.train.chances[0].reshape(28, 28)[20, [3, 20]], [0.2, 0], atol=1e-7)
    assert corpus.valid.chances is None
    for a, b in zip((*corpus.train.x, *corpus.test.x), (lambda c: (*c.train.x, *c.test.x))(load("mnist", small[0]))):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(corpus.train.x[0], corpus.valid.x[0])


def test_grey_values_themselves(small):
    corpus = load("mnist_grey", small[0])
    assert (len(corpus.train), len(corpus.valid), len(corpus.test), corpus.kind) == (4, 3, 5, "grey")
    for part in (corpus.train, corpus.valid, corpus.test):
        x = np.concatenate(part.x).reshape(-1, 28, 28)
        assert (x[:, :14] == 1).all()
        np.testing.assert_allclose(x[:, 14:, :14], 0.2, atol=1e-7)
        assert (x[:, 14:, 14:] == 0).all()
        assert part.chances is None


@pytest.mark.parametrize(("name", "keys"), [("mnist_fixed", "{}"), ("caltech_silhouettes", "{}_bits")])
def test_bits_are_as_they_were_packed(small, name, keys):
    corpus = load(name, small[0])
    for split in ("train", "valid", "test"):
        key = keys.format("val" if split == "valid" and "bits" in keys else split)
        want = np.unpackbits(small[1][name][key], axis=1)[:, None, :784]
        np.testing.assert_array_equal(np.stack(getattr(corpus, split).x), want)
    assert corpus.train.chances is None


def test_omniglot_is_split_once_for_all(small):
    corpus = load("omniglot", small[0])
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (12, 2, 3)
    greys = [float(a[0, 0]) * 16 for a in corpus.train.chances]
    assert len(greys) == len(set(zip(greys, range(12))))
    assert set(greys) <= {float(v) for v in range(17)}
    again = load("omniglot", small[0])
    np.testing.assert_array_equal(np.stack(again.test.x), np.stack(corpus.test.x))


@pytest.mark.parametrize("name", ["mnist_fixed", "omniglot", "caltech_silhouettes"])
def test_other_files_are_refused(small, name):
    file, sub, _, _ = mnist.ARRAYS[name]
    np.savez(small[0] / sub / file, **{key: a[::-1] for key, a in small[1][name].items()})
    with pytest.raises(CounterpointError, match=f"is not {name} as it is known here"):
        load(name, small[0])
    (small[0] / sub / file).unlink()
    with pytest.raises(CounterpointError, match=f"{file} is missing"):
        load(name, small[0])


class Mean(AbstractEstimator):
    """Reports what it is shown as the bound, and learns nothing."""

    def __call__(self, p, q, bound, batch, key, memory, step):
        return Estimate(0.0 * p.bias.sum(), batch.x.mean(), {}), memory


def test_training_draws_anew_at_every_step_and_the_same_with_the_same_seed():
    chances = tuple(np.full((1, 400), 0.25, np.float32) for _ in range(4))
    sequences = Sequences(tuple(np.zeros((1, 400), np.uint8) for _ in range(4)), chances=chances)
    known = facts(sequences.x)
    p = AutoregressiveConfig(order=0).build(known, jax.random.key(0))
    pairing = Pairing(p, PriorConfig().build(p, known, None), ELBO(), Mean())
    config = FitConfig(epochs=6, batch_size=4, optimiser=OptimiserConfig("sgd"))
    rates = lambda seed: [row["train"][0] for row in fit(pairing, sequences, config=config, seed=seed).progress.history]
    found = rates(0)
    assert len(set(found)) == 6
    assert np.mean(found) == pytest.approx(0.25, abs=4.5 * (0.25 * 0.75 / 9600) ** 0.5)
    assert rates(0) == found
    assert set(rates(1)).isdisjoint(found)
    # without chances, what is there is taken as it is
    plain = Sequences(sequences.x)
    assert {row["train"][0] for row in fit(pairing, plain, config=config).progress.history} == {0.0}


def test_chances_follow_their_sequences():
    x = tuple(np.full((n, 2), n % 2, np.uint8) for n in (1, 2, 3))
    chances = tuple(np.full((n, 2), n / 4, np.float32) for n in (1, 2, 3))
    given = Sequences(x, chances=chances)
    assert [float(a[0, 0]) for a in given.take([2, 0]).chances] == [0.75, 0.25]
    assert [a.shape for a in given.first(2, 1).chances] == [(1, 2), (1, 2)]
    with pytest.raises(CounterpointError, match="chances are not shaped like x"):
        Sequences(x, chances=chances[:2])


def test_chances_are_kept_in_a_file(small, tmp_path):
    corpus = load("mnist", small[0])
    save_npz(tmp_path / "digits.npz", corpus)
    again = load_npz(tmp_path / "digits.npz")
    np.testing.assert_array_equal(np.stack(again.train.chances), np.stack(corpus.train.chances))
    assert again.test.chances is None
    x = np.zeros((4, 1, 2), np.uint8)
    for chances in (np.zeros((4, 1, 3)), np.full((4, 1, 2), 1.5)):
        np.savez(tmp_path / "odd.npz", x=x, chances=chances)
        with pytest.raises(CounterpointError, match=r"chances has shape .*, a probability of 1 for each value"):
            load_npz(tmp_path / "odd.npz")


@pytest.mark.corpus
def test_of_the_real_corpora(corpora):
    sizes = {"mnist_fixed": (50000, 10000, 10000), "omniglot": (23045, 1345, 8070)}
    for name, size in (sizes | {"caltech_silhouettes": (4100, 2264, 2307)}).items():
        corpus = load(name, corpora)
        assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == size
        ink = np.mean([a.mean() for a in corpus.test.x])
        assert ink == pytest.approx({"mnist_fixed": 0.1325, "omniglot": 0.0704}.get(name, 0.5390), abs=1e-3)
