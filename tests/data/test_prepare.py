"""From a MATLAB file to the same arrays, and nothing written when it is not the corpus."""

import sys

import numpy as np
import pytest

from counterpoint.cli import main
from counterpoint.data import load, mocap, polyphonic, prepare
from counterpoint.data.packed import cut, digest, read_npz
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


def mocap_files(place, corpora, change=lambda name, arrays: arrays):
    """What the releases hold, from the arrays that were made of them; skips where one is not there."""
    for name in ("mocap_cmu35", "mocap_mit"):
        if not (corpora / name / mocap.FILES[name]).is_file():
            pytest.skip(f"no {name}: put {mocap.FILES[name]} into {name}/ of the corpora")
    cmu = read_npz(corpora / "mocap_cmu35" / "cmu35_walk_jog.npz")
    one_hot = lambda lengths: np.repeat(np.eye(len(lengths)), lengths, axis=0)
    motions = {"Y": cmu["train"], "lbls": one_hot(cmu["train_lengths"])}
    motions |= {"Ytest": cmu["test"], "lblstest": one_hot(cmu["test_lengths"])}
    scaling = {key: cmu[f"taylor_{key}"][None] for key in ("bias", "scale")}
    mit = read_npz(corpora / "mocap_mit" / "mit_mocap_tsbn.npz")
    walks = {f"{s}_data": cells(cut(mit[s], mit[f"{s}_lengths"])) for s in ("train", "test")}
    files = {"cmu35WalkJog": motions, "cmu35TaylorScaleBias": scaling, "mit_mocap": walks}
    for name, arrays in files.items():
        savemat(place / f"{name}.mat", change(name, arrays))
    return {
        "mocap_cmu35": [place / "cmu35WalkJog.mat", place / "cmu35TaylorScaleBias.mat"],
        "mocap_mit": [place / "mit_mocap.mat"],
    }


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["mocap_cmu35", "mocap_mit"])
def test_motion_is_made_from_the_files_of_its_release(corpora, tmp_path, name, monkeypatch):
    sources = mocap_files(tmp_path, corpora)[name]
    # the command is how users come here
    assert main(["data", "prepare", name, *map(str, sources), "--corpora", str(tmp_path / "out")]) == 0
    made, known = read_npz(tmp_path / "out" / mocap.FILES[name]), read_npz(corpora / name / mocap.FILES[name])
    assert sorted(made) == sorted(known)
    for key, a in known.items():
        np.testing.assert_array_equal(made[key], a)
    assert load(name, tmp_path / "out").name == name


@pytest.mark.corpus
def test_other_motion_is_refused(corpora, tmp_path):
    out = tmp_path / "out"
    sources = mocap_files(tmp_path, corpora)
    with pytest.raises(CounterpointError, match=r"made from cmu35WalkJog\.mat and .*Bias\.mat .*give 2, not 1"):
        prepare("mocap_cmu35", sources["mocap_cmu35"][0], out)
    with pytest.raises(CounterpointError, match="Y is not a matrix of numbers"):
        prepare("mocap_cmu35", sources["mocap_cmu35"][::-1], out)
    with pytest.raises(CounterpointError, match="give 1, not 2"):
        prepare("mocap_mit", sources["mocap_cmu35"], out)
    scaled = lambda name, arrays: {k: a * 2 if k in ("Y", "scale") else a for k, a in arrays.items()}
    with pytest.raises(CounterpointError, match=r"not the released mocap_cmu35 \(31 train, 2 test sequences\)"):
        prepare("mocap_cmu35", mocap_files(tmp_path, corpora, scaled)["mocap_cmu35"], out)
    missing = lambda name, arrays: {k: a for k, a in arrays.items() if k != "test_data"}
    with pytest.raises(CounterpointError, match="0 cell arrays with 'test' in the name"):
        prepare("mocap_mit", mocap_files(tmp_path, corpora, missing)["mocap_mit"], out)
    assert not out.exists()
