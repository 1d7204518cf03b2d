"""Sequences to learn from: chorales that come with the package, corpora found in a folder, and your own arrays."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from counterpoint.data import mocap, polyphonic
from counterpoint.data.arrays import load_npz, save_npz
from counterpoint.data.asf import amc_folder, read_amc, read_asf
from counterpoint.data.bouncing_balls import bouncing_balls
from counterpoint.data.chorales import chorales
from counterpoint.data.prepare import prepare
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.texts import load_sotu, texts
from counterpoint.errors import CounterpointError, nearest

__all__ = [
    "CORPORA",
    "Corpus",
    "Sequences",
    "amc_folder",
    "bouncing_balls",
    "chorales",
    "load",
    "load_npz",
    "prepare",
    "read_amc",
    "read_asf",
    "save_npz",
    "texts",
]

# by name: a function of the folder in which files are looked for first
CORPORA: dict[str, Callable[[Path | None], Corpus]] = {
    "chorales": lambda folder: chorales(),
    "bouncing_balls": lambda folder: bouncing_balls(),
    "mocap_cmu35": mocap.load_cmu35,
    "mocap_mit": mocap.load_mit,
    "sotu": load_sotu,
    **{name: partial(polyphonic.load, name) for name in polyphonic.DIGESTS},
}


def load(source: str | Path | Corpus, corpora: Path | None = None) -> Corpus:
    """A corpus by name (one of CORPORA), from the path of an `.npz`, of a folder of motion capture (one .asf file and
    its .amc files) or of a folder or zip of dated `.txt` files, or as it is.

    `corpora` is the folder in which named corpora are looked for first; "chorales" and "bouncing_balls" need none.
    Raises CounterpointError for a name that is neither a corpus nor a file, and for files that cannot be used.
    """
    if isinstance(source, Corpus):
        return source
    name = str(source)
    if name in CORPORA:
        return CORPORA[name](corpora)
    path = Path(source).expanduser()
    if path.is_dir() and any(path.glob("*.asf")):
        return amc_folder(path)
    if path.suffix == ".zip" or (path.is_dir() and any(file.suffix.lower() == ".txt" for file in path.rglob("*"))):
        return texts(path)
    if path.suffix == ".npz" or len(path.parts) > 1 or path.exists():
        return load_npz(path)
    raise CounterpointError(f"unknown data {name!r}{nearest(name, CORPORA)} (or give the path of an .npz file)")
