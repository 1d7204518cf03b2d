"""Sequences to learn from: chorales that come with the package, corpora found in a folder, and your own arrays."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from counterpoint.data import polyphonic
from counterpoint.data.arrays import load_npz, save_npz
from counterpoint.data.chorales import chorales
from counterpoint.data.prepare import prepare
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.errors import CounterpointError, nearest

__all__ = ["CORPORA", "Corpus", "Sequences", "chorales", "load", "load_npz", "prepare", "save_npz"]

# by name: a function of the folder in which files are looked for first
CORPORA: dict[str, Callable[[Path | None], Corpus]] = {
    "chorales": lambda folder: chorales(),
    **{name: partial(polyphonic.load, name) for name in polyphonic.DIGESTS},
}


def load(source: str | Path | Corpus, corpora: Path | None = None) -> Corpus:
    """A corpus by name (one of CORPORA), from the path of an `.npz`, or as it is.

    `corpora` is the folder in which named corpora are looked for first; "chorales" needs none. Raises
    CounterpointError for a name that is neither a corpus nor a file, and for files that cannot be used.
    """
    if isinstance(source, Corpus):
        return source
    name = str(source)
    if name in CORPORA:
        return CORPORA[name](corpora)
    path = Path(source).expanduser()
    if path.suffix == ".npz" or len(path.parts) > 1 or path.exists():
        return load_npz(path)
    raise CounterpointError(f"unknown data {name!r}{nearest(name, CORPORA)} (or give the path of an .npz file)")
