"""A user's `.npz` that cannot be used: each is one line that says why, and nothing is ever unpickled."""

import io
import pickle
import shutil
import zipfile

import numpy as np
import pytest

from counterpoint.data import load, load_npz
from counterpoint.data.packed import read_npz
from counterpoint.errors import CounterpointError

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((4, 5, 2))
LENGTHS = np.array([5, 2, 1, 3])
STACKED = np.concatenate([x[:n] for x, n in zip(REAL, LENGTHS)])


def three(x, **parts):
    return dict.fromkeys(("train", "valid", "test"), x) | {
        f"{s}_{k}": v for s in ("train", "valid", "test") for k, v in parts.items()
    }


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({}, "holds no arrays"),
        ({"train": REAL, "test": REAL}, r"has no array valid \(it has train, test\)"),
        (three(REAL) | {"x": REAL}, "has x and also test, train, valid"),
        ({"y": REAL}, "unknown array 'y'; call it x; "),
        ({"x": REAL[..., 0]}, "real numbers, which may be .* sequences of"),
        ({"trian": REAL}, "unknown array 'trian'; did you mean 'train'"),
        (three(REAL) | {"train_length": LENGTHS}, "'train_length'; did you mean 'train_lengths'"),
        ({"data": REAL}, "unknown array 'data'; call it x; "),
        ({"X": REAL, "lengths": LENGTHS}, "unknown array 'X'; call it x; "),
        ({"arr_0": REAL}, "unknown array 'arr_0'; call it x; "),
        ({"x": STACKED, "x_lengths": LENGTHS}, "unknown array 'x_lengths'; call it lengths; "),
        (three(REAL) | {"lengths": LENGTHS}, "has lengths without x; call it train_lengths"),
        ({"x": REAL[:2]}, "has 2 sequences; give 3 or more"),
        (three(np.ones(5)), r"train_lengths is missing: an array of shape \(5,\)"),
        (three(np.ones((2, 0))), "sequence 0 has length zero"),
        (three(np.ones((0, 2))), r"shape \(0, 2\); give \(sequences, time"),
        (three(np.array(1.0)), r"shape \(\); give"),
        (three(np.array([["a", "b"]])), "dtype <U1; give numbers"),
        (three(np.array([[1.0, np.nan]])), "sequence 0 has NaN or infinity at step 1"),
        (three(REAL, lengths=LENGTHS[:3]), "3 lengths with sum 8 and largest 5 do not fit"),
        (three(REAL, lengths=LENGTHS + 1), "largest 6 do not fit"),
        (three(STACKED, lengths=LENGTHS + 1), "sum 15"),
        (three(REAL, lengths=LENGTHS * 1.0), "dtype float64; give one whole number"),
        (three(REAL, lengths=LENGTHS[:, None]), r"train_lengths has shape \(4, 1\)"),
        (three(REAL, lengths=np.array([5, 0, 1, 3])), "train_lengths has 0 at 1; leave empty sequences out"),
        (three(REAL, lengths=np.array([5, -2, 1, 3])), "has -2 at 1"),
        (three(REAL, observed=np.ones((4, 4), bool)), r"observed has shape \(4, 4\); give \(4, 5\)"),
        (three(REAL, observed=np.full((4, 5), 2)), "observed has dtype int64; give True"),
        (three(REAL, names=np.arange(4)), "names has shape"),
        (three(REAL, names=np.array(["a"])), "1 names for 4 sequences"),
        (three(REAL) | {"test": REAL[..., :1]}, r"frames of test have shape \(1,\)"),
        (three(REAL) | {"kind": np.array("reel")}, "unknown kind 'reel'; did you mean 'real'"),
        (three(REAL) | {"kind": np.array(3)}, "kind is not one text"),
        (three(REAL) | {"lowest": np.array("a")}, "lowest is not one number"),
        (three(REAL) | {"words": np.array(["a"])}, r"words is not a word for each column, of shape \(2,\); it is <U1"),
        (three(REAL) | {"times": np.array(["1990"])}, "words is not a word for each column.*; it is missing"),
        (three(REAL) | {"words": np.array(["a", "b"]), "lowest": np.array(3)}, "has lowest and words; columns are"),
        (three(REAL) | {"image": np.array([3, 2])}, "image says 3 x 2 pixels, but a frame has 2"),
        (three(REAL) | {"motion_bias": np.zeros(2)}, "motion_rest is not numbers; it is missing"),
        (three(REAL) | {"layout": np.array("stackd")}, "unknown layout 'stackd'; did you mean 'stacked'"),
        (three(REAL) | {"layout": np.array("stacked")}, "train_lengths is missing"),
        (three(REAL, lengths=LENGTHS) | {"layout": np.array("stacked")}, "that is stacked"),
    ],
)
def test_arrays_that_do_not_fit(made, arrays, text):
    with pytest.raises(CounterpointError, match=text) as caught:
        made(**arrays)
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"train_rolls": np.zeros((9, 12), np.uint8)}, r"train_rolls has shape \(9, 12\)"),
        ({"train_rolls": np.zeros((9, 11))}, r"give uint8 \(frames, 11\)"),
        ({"train": np.zeros((9, 88))}, "has both train and train_rolls"),
        ({"train_lengths": np.array([3, 1])}, "2 lengths with sum 4"),
    ],
)
def test_packed_that_does_not_fit(made, arrays, change, text):
    with pytest.raises(CounterpointError, match=text):
        made(**(arrays | change))


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def test_objects_are_never_loaded(made):
    with pytest.raises(CounterpointError, match="train holds Python objects, which are never loaded"):
        made(**three(np.array([[Bomb()]], object)))


def member(content: bytes, name: str = "train.npy") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def npy(**header) -> bytes:
    text = repr(header).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty"),
        (b"hello", "is not an .npz file"),
        (pickle.dumps([1]), "is not an .npz file"),
        (b"PK\x03\x04 and then something else", "cannot be read"),
        (member(b"hello", "notes.txt"), "holds notes.txt, not only arrays"),
        (member(b"hello"), "cannot be read|Python objects"),
        (member(b""), "cannot be read"),
        (member(npy(descr="<f8", fortran_order=False, shape=(1 << 60,))), "cannot be read"),
        (member(npy(descr="<f8", fortran_order=False, shape=(-1,))), "cannot be read|has no array|shape"),
        (member(npy(descr="<q9", fortran_order=False, shape=(1,))), "cannot be read"),
        (member(npy(descr="<f8")), "cannot be read"),
    ],
)
def test_files_that_are_not_npz(tmp_path, content, text):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    with pytest.raises(CounterpointError, match=text) as caught:
        load_npz(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_npy_array_is_not_enough(tmp_path):
    np.save(tmp_path / "mine.npy", REAL)
    with pytest.raises(CounterpointError, match=r"holds one \.npy array"):
        load_npz(tmp_path / "mine.npy")


def test_missing_file_and_folder(tmp_path):
    for name in ("none.npz", "none.wav", "none.zip", "none"):
        with pytest.raises(CounterpointError, match=rf"{name} does not exist; give a file .* counterpoint data lists"):
            load(str(tmp_path / name))
    with pytest.raises(CounterpointError, match=r"is a folder"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("one.mid", "is one file; give the folder that it is in"),
        ("one.WAV", "is one file; give the folder that it is in"),
        ("one.mp4", "is one file; give the folder that it is in"),
        ("1863.txt", "is one file; give the folder that it is in, or numbers as an .npz"),
        ("one.amc", "is one file; give the folder that it is in"),
        ("one.csv", "is one file; give a folder of three or more, each a sequence"),
    ],
)
def test_a_file_of_which_a_folder_or_an_npz_is_read(tmp_path, name, text):
    (tmp_path / name).write_bytes(b"1,2")
    with pytest.raises(CounterpointError, match=text) as caught:
        load(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_an_array_alone_is_told_how_to_be_an_npz(tmp_path):
    np.save(tmp_path / "mine.npy", REAL)
    with pytest.raises(CounterpointError, match=r'np\.savez\("mine\.npz", x=np\.load\("mine\.npy"\)\)'):
        load(tmp_path / "mine.npy")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_of_two_kinds_is_read_as_neither(tmp_path, zipped):
    (tmp_path / "both").mkdir()
    for name in ("song.mid", "take.wav", "notes.txt"):
        (tmp_path / "both" / name).write_bytes(b"")
    path = tmp_path / "both"
    if zipped:
        path = shutil.make_archive(str(path), "zip", path)
    with pytest.raises(CounterpointError, match=r"has take\.wav and song\.mid, which are not read together"):
        load(path)


def test_cut_short_or_damaged_anywhere(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, **three(REAL))
    whole = path.read_bytes()
    expected = read_npz(path)
    rng = np.random.default_rng(0)
    for cut in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:cut])
        with pytest.raises(CounterpointError):
            read_npz(path)
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(damaged))
        try:
            found = read_npz(path)  # a bit that nobody reads, such as a date's
        except CounterpointError:
            continue
        assert sum(np.array_equal(found.get(k), expected[k]) for k in expected) >= len(expected) - 1
