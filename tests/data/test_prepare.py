"""From a MATLAB file to the same arrays, and nothing written when it is not the corpus."""

import sys

import numpy as np
import pytest

from counterpoint.data import load, polyphonic, prepare
from counterpoint.data.packed import digest
from counterpoint.errors import CounterpointError

savemat = pytest.importorskip("scipy.io").savemat


def cells(xs, shape=(-1, 1)):
    out = np.empty(len(xs), object)
    out[:] = xs
    return out.reshape(shape)


@pytest.fixture
def known(arrays, monkeypatch):
    monkeypatch.setitem(polyphonic.DIGESTS, "jsb_chorales", digest(arrays))


def refused(tmp_path, text, source=None):
    out = tmp_path / "out"
    with pytest.raises(CounterpointError, match=text) as caught:
        prepare("jsb_chorales", source or tmp_path / "twin.mat", out)
    assert "\n" not in str(caught.value)
    assert not out.exists()


@pytest.mark.parametrize("shape", [(-1, 1), (1, -1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("pattern", ["{}data", "X_{}"])
def test_round_trip(known, rolls, tmp_path, shape, dtype, pattern):
    made = {
        pattern.format(s).replace("train", "Train"): cells([x.astype(dtype) for x in xs], shape)
        for s, xs in rolls.items()
    }
    savemat(tmp_path / "twin.mat", {**made, "note": "x"})
    path = prepare("jsb_chorales", tmp_path / "twin.mat", tmp_path / "out")
    assert path == tmp_path / "out" / "jsb_chorales.npz"
    assert [p.name for p in path.parent.iterdir()] == ["jsb_chorales.npz"]
    corpus = load("jsb_chorales", tmp_path / "out")
    for split, xs in rolls.items():
        for found, x in zip(getattr(corpus, split).x, xs, strict=True):
            np.testing.assert_array_equal(found, x)


def test_goes_to_the_variable_or_the_cache_and_is_found_there(known, rolls, tmp_path, monkeypatch):
    savemat(tmp_path / "twin.mat", {f"{s}data": cells(xs) for s, xs in rolls.items()})
    assert prepare("jsb_chorales", tmp_path / "twin.mat") == tmp_path / "cache" / "jsb_chorales.npz"
    first = (tmp_path / "cache" / "jsb_chorales.npz").read_bytes()
    monkeypatch.setenv("COUNTERPOINT_DATA", str(tmp_path / "env"))
    assert prepare("jsb_chorales", tmp_path / "twin.mat").read_bytes() == first
    assert polyphonic.find("jsb_chorales").parent == tmp_path / "env"


def test_another_corpus_is_refused(rolls, tmp_path):
    savemat(tmp_path / "twin.mat", {f"{s}data": cells(xs) for s, xs in rolls.items()})
    refused(tmp_path, r"not the released jsb_chorales \(3 train, 2 valid, 1 test sequences\).*JSB_Chorales\.mat")


def test_lists_what_it_found_where_a_split_is_missing(known, rolls, tmp_path):
    savemat(tmp_path / "twin.mat", {"traindata": cells(rolls["train"]), "testdata": cells(rolls["test"]), "y": 1})
    refused(tmp_path, r"0 cell arrays with 'valid'.*found traindata \(3, 1\), testdata \(1, 1\), y \(1, 1\)")


def test_two_candidates_are_one_too_many(known, rolls, tmp_path):
    made = {f"{s}data": cells(xs) for s, xs in rolls.items()}
    savemat(tmp_path / "twin.mat", {**made, "trainmore": made["traindata"]})
    refused(tmp_path, "2 cell arrays with 'train'")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x: x[:, :80], r"sequence 1 of valid has shape \(4, 80\); expected \(time, 88\)"),
        (lambda x: x.T, r"shape \(88, 4\)"),
        (lambda x: x * 2, "sequence 1 of valid has the value 2"),
        (lambda x: np.where(x, np.nan, 0), "the value nan"),
        (lambda x: "text", "is not a matrix of numbers"),
        (lambda x: x[:0], "is not a matrix of numbers"),
    ],
)
def test_values_are_checked(known, rolls, tmp_path, change, text):
    rolls["valid"][1] = change(rolls["valid"][1])
    savemat(tmp_path / "twin.mat", {f"{s}data": cells(xs) for s, xs in rolls.items()})
    refused(tmp_path, text)


def test_files_that_are_not_matlab(tmp_path, rolls):
    refused(tmp_path, r"none\.mat does not exist", tmp_path / "none.mat")
    bad = tmp_path / "bad.mat"
    savemat(bad, {f"{s}data": cells(xs) for s, xs in rolls.items()}, do_compression=True)
    whole = bad.read_bytes()
    for content in (b"", b"hello " * 100, whole[:200], whole[: len(whole) // 2]):
        bad.write_bytes(content)
        refused(tmp_path, "cannot be read as a MATLAB file|cell arrays with", bad)


def test_names_that_have_no_matlab_file(tmp_path):
    with pytest.raises(CounterpointError, match="srnn_musedata is not made from a MATLAB file"):
        prepare("srnn_musedata", tmp_path / "a.mat", tmp_path)
    with pytest.raises(CounterpointError, match="unknown corpus 'jsb'"):
        prepare("jsb", tmp_path / "a.mat", tmp_path)


def test_without_scipy_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    refused(tmp_path, r"pip install 'counterpoint\[matlab\]'")
