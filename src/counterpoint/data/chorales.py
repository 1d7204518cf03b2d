"""The Bach chorales that the package carries: CHORALES.md beside this file says what they are."""

from importlib import resources

from counterpoint.data.packed import LOWEST, SPLITS, cut, read_npz, unpack
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Notes


def chorales() -> Corpus:
    """Four-part chorales on a grid of quarter notes: frames (88,) uint8 of 0 and 1, column p is MIDI note p + 21."""
    with resources.as_file(resources.files("counterpoint.data") / "chorales.npz") as path:
        arrays = read_npz(path)
    train, valid, test = (
        Sequences(
            cut(unpack(arrays[f"{split}_rolls"]), arrays[f"{split}_lengths"]),
            names=tuple(str(name) for name in arrays[f"{split}_names"]),
            what=f"chorales, {split}",
        )
        for split in SPLITS
    )
    return Corpus(
        name="chorales",
        train=train,
        valid=valid,
        test=test,
        kind="binary",
        step="quarter note",
        view=Notes(LOWEST),
        note="Bach's four-part chorales, quarter-note grid, from music21's corpus; terms in CHORALES.md",
    )
