"""Corpora in a folder: found, verified, cut the right way on both grids, and, where they are, the published sizes."""

import numpy as np
import pytest

from counterpoint.data import load, polyphonic
from counterpoint.data.packed import digest, pack
from counterpoint.errors import CounterpointError

SIZES = {  # sequences and frames of train, valid, test
    "piano_midi": ((87, 75911), (12, 8540), (25, 19036)),
    "nottingham": ((694, 176561), (173, 45513), (170, 44463)),
    "musedata": ((524, 245202), (135, 82755), (124, 64339)),
    "jsb_chorales": ((229, 13807), (76, 4602), (77, 4725)),
    "srnn_piano_midi": ((16, 70400), (16, 9600), (25, 17328)),
    "srnn_nottingham": ((16, 147200), (16, 36800), (170, 37062)),
    "srnn_musedata": ((16, 248000), (16, 78400), (124, 67391)),
    "srnn_jsb_chorales": ((16, 27200), (16, 8000), (77, 9396)),
}
MARGINAL = {  # nats per frame of a Bernoulli for each note: over all test frames, over means of sequences
    "piano_midi": (-11.046, -11.385),
    "nottingham": (-10.254, -10.119),
    "musedata": (-11.510, -10.554),
    "jsb_chorales": (-11.062, -11.005),
}


@pytest.fixture
def twin(tmp_path, arrays, monkeypatch):
    """A small jsb_chorales.npz that is taken for the released one."""
    monkeypatch.setitem(polyphonic.DIGESTS, "jsb_chorales", digest(arrays))
    path = tmp_path / "jsb_chorales.npz"
    np.savez(path, **arrays)  # zipped in another way than ours: content counts
    return path


def test_the_2012_grid_is_cut_into_its_sequences(twin, rolls, tmp_path):
    corpus = load("jsb_chorales", tmp_path)
    for split, xs in rolls.items():
        for found, x in zip(getattr(corpus, split).x, xs, strict=True):
            np.testing.assert_array_equal(found, x)
    assert (corpus.kind, corpus.view.lowest, corpus.step) == ("binary", 21, "quarter note")


def test_the_srnn_grid_is_joined_to_sixteen_streams(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    streams = {s: (rng.random((16, k * 100, 88)) < 0.1).astype(np.uint8) for s, k in (("train", 3), ("valid", 2))}
    test = (rng.random((7, 88)) < 0.1).astype(np.uint8)
    arrays = {"test_rolls": pack(test), "test_lengths": np.array([3, 4], np.int32)}
    for split, x in streams.items():
        chunks = [x[i, t : t + 100] for t in range(0, x.shape[1], 100) for i in range(16)]  # as batches come
        arrays[f"{split}_rolls"] = pack(np.stack(chunks))
    monkeypatch.setitem(polyphonic.DIGESTS, "srnn_musedata", digest(arrays))
    np.savez(tmp_path / "srnn_musedata.npz", **arrays)
    corpus = load("srnn_musedata", tmp_path)
    for split, x in streams.items():
        np.testing.assert_array_equal(np.stack(getattr(corpus, split).x), x)
    np.testing.assert_array_equal(corpus.test.x[1], test[3:])


@pytest.mark.parametrize("sub", ["", "polyphonic"])
@pytest.mark.parametrize("way", ["folder", "env", "cache"])
def test_found_in_the_folder_then_the_variable_then_the_cache(way, sub, twin, tmp_path, monkeypatch):
    place = tmp_path / "cache" if way == "cache" else tmp_path / "place"
    (place / sub).mkdir(parents=True)
    path = twin.rename(place / sub / twin.name)
    if way == "env":
        monkeypatch.setenv("COUNTERPOINT_DATA", str(place))
    assert polyphonic.find("jsb_chorales", place if way == "folder" else None) == path


def test_the_folder_comes_before_the_variable(twin, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (other / twin.name).write_bytes(twin.read_bytes())
    monkeypatch.setenv("COUNTERPOINT_DATA", str(other))
    assert polyphonic.find("jsb_chorales", tmp_path) == twin
    assert polyphonic.find("jsb_chorales") == other / twin.name


@pytest.mark.parametrize("name", SIZES)
def test_absent_says_what_where_and_how(name, tmp_path):
    with pytest.raises(CounterpointError) as caught:
        load(name, tmp_path)
    text = str(caught.value)
    assert "\n" not in text
    assert f"{name}.npz is missing" in text
    assert f"it belongs in {tmp_path}" in text
    how = "marcofraccaro/srnn" if name.startswith("srnn") else f"counterpoint data prepare {name} "
    assert how in text
    assert name.startswith("srnn") or "zhegan27/TSBN_code_NIPS2015" in text


def test_other_content_is_refused_by_name(twin, arrays, tmp_path):
    arrays["valid_rolls"] = arrays["valid_rolls"] ^ 1
    np.savez(twin, **arrays)
    with pytest.raises(CounterpointError, match=r"jsb_chorales\.npz is not the released jsb_chorales"):
        load("jsb_chorales", tmp_path)


@pytest.mark.parametrize(("given", "hint"), [("jsb_chorale", "'jsb_chorales'"), ("choral", "'chorales'")])
def test_unknown_name_gets_the_nearest(given, hint):
    with pytest.raises(CounterpointError, match=f"unknown data '{given}': .* did you mean {hint}"):
        load(given)


def test_find_knows_no_other_names(tmp_path):
    with pytest.raises(CounterpointError, match="unknown corpus 'musdata'; did you mean 'musedata'"):
        polyphonic.find("musdata", tmp_path)


@pytest.mark.corpus
@pytest.mark.parametrize("name", SIZES)
def test_real_sizes(name, corpora):
    corpus = load(name, corpora)
    found = tuple((len(s), int(s.lengths.sum())) for s in (corpus.train, corpus.valid, corpus.test))
    assert found == SIZES[name]
    assert corpus.train.event == (88,)


@pytest.mark.corpus
@pytest.mark.parametrize("name", MARGINAL)
def test_real_marginal_log_likelihoods(name, corpora):
    corpus = load(name, corpora)
    p = np.clip(np.concatenate(corpus.train.x).mean(0), 1e-4, 1 - 1e-4)
    scores = [np.where(x, np.log(p), np.log1p(-p)).sum(1) for x in corpus.test.x]
    found = np.concatenate(scores).mean(), np.mean([s.mean() for s in scores])
    np.testing.assert_allclose(found, MARGINAL[name], rtol=0, atol=6e-4)
