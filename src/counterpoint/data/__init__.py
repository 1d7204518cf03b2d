"""Sequences to learn from: chorales that come with the package, corpora found in a folder, and files of your own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from counterpoint.data import archives, mocap, polyphonic
from counterpoint.data.amc_folders import amc_folder
from counterpoint.data.arrays import load_npz, save_npz
from counterpoint.data.asf import read_amc, read_asf
from counterpoint.data.bars_and_stripes import bars_and_stripes
from counterpoint.data.bouncing_balls import bouncing_balls
from counterpoint.data.chorales import chorales
from counterpoint.data.csv_folders import csv_folder, is_csv
from counterpoint.data.midi import is_midi, midi
from counterpoint.data.mnist import caltech_silhouettes, mnist, mnist_fixed, mnist_grey, omniglot
from counterpoint.data.moving_mnist import moving_mnist
from counterpoint.data.normalising import own_npz
from counterpoint.data.prepare import prepare
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.speech import is_sound, load_fsdd, load_timit_sample, speech
from counterpoint.data.swiss_roll import swiss_roll
from counterpoint.data.texts import load_sotu, texts
from counterpoint.data.video import holds_films, is_film, load_kth_sample, video
from counterpoint.errors import CounterpointError, nearest

__all__ = [
    "CORPORA",
    "READY",
    "Corpus",
    "Sequences",
    "amc_folder",
    "bars_and_stripes",
    "bouncing_balls",
    "chorales",
    "csv_folder",
    "load",
    "load_npz",
    "midi",
    "moving_mnist",
    "prepare",
    "read_amc",
    "read_asf",
    "reader",
    "save_npz",
    "speech",
    "texts",
    "video",
]

# by name, in the package or made: no file is needed
READY: dict[str, Callable[..., Corpus]] = {
    "chorales": chorales,
    "bars_and_stripes": bars_and_stripes,
    "bouncing_balls": bouncing_balls,
    "swiss_roll": swiss_roll,
}
# by name: a function of the folder in which files are looked for first
FOUND: dict[str, Callable[..., Corpus]] = {
    "mocap_cmu35": mocap.load_cmu35,
    "mocap_mit": mocap.load_mit,
    "sotu": load_sotu,
    "timit_sample": load_timit_sample,
    "fsdd": load_fsdd,
    "moving_mnist": moving_mnist,
    "stochastic_moving_mnist": partial(moving_mnist, stochastic=True),
    "kth_sample": load_kth_sample,
    "mnist": mnist,
    "mnist_fixed": mnist_fixed,
    "mnist_grey": mnist_grey,
    "omniglot": omniglot,
    "caltech_silhouettes": caltech_silhouettes,
    **{name: partial(polyphonic.load, name) for name in polyphonic.DIGESTS},
}
CORPORA = (*READY, *FOUND)
# what is read of a folder, by the names of its files
FOLDERS: dict[Callable[[str], bool], Callable[..., Corpus]] = {is_sound: speech, is_film: video, is_midi: midi}
PIECES = (".txt", ".asf", ".amc")  # what else is read with its folder alone


def load(source: str | Path | Corpus, corpora: Path | None = None) -> Corpus:
    """A corpus by name (one of CORPORA), from the path of an `.npz` (real numbers `normalised`), of a folder of motion
    capture (one .asf file and its .amc files), of a folder or zip of recordings, of MIDI, of CSV or of dated `.txt`
    files, of a folder of videos or a file of arrays of them (`video`), or as it is.

    `corpora` is the folder in which named corpora are looked for first; those of READY need none.
    Raises CounterpointError for a name that is neither a corpus nor a file, and for files that cannot be used.
    """
    return source if isinstance(source, Corpus) else reader(source, corpora)()


def reader(source: str | Path, corpora: Path | None = None) -> Callable[..., Corpus]:
    """What `load` calls for a source: a function whose parameters that are left are what can be chosen of it.

    Raises CounterpointError for a name that is neither a corpus nor a file.
    """
    name = str(source)
    if name in READY:
        return READY[name]
    if name in FOUND:
        return partial(FOUND[name], corpora)
    path = Path(source).expanduser()
    if not path.exists():
        if len(path.parts) > 1 or path.suffix:
            raise CounterpointError(
                f"{path} does not exist; give a file or folder that does, or a corpus by name, as counterpoint data"
                " lists them"
            )
        raise CounterpointError(
            f"unknown data {name!r}: give a file or folder that is here, or a corpus{nearest(name, CORPORA)}"
        )
    if path.is_dir() and any(path.glob("*.asf")):
        return partial(amc_folder, path)
    if path.suffix == ".zip" or path.is_dir():
        inside = archives.names(path)
        found = {read: [name for name in inside if wanted(name)] for wanted, read in FOLDERS.items()}
        kinds = [read for read, names in found.items() if names and (read is not video or path.is_dir())]
        if len(kinds) > 1:
            firsts = " and ".join(found[read][0] for read in kinds)
            raise CounterpointError(f"{path} has {firsts}, which are not read together; give a folder of one kind")
        if kinds:  # before texts: TIMIT has one beside each recording
            return partial(kinds[0], path)
        if any(map(is_csv, inside)) and not any(name.lower().endswith(".txt") for name in inside):
            return partial(csv_folder, path)
        if path.suffix == ".zip" or any(name.lower().endswith(".txt") for name in inside):
            return partial(texts, path)
    if path.suffix == ".npy" or (path.suffix == ".npz" and path.is_file() and holds_films(path)):
        return partial(video, path)
    if path.is_file() and is_csv(path.name):
        raise CounterpointError(
            f"{path} is one file; give a folder of three or more, each a sequence: one long series is cut first, as"
            " docs/data.md says"
        )
    if path.is_file() and (any(wanted(path.name) for wanted in FOLDERS) or path.suffix.lower() in PIECES):
        raise CounterpointError(f"{path} is one file; give the folder that it is in, or numbers as an .npz")
    return partial(own_npz, path)
