"""Corpora of motion: Taylor's features and back, the splits, and the errors of simple predictions in print."""

import numpy as np
import pytest

from counterpoint.data import load, mocap
from counterpoint.data.motion import Motion, Taylor
from counterpoint.data.packed import digest, read_npz
from counterpoint.errors import CounterpointError

COLUMNS = np.array([6, 8, 9], np.int32)  # column 7 is dropped


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Small files that are taken for the known ones, by name of corpus."""
    rng = np.random.default_rng(0)
    names = ["35_01", *mocap.VALID, "35_28"]
    cmu = {
        "train": rng.normal(size=(20, 10)) * 30,
        "train_lengths": np.array([4, 3, 6, 2, 5], np.int32),
        "train_names": np.array(names),
        "test": rng.normal(size=(5, 10)) * 30,
        "test_lengths": np.array([2, 3], np.int32),
        "test_names": np.array(["35_18", "35_29"]),
        "channel_names": np.array([f"c{i}" for i in range(10)]),
        "taylor_bias": rng.normal(size=12),
        "taylor_scale": rng.uniform(0.5, 2, 12),
        "taylor_joint_columns": COLUMNS,
    }
    mit = {
        "train": rng.normal(size=(10, 4)),
        "train_lengths": np.array([2] * 5, np.int32),
        "test": rng.normal(size=(3, 4)),
        "test_lengths": np.array([2, 1], np.int32),
    }
    files = {"mocap_cmu35": cmu, "mocap_mit": mit}
    for name, arrays in files.items():
        monkeypatch.setitem(mocap.DIGESTS, name, digest(arrays))
        np.savez(tmp_path / mocap.FILES[name], **arrays)
    return files


def test_features_are_taylors_and_come_back(small, tmp_path):
    corpus = load("mocap_cmu35", tmp_path)
    arrays = small["mocap_cmu35"]
    raw = arrays["test"][2:]
    root = np.radians(raw[:, 3:6])
    plain = np.concatenate([raw[:, :3], np.sin(root), np.cos(root), raw[:, COLUMNS]], axis=1)
    expected = (plain - arrays["taylor_bias"]) * arrays["taylor_scale"]
    np.testing.assert_allclose(corpus.test.x[1], expected, rtol=0, atol=1e-12)
    back = corpus.view.channels(corpus.test.x[1])
    np.testing.assert_allclose(np.sin(np.radians(back[:, 3:6])), np.sin(root), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cos(np.radians(back[:, 3:6])), np.cos(root), rtol=0, atol=1e-12)
    kept = [0, 1, 2, 6, 8, 9]
    np.testing.assert_allclose(back[:, kept], raw[:, kept], rtol=0, atol=1e-12)
    np.testing.assert_allclose(back[:, 7], arrays["train"][:, 7].mean())
    assert (np.abs(back[:, 3:6]) <= 180).all()


def test_a_sine_and_cosine_of_no_angle_give_their_direction():
    taylor = Taylor(np.zeros(9), np.ones(9), np.array([], int), np.zeros(6))
    f = np.array([[0.0, 0, 0, 3.0, 0.0, -2.0, 3.0, 0.5, 0.0]])
    np.testing.assert_allclose(taylor.decode(f)[0, 3:], [45.0, 0.0, -90.0])


def test_splits_of_cmu(small, tmp_path):
    corpus = load("mocap_cmu35", tmp_path)
    assert corpus.train.names == ("35_01", "35_28")
    assert corpus.valid.names == mocap.VALID
    assert corpus.test.names == ("35_18", "35_29")
    assert corpus.valid.lengths.tolist() == [3, 6, 2]
    assert (corpus.kind, corpus.seconds, corpus.train.event) == ("real", 1 / 30, (12,))


def test_splits_of_mit(small, tmp_path):
    corpus = load("mocap_mit", tmp_path)
    arrays = small["mocap_mit"]
    np.testing.assert_array_equal(np.concatenate(corpus.train.x), arrays["train"][:4])
    np.testing.assert_array_equal(np.concatenate(corpus.valid.x), arrays["train"][4:])
    np.testing.assert_array_equal(corpus.test.x[1], arrays["test"][2:])
    assert corpus.view is None


@pytest.mark.parametrize(("name", "source"), [("mocap_cmu35", "SheffieldML/GPmat"), ("mocap_mit", "zhegan27/TSBN")])
def test_absent_or_altered_says_where_it_is_from(name, source, small, tmp_path):
    arrays = small[name]
    arrays["test"][0, 0] += 1e-9
    path = tmp_path / mocap.FILES[name]
    np.savez(path, **arrays)
    with pytest.raises(CounterpointError, match=rf"is not the known {name} .*{source}") as caught:
        load(name, tmp_path)
    assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(CounterpointError, match=rf"{path.name} is missing .*{source}"):
        load(name, tmp_path)


def test_without_a_skeleton_there_are_no_positions(small, tmp_path):
    corpus = load("mocap_cmu35", tmp_path)
    with pytest.raises(CounterpointError, match=r"no skeleton; put its \.asf file beside the corpus"):
        corpus.view.positions(corpus.test.x[0])


def test_another_skeleton_is_refused(small, tmp_path):
    text = ":root\norder RX\naxis XYZ\nposition 0 0 0\norientation 0 0 0\n:bonedata\n:hierarchy\nbegin\nend\n"
    bone = "begin\nname a\ndirection 0 1 0\nlength 1\naxis 0 0 0 XYZ\nend\n"
    (tmp_path / "35.asf").write_text(text.replace(":hierarchy\nbegin", f"{bone}:hierarchy\nbegin\nroot a"))
    with pytest.raises(CounterpointError, match=r"35\.asf has other channels than cmu35_walk_jog\.npz"):
        load("mocap_cmu35", tmp_path)


def found(name, corpora):
    if not (corpora / name / mocap.FILES[name]).is_file():
        pytest.skip(f"no {name}: put {mocap.FILES[name]} into {name}/ of the corpora")
    return load(name, corpora)


def copying(x):
    """Mean over frames 2..T of the summed squared difference from the frame before."""
    return float(((x[1:] - x[:-1]) ** 2).sum(1).mean())


@pytest.mark.corpus
def test_cmu35(corpora):
    corpus = found("mocap_cmu35", corpora)
    assert [(len(s), int(s.lengths.sum())) for s in (corpus.train, corpus.valid, corpus.test)] == [
        (28, 2399),
        (3, 245),
        (2, 169),
    ]
    known = np.concatenate([*corpus.train.x, *corpus.valid.x])
    np.testing.assert_allclose(known.mean(0), np.zeros(59), rtol=0, atol=1e-10)
    np.testing.assert_allclose(known.std(0, ddof=1), np.ones(59), rtol=0, atol=1e-10)
    np.testing.assert_allclose([copying(x) for x in corpus.test.x], [12.97, 4.92], rtol=0, atol=0.005)
    raw = read_npz(corpora / "mocap_cmu35" / mocap.FILES["mocap_cmu35"])["test"]
    assert isinstance(corpus.view, Motion)
    back = np.concatenate([corpus.view.channels(x) for x in corpus.test.x])
    np.testing.assert_allclose(back, raw, rtol=0, atol=1e-11)  # dropped channels are constant
    assert corpus.view.positions(corpus.test.x[0]).shape == (44, 31, 3)


@pytest.mark.corpus
def test_mit(corpora):
    corpus = found("mocap_mit", corpora)
    assert [s.lengths.tolist() for s in (corpus.train, corpus.valid, corpus.test)] == [
        [100] * 32,
        [100] * 3,
        [100, 100, 100, 26],
    ]
    everything = np.concatenate([x for s in (corpus.train, corpus.valid, corpus.test) for x in s.x])
    np.testing.assert_allclose(everything.std(0, ddof=1), np.ones(49), rtol=0, atol=1e-10)
    assert abs(np.mean([copying(x) for x in corpus.test.x]) - 5.33) < 0.005
