"""Films to grey images: every format, resizing, the split of KTH, and what cannot be used."""

import sys

import av
import numpy as np
import pytest

from counterpoint.commands.pictures import draw, keep, titled
from counterpoint.data import load, video
from counterpoint.data.views import Images
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError

SIDE = 32


def film(seed: int, length: int = 6, height: int = SIDE, width: int = SIDE, colours: int = 0) -> np.ndarray:
    """(T, H, W[, 3]) uint8, in squares of 8 pixels so that little is lost in compression."""
    shape = (length, height // 8, width // 8, *((colours,) if colours else ()))
    x = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    return x.repeat(8, axis=1).repeat(8, axis=2)


def write(path, frames: np.ndarray, rate: int = 25, codec: str = "ffv1", form: str = "gray") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = form
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="gray" if frame.ndim == 2 else "rgb24")
            out.mux(stream.encode(picture.reformat(format=form)))
        out.mux(stream.encode())


@pytest.fixture
def folder(tmp_path):
    for i in range(4):
        write(tmp_path / "in" / f"film{i}.avi", film(i))
    return tmp_path / "in"


def test_a_lossless_film_comes_back_as_it_was(folder):
    corpus = load(folder)
    assert (corpus.kind, corpus.view, corpus.seconds) == ("grey", Images(64, 64), 1 / 25)
    corpus = video(folder, resolution=SIDE)
    assert [len(part) for part in (corpus.train, corpus.valid, corpus.test)] == [2, 1, 1]
    for part in (corpus.train, corpus.valid, corpus.test):
        for name, x in zip(part.names, part.x):
            whole = film(int(name[-1])).reshape(6, -1)
            np.testing.assert_array_equal(x, whole / np.float32(255))


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "mpeg4"), ("mkv", "mpeg4"), ("mpg", "mpeg2video"), ("mov", "png")]
)
def test_other_formats_are_near_what_was_filmed(tmp_path, suffix, codec):
    form = "rgb24" if codec == "png" else "yuv420p"
    for i in range(3):
        write(tmp_path / f"film{i}.{suffix}", film(i), codec=codec, form=form)
    corpus = video(tmp_path, SIDE)
    (x,), (name,) = corpus.train.x, corpus.train.names
    assert len(x) == 6
    assert np.abs(x * 255 - film(int(name[-1])).reshape(6, -1)).mean() < 12


def test_areas_are_averaged_and_colours_become_grey(tmp_path):
    a = film(0, 3, 48, 96)
    np.savez(tmp_path / "films.npz", **{f"f{i}": a for i in range(3)})
    corpus = load(tmp_path / "films.npz")
    assert corpus.train.event == (64 * 64,)
    corpus = video(tmp_path / "films.npz", 16)
    means = a.reshape(3, 16, 3, 16, 6).astype(float).mean((2, 4)).reshape(3, -1)
    assert np.abs(corpus.train.x[0] * 255 - means).max() <= 1  # whole 255ths
    red = np.zeros((2, 8, 8, 3), np.uint8)
    red[..., 0] = 200
    np.save(tmp_path / "films.npy", np.stack([red] * 3))
    corpus = video(tmp_path / "films.npy", 4)
    assert np.unique(corpus.train.x[0] * 255).tolist() == pytest.approx([round(0.299 * 200)])


def test_films_go_with_a_likelihood_on_their_grid(folder):
    corpus = video(folder, 8)
    known = facts(corpus.train.x, corpus.kind, likelihood="discretised_gaussian")
    assert known.family.step == pytest.approx(1 / 255, rel=1e-5)


@pytest.mark.parametrize("people", [(11, 12, 19, 1, 22, 2), (21, 22, 23)])
def test_kth_is_split_by_person(tmp_path, people):
    films = {f"person{p:02d}_{act}_d1_uncomp": film(p) for p in people for act in ("boxing", "running")}
    for name, frames in films.items():
        write(tmp_path / "kth" / f"{name}.avi", frames)
    corpus = video(tmp_path / "kth", SIDE)
    who = [{int(name[6:8]) for name in part.names} for part in (corpus.train, corpus.valid, corpus.test)]
    if 11 in people:
        assert who == [{11, 12}, {19, 1}, {22, 2}]
    else:  # the published split leaves a part empty: still no one is in two
        assert [len(w) for w in who] == [1, 1, 1]
        assert set.union(*who) == set(people)


def test_kth_is_cut_into_its_clips(tmp_path):
    for p in (11, 19, 22):
        write(tmp_path / f"person{p}_boxing_d1_uncomp.avi", film(p))
    lines = "a header\nperson11_boxing_d1\t\tframe\t1-2, 4-6\nperson22_boxing_d1 frame 2-9\n"
    (tmp_path / "00sequences.txt").write_text(lines)
    corpus = video(tmp_path, SIDE)
    assert corpus.train.names == ("person11_boxing_d1_uncomp, clip 1", "person11_boxing_d1_uncomp, clip 2")
    whole = film(11).reshape(6, -1) / np.float32(255)
    np.testing.assert_array_equal(corpus.train.x[0], whole[:2])
    np.testing.assert_array_equal(corpus.train.x[1], whole[3:])
    assert corpus.valid.lengths.tolist() == [6]
    assert corpus.test.lengths.tolist() == [5]
    (tmp_path / "00sequences.txt").write_text("person11_boxing_d1 frame 7-9\n")
    with pytest.raises(CounterpointError, match="has 6 frames, and none from 7 to 9"):
        video(tmp_path)


def test_what_is_no_film(folder, tmp_path):
    path = folder / "film1.avi"
    whole = path.read_bytes()
    for data in (
        b"",
        b"RIFF of something else" * 9,
        b"#EXTM3U\n#EXTINF:1,\n" + str(path).encode() + b"\n",
        whole[:900],
    ):
        path.write_bytes(data)
        with pytest.raises(CounterpointError, match=r"film1\.avi (cannot be read as a video|has no frames)") as caught:
            video(folder)
        assert "\n" not in str(caught.value)
    for name in ("film1", "film2"):
        (folder / f"{name}.avi").unlink()
    with pytest.raises(CounterpointError, match="has 2 videos; give 3 or more"):
        video(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CounterpointError, match="has no videos"):
        video(tmp_path / "empty")


def test_a_list_of_other_files_is_no_film(folder, tmp_path, monkeypatch):
    """FFmpeg would follow it, to files that no one named."""
    write(tmp_path / "outside.mkv", film(9))
    monkeypatch.chdir(tmp_path)
    (folder / "film1.avi").write_text("ffconcat version 1.0\nfile 'outside.mkv'\n")
    with pytest.raises(CounterpointError, match=r"film1\.avi cannot be read as a video"):
        video(folder)


def test_bytes_by_a_name_that_is_known_are_sequences(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(4 * 3 * 2, dtype=np.uint8).reshape(4, 3, 2))
    corpus = load(tmp_path / "a.npz")
    assert (corpus.kind, corpus.train.event) == ("count", (2,))


ODD = {
    "floats": np.zeros((3, 4, 8, 8)),
    "one image": np.zeros((8, 8), np.uint8),
    "two colours": np.zeros((3, 4, 8, 8, 2), np.uint8),
    "no frames": np.zeros((3, 0, 8, 8), np.uint8),
}


@pytest.mark.parametrize("name", ODD)
def test_arrays_that_are_no_films(name, tmp_path):
    np.save(tmp_path / "a.npy", ODD[name])
    with pytest.raises(CounterpointError, match=r"give uint8 \(time, height, width\)"):
        load(tmp_path / "a.npy")


def test_an_array_file_is_never_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    for data in ((tmp_path / "a.npy").read_bytes(), b"", b"\x93NUMPY"):
        (tmp_path / "a.npy").write_bytes(data)
        with pytest.raises(CounterpointError, match=r"cannot be read as an \.npy file"):
            load(tmp_path / "a.npy")
    with pytest.raises(CounterpointError, match=r"absent\.npy does not exist"):
        load(tmp_path / "absent.npy")


def test_without_the_library_one_line_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(CounterpointError, match=r"needs av, .* pip install 'counterpoint\[video\]'"):
        video(folder)


def test_films_are_shown_as_films(folder, tmp_path):
    corpus = video(folder, 16)
    assert [f.name for f in keep(corpus, titled(corpus.train.x), tmp_path / "a.gif")] == ["a.gif"]
    keep(corpus, titled(corpus.train.x), tmp_path / "b.gif", 1)
    assert (tmp_path / "a.gif").read_bytes() != (tmp_path / "b.gif").read_bytes()  # its titles say what was given
    draw(corpus, {"data": corpus.train.x[0]}, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000


@pytest.mark.corpus
def test_the_sample_of_kth(corpora):
    corpus = load("kth_sample", corpora)
    assert [part.lengths.tolist() for part in (corpus.train, corpus.valid, corpus.test)] == [
        [390, 378, 550, 415],
        [328],
        [512],
    ]
    assert corpus.view == Images(64, 64)
