"""Files that appear whole or not at all, where a user wants them; folders that one process has to itself."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from counterpoint.errors import CounterpointError

try:
    import fcntl
except ImportError:  # Windows: no lock there
    fcntl = None


def make_room(path: str | os.PathLike) -> None:
    """The folder of a file that is written later, made before the work that fills it.

    Raises CounterpointError where nothing can be written there.
    """
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: str | os.PathLike, error: OSError) -> CounterpointError:
    return CounterpointError(f"cannot write {path}: {error.strerror or error}; name a place that can be written")


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends well, and is dropped when it does not.

    Folders that are missing are made. Raises CounterpointError where `path` cannot be written, on a full disk too.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target: os.replace is atomic only within one file system.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # on disk before it has the name
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # mkstemp makes it private; give it what open() would have
        os.replace(name, path)
    except BaseException as error:
        os.unlink(name)
        if isinstance(error, OSError):
            raise unwritable(path, error) from error
        raise


def target(out: Path, name: str, kinds: Sequence[str]) -> Path:
    """The file to write: `out` itself, or in the folder `out` the file `name`, with the first of the suffixes `kinds`.

    Raises CounterpointError for a name of another kind.
    """
    if out.suffix in kinds and not out.is_dir():
        return out
    if out.suffix and not out.is_dir():
        raise CounterpointError(f"cannot write {out}: give a folder or a name in {' or '.join(kinds)}")
    return out / f"{name}{kinds[0]}"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No other process is let in until the block ends, or its process does.

    Raises CounterpointError where another is there.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CounterpointError(
                    f"another process is at work in {folder}; wait for it, or stop it and go on"
                ) from None
        yield
    finally:
        os.close(handle)
