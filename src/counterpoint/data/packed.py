"""Arrays in `.npz` files: read without trust, written with the same bytes every time, and known by their content."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from counterpoint.errors import CounterpointError

SPLITS = ("train", "valid", "test")
NOTES = 88  # of a piano
LOWEST = 21  # MIDI note of column 0

# All that zipfile, zlib and numpy's header parser raise on bytes that are not what they claim to be.
_DAMAGE = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, MemoryError),
    *(ValueError, TypeError, KeyError, OverflowError, SyntaxError),
)


def pack(rolls: np.ndarray) -> np.ndarray:
    """(..., 88) of 0 and 1 to (..., 11) uint8, eight notes a byte, lowest note in the highest bit."""
    return np.packbits(rolls.astype(bool), axis=-1)


def unpack(packed: np.ndarray) -> np.ndarray:
    """(..., 11) uint8 back to (..., 88) uint8 of 0 and 1."""
    return np.unpackbits(packed, axis=-1, count=NOTES)


def cut(x: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sequences stacked along time, (frames, ...), back into N arrays (T_i, ...)."""
    return tuple(np.split(x, np.cumsum(lengths)[:-1]))


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and values: what a file holds, however it was zipped."""
    total = hashlib.sha256()
    for key in sorted(arrays):
        a = np.ascontiguousarray(arrays[key])
        a = a.astype(a.dtype.newbyteorder("<"))
        total.update(f"{key} {a.dtype.str} {a.shape}\n".encode())
        total.update(a.tobytes())
    return total.hexdigest()


def write_npz(file: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    """A compressed `.npz` with no clock in it: the same arrays give the same bytes (with one version of zlib)."""
    with zipfile.ZipFile(file, "w") as archive:
        for key in sorted(arrays):
            entry = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # else the platform's
            archive.writestr(entry, _npy(arrays[key]), compresslevel=9)


def _npy(a: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(a), allow_pickle=False)
    return buffer.getvalue()


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Every array of a `.npz`. Never unpickles.

    Raises CounterpointError for a file that is missing, empty, not a `.npz`, damaged, without arrays, or with
    arrays of Python objects.
    """
    if not path.is_file():
        if path.is_dir():
            raise CounterpointError(
                f"{path} is a folder in which nothing can be read; give one of .mid, of .csv or .tsv, of .txt, of"
                " .wav, .flac or .sph, of videos, or of an .asf and its .amc, or an .npz file as numpy.savez writes it"
            )
        raise CounterpointError(f"{path} does not exist; give an .npz file as numpy.savez writes it")
    try:
        with path.open("rb") as file:
            start = file.read(6)
            if not start:
                raise CounterpointError(f"{path} is empty; give an .npz file as numpy.savez writes it")
            if not start.startswith(b"PK"):
                what = "holds one .npy array" if start == b"\x93NUMPY" else "is not an .npz file"
                raise CounterpointError(f"{path} {what}; save named arrays with numpy.savez, as docs/data.md says")
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
            file.seek(0)
            odd = [name for name in names if not name.endswith(".npy")]
            if odd or not names:
                what = f"holds {odd[0]}, not only arrays" if odd else "holds no arrays"
                raise CounterpointError(f"{path} {what}; save named arrays with numpy.savez")
            with np.load(file, allow_pickle=False) as archive:
                return {key: _array(path, archive, key) for key in archive.files}
    except CounterpointError:
        raise
    except _DAMAGE as error:
        raise CounterpointError(
            f"{path} cannot be read ({_line(error)}); it is damaged or cut short, get or save it again"
        ) from error


def _array(path: Path, archive, key: str) -> np.ndarray:
    try:
        return archive[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise CounterpointError(
            f"{path}: {key} holds Python objects, which are never loaded; save numbers, sequences of differing"
            f" length stacked along time with {key}_lengths"
        ) from error


def _line(error: BaseException) -> str:
    """An exception's first line, and no more than a line's worth of it."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
