"""Recorded sound to sequences of windows, x_t = (s_200t, ..., s_200t+199), s normalised (Chung et al. 2015, sec. 4.1).

    x = (sample - mean) / deviation

by the mean and the deviation of all training samples, one number each, so that a value lies on a grid of step
D = 1 / deviation: what a discretised likelihood needs (TIMIT: about 1 / 549). Samples are numbers of 16 bits, -32768 to
32767, whatever the file holds. What is left at the end of a recording, less than a window, is dropped.

Files are WAV, NIST SPHERE (as the real TIMIT has it, named .WAV or .sph) or FLAC, of one rate for all. Of
several channels the mean is taken. They are split by speaker, by the folders they are in:

    train, test    above a file, in whatever case: the standard split, as TIMIT has it (4620 and 1680 recordings).
                   valid, val or dev validate; where there is none, 1 of 20 speakers of train do (TIMIT: 23)
    other folders  the first folder that differs is the speaker; 80/10/10 of them
    no folders     80/10/10 of the recordings

`timit_sample` (the sample that NLTK distributes) and `fsdd` (spoken digits) are read from their zips.
"""

import io
import math
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from counterpoint.data import archives, folders
from counterpoint.data.mending import mended
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.splitting import by_group, held_out
from counterpoint.data.views import Audio
from counterpoint.errors import CounterpointError

SUFFIXES = (".wav", ".sph", ".flac")
WINDOW = 200  # samples
LIMIT = 8 * 2**30  # bytes of all files together
FULL = 2**15  # of 16 bits
SHARE = 0.05  # of the training speakers validate where nothing else is said
SPLITS = {"train": "train", "test": "test", "valid": "valid", "val": "valid", "dev": "valid"}  # by name of a folder


class Recording(NamedTuple):
    name: str  # of its file, without suffix
    samples: np.ndarray  # (n,) int16


def speech(path: str | Path, rate: int | None = None, window: int = WINDOW) -> Corpus:
    """The recordings of a folder or a zip as windows (T, `window`) float32, kind "real".

    Files in folders train and test are split so, and those in valid, val or dev validate, else 1 of 20 training
    speakers. In other folders the first that differs is the speaker, and speakers are split 80/10/10; without folders,
    recordings are.

    rate    samples a second to resample to; None leaves them as they are

    Raises CounterpointError for a folder or zip that cannot be read or has no recordings, for files that are damaged,
    differ in rate or are shorter than a window, and where a split is left empty.
    """
    path = Path(path).expanduser()
    found, rate = read(path, rate)
    parts = _standard([r.name for r in found]) or by_group(str(path), *_groups([r.name for r in found]))
    return corpus(path.resolve().stem, {split: [found[i] for i in rows] for split, rows in parts.items()}, rate, window)


def load_timit_sample(folder: Path | None = None) -> Corpus:
    """16 speakers, a woman and a man of each of 8 dialect regions, 10 sentences each, 16 kHz: "timit_sample".

    Regions 1 to 6 train, 7 validates and 8 tests. The files are damaged, and are mended (`mending`). It is no TIMIT:
    490 seconds in all, other sentences and another split, so no number of it compares with published ones.

    Raises CounterpointError where it is missing or damaged otherwise.
    """
    how = "it is corpora/timit of NLTK's data, zipped"
    split = lambda name: {"7": "valid", "8": "test"}.get(name.split("/")[-2][2], "train")
    note = "NLTK's sample of TIMIT, (c) 1993 Linguistic Data Consortium, CC BY-NC-SA; split by region, bytes mended"
    return _known("timit_sample", "timit_sample.zip", folder, how, split, note, mended)


def load_fsdd(folder: Path | None = None) -> Corpus:
    """Six speakers who say each digit fifty times, 8 kHz: "fsdd".

    Four train, theo validates and yweweler tests. (The set's own split tests on the speakers that train.)

    Raises CounterpointError where it is missing or damaged.
    """
    how = "it is the folder recordings of the repository Jakobovski/free-spoken-digit-dataset, zipped"
    split = lambda name: {"theo": "valid", "yweweler": "test"}.get(name.split("_")[-2], "train")
    note = "Free Spoken Digit Dataset, CC BY-SA 4.0; split by speaker"
    return _known("fsdd", "fsdd_recordings.zip", folder, how, split, note)


def _known(name, file, folder, how, split: Callable[[str], str], note, mend=lambda samples: samples) -> Corpus:
    path = folders.find(file, name, how, folder)
    found, rate = read(path)
    parts: dict[str, list[Recording]] = {"train": [], "valid": [], "test": []}
    for one in found:
        try:
            parts[split(one.name)].append(Recording(one.name, mend(one.samples)))
        except IndexError:
            raise CounterpointError(
                f"{path} is not the known {name} (it has {one.name}); get it again: {how}"
            ) from None
    return corpus(name, parts, rate, WINDOW, note)


def corpus(name: str, parts: dict[str, list[Recording]], rate: int, window: int, note: str = "") -> Corpus:
    """Normalised by the training samples and cut into windows."""
    if window < 1:
        raise CounterpointError(f"{name}: a window of {window} samples; give 1 or more")
    empty = [split for split in ("train", "valid", "test") if not parts.get(split)]
    if empty:
        raise CounterpointError(f"{name} has no recordings to {empty[0]} with; see counterpoint.data.speech for splits")
    for one in (one for part in parts.values() for one in part):
        if len(one.samples) < window:
            raise CounterpointError(
                f"{name}: {one.name} has {len(one.samples)} samples, fewer than a window of {window}; leave it out"
            )
    count = sum(len(one.samples) for one in parts["train"])
    mean = sum(one.samples.sum(dtype=np.int64) for one in parts["train"]) / count
    square = sum(((one.samples - mean) ** 2).sum() for one in parts["train"]) / count
    if square == 0:
        raise CounterpointError(f"{name}: the recordings that train are silent; give others")
    view = Audio(rate, float(mean), math.sqrt(square))

    def windows(one: Recording) -> np.ndarray:
        whole = one.samples[: len(one.samples) // window * window].reshape(-1, window)
        return ((whole - view.mean) / view.deviation).astype(np.float32)

    train, valid, test = (
        Sequences(
            tuple(windows(one) for one in parts[split]),
            names=tuple(one.name for one in parts[split]),
            what=f"{name}, {split}",
        )
        for split in ("train", "valid", "test")
    )
    return Corpus(name, train, valid, test, "real", f"{window} samples", view, window / rate, note)


def is_sound(name: str) -> bool:
    """Whether a file is a recording by its name. SA1.WAV.wav, of some copies of TIMIT, stands beside SA1.WAV."""
    return name.lower().endswith(SUFFIXES) and not name.lower().endswith(".wav.wav")


def read(path: Path, rate: int | None = None) -> tuple[list[Recording], int]:
    """All recordings of a folder or a zip, and their rate: the one they have, or that they were resampled to."""
    if rate is not None and rate < 1:
        raise CounterpointError(f"{path}: cannot resample to {rate} samples a second; give a positive number")
    found: list[Recording] = []
    first, own = "", 0
    for file, data in archives.members(path, is_sound, LIMIT, "recordings"):
        samples, its = _decoded(f"{path}: {file}", data)
        if rate is None and own not in (0, its):
            raise CounterpointError(
                f"{path}: {file} has {its} samples a second, {first} has {own}; give files of one rate, or resample"
                f" them all: counterpoint.data.speech(folder, rate={min(own, its)})"
            )
        first, own = first or file, its
        found.append(Recording(file[: -len(PurePosixPath(file).suffix)], _resampled(samples, its, rate or its)))
    if not found:
        raise CounterpointError(f"{path} has no recordings; give files that end in {', '.join(SUFFIXES)}")
    return found, rate or own


def _decoded(what: str, data: bytes) -> tuple[np.ndarray, int]:
    """(n,) int16 of one file, and its rate."""
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package is there, and the library it wraps is not
        raise CounterpointError(
            "reading sound needs soundfile, which is not installed; pip install 'counterpoint[speech]'"
        ) from error
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
        raise CounterpointError(f"{what} cannot be read as sound ({line}); get it again or leave it out") from error
    if not np.isfinite(samples).all():
        raise CounterpointError(f"{what} has NaN or infinity among its samples; get it again or leave it out")
    return _sixteen(samples.mean(1)), rate


def _sixteen(x: np.ndarray) -> np.ndarray:
    """int16 of numbers in [-1, 1): exact where the file has 16 bits or fewer."""
    return np.clip(np.round(x * FULL), -FULL, FULL - 1).astype(np.int16)


def _resampled(samples: np.ndarray, old: int, new: int) -> np.ndarray:
    """By a polyphase filter, which lets nothing above half the new rate through."""
    if old == new:
        return samples
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise CounterpointError(
            "resampling needs scipy, which is not installed; pip install 'counterpoint[speech]'"
        ) from error
    common = math.gcd(old, new)
    return _sixteen(resample_poly(samples / FULL, new // common, old // common))


def _standard(names: list[str]) -> dict[str, list[int]] | None:
    """Rows of each split, where folders are called train and test; what is in neither is left out."""
    parents = [PurePosixPath(name.lower()).parts[:-1] for name in names]
    of = [next((SPLITS[part] for part in parts if part in SPLITS), None) for parts in parents]
    if "train" not in of or "test" not in of:
        return None
    if "valid" not in of:
        train = [i for i, split in enumerate(of) if split == "train"]
        speakers = [parts[-1] for parts in parents]
        if len({speakers[i] for i in train}) == 1:  # none have a folder of their own: hold out recordings
            speakers = names
        chosen = held_out([speakers[i] for i in train], SHARE)
        of = ["valid" if split == "train" and speakers[i] in chosen else split for i, split in enumerate(of)]
    return {split: [i for i, own in enumerate(of) if own == split] for split in ("train", "valid", "test")}


def _groups(names: list[str]) -> tuple[list[str], str]:
    """Whose each recording is, and what to call that."""
    parts = [PurePosixPath(name).parts for name in names]
    depth = next((d for d, level in enumerate(zip(*parts)) if len(set(level)) > 1), 0)
    if all(len(p) > depth + 1 for p in parts):
        return [p[depth] for p in parts], "folders of recordings, one for each speaker"
    return names, "recordings"
