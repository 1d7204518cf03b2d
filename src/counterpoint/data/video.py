"""Videos to sequences of grey images, x_t = pixels / 255, row after row.

From a folder of video files (AVI, MP4, MOV, MKV, WebM, MPEG, GIF), each one sequence, or from one file of arrays: an
`.npy` (videos, T, H, W[, 3]) or, of one video, (T, H, W[, 3]), or an `.npz` of one such video an array, all uint8.
Frames are made `resolution` pixels high and wide by averaging areas, whatever their aspect, as the KTH videos of Denton
and Fergus 2018 were; colours become grey by ITU-R 601. Values stay whole 255ths, as a discretised likelihood needs
them.

Videos are split 80/10/10. Those of KTH (person01_boxing_d1_uncomp.avi) are split by person as Schuldt, Laptev and
Caputo 2004 and, after them, Marino et al. 2018 split them: 8 train, 8 validate, 9 test; where that leaves a part empty,
people are split 80/10/10. Where their 00sequences.txt lies in the folder, videos are cut into the clips that it lists
(760, 768 and 863 of them).

`kth_sample`: six of those videos, of three people. It is a smoke test, and no number of it means anything.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from counterpoint.data import archives, folders
from counterpoint.data.arrays import KNOWN
from counterpoint.data.packed import read_npz
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.splitting import by_group
from counterpoint.data.views import Images
from counterpoint.errors import CounterpointError

# by suffix, the only format that a file is taken for: others, such as playlists, could name files elsewhere
FORMATS = {
    ".avi": "avi",
    ".mp4": "mov",
    ".mov": "mov",
    ".m4v": "mov",
    ".mkv": "matroska",
    ".webm": "matroska",
    ".mpg": "mpeg",
    ".mpeg": "mpeg",
    ".gif": "gif",
}
LIMIT = 8 * 2**30  # bytes of all files together
LARGEST = 2**26  # pixels of a frame
RESOLUTION = 64
PERSON = re.compile(r"person(\d\d)_\w+_d\d")
CLIPS = "00sequences.txt"
PEOPLE = {
    "train": (11, 12, 13, 14, 15, 16, 17, 18),
    "valid": (19, 20, 21, 23, 24, 25, 1, 4),
    "test": (22, 2, 3, 5, 6, 7, 8, 9, 10),
}
SAMPLE = {"person01": "train", "person04": "valid", "person03": "test"}  # of kth_sample: none trains in the papers


def video(path: str | Path, resolution: int = RESOLUTION) -> Corpus:
    """The videos of a folder or of a file of arrays, frames (resolution^2,) float32, kind "grey".

    They are split 80/10/10, those of KTH by person, as published.

    Raises CounterpointError for what cannot be read, is no video or array of videos, and for fewer than three videos.
    """
    path = Path(path).expanduser()
    if resolution < 1:
        raise CounterpointError(f"{path}: resolution is {resolution}; give at least 1 pixel")
    films, rates = {}, []
    for name, (frames, rate) in _films(path, resolution):
        films[name] = frames
        rates.append(rate)
    if not films:
        raise CounterpointError(f"{path} has no videos; give files that end in {', '.join(FORMATS)}, or an .npy")
    names = list(films)
    found = [PERSON.search(name) for name in names]
    people = [int(p[1]) for p in found if p]
    if len(people) < len(names):
        rows = by_group(str(path), names, "videos")
    else:
        rows = {s: [i for i, person in enumerate(people) if person in PEOPLE[s]] for s in PEOPLE}
        if not all(rows.values()):
            rows = by_group(str(path), [f"{person:02d}" for person in people], "people")
    parts = {split: [names[i] for i in chosen] for split, chosen in rows.items()}
    if path.is_dir():
        films, parts = _clips(path, films, parts)
    known = {rate for rate in rates if rate}
    seconds = 1 / known.pop() if len(known) == 1 else None
    return corpus(path.resolve().stem, films, parts, resolution, seconds)


def load_kth_sample(folder: Path | None = None) -> Corpus:
    """Six videos of the KTH actions at 64 x 64, 25 frames a second: "kth_sample". Four of one person train, one of a
    second validates, one of a third tests.

    Raises CounterpointError for a missing or damaged file.
    """
    how = "it holds six videos of the KTH actions, one uint8 array (T, 64, 64) each"
    path = folders.find("kth_64x64_sample.npz", "kth_sample", how, folder)
    films = {name: _small(f"{path}: {name}", a, RESOLUTION) for name, a in read_npz(path).items()}
    parts = {split: [name for name in films if SAMPLE.get(name[:8]) == split] for split in PEOPLE}
    if not all(parts.values()):
        raise CounterpointError(f"{path} is not the known kth_sample; {how}")
    note = "KTH actions (Schuldt, Laptev, Caputo 2004), for non-commercial use; a smoke test, not the published split"
    return corpus("kth_sample", films, parts, RESOLUTION, 1 / 25, note)


def corpus(name: str, films: dict, parts: dict, resolution: int, seconds: float | None, note: str = "") -> Corpus:
    """Videos by name, (T, resolution, resolution) uint8, as the sequences of each split."""
    frames = lambda film: film.reshape(len(film), -1) / np.float32(255)
    train, valid, test = (
        Sequences(tuple(frames(films[key]) for key in keys), names=tuple(keys), what=f"{name}, {split}")
        for split, keys in ((split, parts[split]) for split in ("train", "valid", "test"))
    )
    return Corpus(name, train, valid, test, "grey", "frame", Images(resolution, resolution), seconds, note)


def is_film(name: str) -> bool:
    return Path(name).suffix.lower() in FORMATS


def holds_films(path: Path) -> bool:
    """Whether an `.npz` holds one video an array, and nothing by a name that `load_npz` knows."""
    if not {Path(name).stem for name in archives.names(path)}.isdisjoint(KNOWN):
        return False
    return all(a.dtype == np.uint8 and a.ndim in (3, 4) for a in read_npz(path).values())


def _films(path: Path, resolution: int) -> Iterator[tuple[str, tuple[np.ndarray, float | None]]]:
    """Name, (T, resolution, resolution) uint8 and frames a second of each video."""
    if path.is_dir():
        for file, data in archives.members(path, is_film, LIMIT, "videos"):
            yield file[: -len(Path(file).suffix)], _decoded(f"{path}: {file}", data, Path(file).suffix, resolution)
        return
    for name, a in (_npy(path) if path.suffix == ".npy" else read_npz(path)).items():
        yield name, (_small(f"{path}: {name}", a, resolution), None)


def _npy(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file:
            a = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError, TypeError, KeyError, SyntaxError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
        raise CounterpointError(f"{path} cannot be read as an .npy file ({line}); save it again") from error
    if a.dtype != np.uint8 or a.ndim < 3:
        raise CounterpointError(
            f"{path} has shape {a.shape} and dtype {a.dtype}; give uint8 (time, height, width), for an .npy is read as"
            f' videos, or other sequences as an .npz: np.savez("{path.stem}.npz", x=np.load("{path.name}"))'
        )
    if a.ndim == 5 or (a.ndim == 4 and a.shape[-1] not in (1, 3)):
        return {f"film{i}": one for i, one in enumerate(a)}
    return {"film0": a}


def _small(what: str, film: np.ndarray, resolution: int) -> np.ndarray:
    """(T, resolution, resolution) uint8 of a video (T, H, W) or (T, H, W, 1 or 3) uint8."""
    if film.dtype != np.uint8 or film.ndim not in (3, 4) or 0 in film.shape or film.shape[3:] not in ((), (1,), (3,)):
        raise CounterpointError(
            f"{what} has shape {film.shape} and dtype {film.dtype}; give uint8 (time, height, width), with or without a"
            " last axis of 3 colours"
        )
    if film.shape[1:] == (resolution, resolution):
        return film
    return np.stack([_frame(one, resolution) for one in film])


def _frame(image: np.ndarray, resolution: int) -> np.ndarray:
    from PIL import Image

    picture = Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image).convert("L")
    return np.asarray(picture.resize((resolution, resolution), Image.Resampling.BOX))


def _decoded(what: str, data: bytes, suffix: str, resolution: int) -> tuple[np.ndarray, float | None]:
    """One video, frame by frame, so that only the small ones are kept."""
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        raise CounterpointError(
            "reading videos needs av, which is not installed; pip install 'counterpoint[video]'"
        ) from error
    try:
        with av.open(io.BytesIO(data), "r", format=FORMATS[suffix.lower()]) as film:
            stream = film.streams.video[0]
            if stream.width * stream.height > LARGEST:
                raise CounterpointError(f"{what} has frames of {stream.width} x {stream.height} pixels: too large")
            frames = [_frame(frame.to_ndarray(format="gray"), resolution) for frame in film.decode(stream)]
            rate = stream.average_rate
    except (FFmpegError, IndexError, ValueError, OSError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
        raise CounterpointError(f"{what} cannot be read as a video ({line}); get it again or leave it out") from error
    if not frames:
        raise CounterpointError(f"{what} has no frames; get it again or leave it out")
    return np.stack(frames), float(rate) if rate else None


def _clips(path: Path, films: dict, parts: dict) -> tuple[dict, dict]:
    """Videos cut as 00sequences.txt says: lines such as `person01_boxing_d1 frame 1-95, 96-185`, counted from 1."""
    cuts = {}
    lists = archives.members(path, lambda name: name == CLIPS, 2**24, "clips")
    for line in (line for _, data in lists for line in data.decode("utf-8", "replace").splitlines()):
        name, spans = PERSON.match(line.strip()), re.findall(r"(\d+)-(\d+)", line)
        if name and spans:
            cuts[name[0]] = [(int(first) - 1, int(last)) for first, last in spans]
    found: dict[str, np.ndarray] = {}
    renamed: dict[str, list[str]] = {split: [] for split in parts}
    for name, film in films.items():
        key = PERSON.search(name)
        spans = cuts.get(key[0], []) if key else []
        for number, (first, last) in enumerate(spans or [(0, len(film))], start=1):
            clip = f"{name}, clip {number}" if spans else name
            if not 0 <= first < last or first >= len(film):
                raise CounterpointError(
                    f"{path / CLIPS}: {name} has {len(film)} frames, and none from {first + 1} to {last}; mend the line"
                )
            found[clip] = film[first:last]
            for split, keys in parts.items():
                if name in keys:
                    renamed[split].append(clip)
    return found, renamed
