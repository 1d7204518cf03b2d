"""Many files in a folder or a zip, read without trust: nothing is unpacked to disk, no link leads out of the folder, no
name out of the zip, and no more is read than is allowed."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from counterpoint.errors import CounterpointError

# what zipfile raises on bytes or names that are not what they claim to be, on a password, on versions it does not know
_DAMAGE = (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)


def members(path: Path, wanted: Callable[[str], bool], limit: int, what: str) -> Iterator[tuple[str, bytes]]:
    """Name and content, one after the other, of the files of a folder (by name) or a zip (in its order) whose names,
    relative and with slashes, are `wanted`; what a Mac adds to a zip never is. `what` they are is said in messages.

    Raises CounterpointError for what is neither, cannot be read, leads out of itself or holds more than `limit` bytes.
    """
    return _folder(path, wanted, limit, what) if path.is_dir() else _zip(path, wanted, limit, what)


def names(path: Path) -> list[str]:
    """The names of all files of a folder or a zip, relative and with slashes; none where it cannot be read."""
    try:
        if path.is_dir():
            return [f.relative_to(path).as_posix() for f in path.rglob("*") if _plain(f.name) and f.is_file()]
        with zipfile.ZipFile(path) as archive:
            return [name for name in archive.namelist() if _plain(name) and not name.endswith("/")]
    except _DAMAGE:
        return []


def _folder(path: Path, wanted: Callable[[str], bool], limit: int, what: str) -> Iterator[tuple[str, bytes]]:
    top = path.resolve()
    try:
        files = sorted(f for f in path.rglob("*") if _plain(f.name) and f.is_file())
        files = [f for f in files if wanted(f.relative_to(path).as_posix())]
        for file in files:
            if not file.resolve().is_relative_to(top):
                raise CounterpointError(f"{file} is a link that leads out of {path}; put the file itself there")
        _check_size(path, sum(f.stat().st_size for f in files), limit, what)
        for file in files:
            yield file.relative_to(path).as_posix(), file.read_bytes()
    except OSError as error:
        raise CounterpointError(f"{path} cannot be read ({error}); see to its permissions") from error


def _zip(path: Path, wanted: Callable[[str], bool], limit: int, what: str) -> Iterator[tuple[str, bytes]]:
    if not path.is_file():
        raise CounterpointError(f"{path} does not exist; give a folder of {what}, or a zip of one")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir() and _plain(e.filename) and wanted(e.filename)]
            for name in (e.filename.replace("\\", "/") for e in entries):
                if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
                    raise CounterpointError(f"{path}: the name {name} leads out of it; zip the folder anew")
            _check_size(path, sum(e.file_size for e in entries), limit, what)
            for entry in entries:
                yield entry.filename, _inflated(path, archive, entry)
    except _DAMAGE as error:
        raise CounterpointError(f"{path} is not a zip that can be read ({error}); get or make it again") from error


def _inflated(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """What an entry holds, and no more than it says that it does."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise CounterpointError(f"{path}: {entry.filename} is packed in a rare way; zip the folder anew")
    with archive.open(entry) as file:  # where it holds more, its checksum is wrong
        return file.read(entry.file_size + 1)


def _plain(name: str) -> bool:
    return not PurePosixPath(name).name.startswith("._")


def _check_size(path: Path, size: int, limit: int, what: str) -> None:
    if size > limit:
        raise CounterpointError(
            f"{path} has {size / 2**30:.1f} GiB of {what}, and {limit / 2**30:g} GiB are read at most; give less"
        )
