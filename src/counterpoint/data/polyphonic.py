"""Piano-midi.de, Nottingham, MuseData and JSB Chorales, on two time grids. Not in the package: found in a folder.

On the grid of 2012 (Boulanger-Lewandowski, Bengio, Vincent), `NAME.npz` holds for each split s `s_rolls` uint8
(frames, 11), packed rows of 88 notes, all sequences one after the other, and `s_lengths` int32 (sequences,).

On the grid of the SRNN paper, `srnn_NAME.npz` holds the targets of its batches: `train_rolls` and `valid_rolls`
(chunks, 100, 11), where chunk i goes on in chunk i + 16, and `test_rolls` with `test_lengths`; `*_first_input` is the
frame before the first target of each stream. Train and valid are returned as the 16 streams, pieces joined end to end.
The first inputs are dropped: the paper's models are told that frame and not scored on it, models here take no
inputs, and with it the count of scored frames would not be the paper's.

The two grids sample the same music at different rates: numbers on one cannot be compared with numbers on the other.
"""

from pathlib import Path

import numpy as np

from counterpoint.data import folders
from counterpoint.data.packed import LOWEST, NOTES, SPLITS, cut, digest, read_npz, unpack
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Notes
from counterpoint.errors import CounterpointError, nearest

# `packed.digest` of the arrays: a file zipped anew from the same release is as good.
DIGESTS: dict[str, str] = {
    "piano_midi": "05e98e46039685c50a2bc3c9d8369e34f363031af4c837d9472147cae3930b14",
    "nottingham": "c21ea4e0a367041b56c0697a15eed2673f26550485a1f418be686316fa2cac37",
    "musedata": "b460e5348d5142d0bc038fa75cd44b922f7e0475464b92381ba8858a954bf74c",
    "jsb_chorales": "a3e994e8b52fd49c06c288a75c16d98244e073840e107309f909972fdfe3ba6a",
    "srnn_piano_midi": "21b267cf70dd85048965d5490fe7aae0f36da493d202196ee37c5619e9d1aff2",
    "srnn_nottingham": "fc738381a2b6cd9a694851d96a1fd0a36800b8e18e67ec2f425d2e1cf4b62b0f",
    "srnn_musedata": "00e73c1c629134e733b8abfbe5c2ca811eb6570112c32ed6e66ae71fdf51704a",
    "srnn_jsb_chorales": "f6e2e4f707dbad2dcd433e24e07cdbf0d814398d16bc5160fa1c93b1a0a350ba",
}
MATLAB = {  # file in the TSBN release
    "piano_midi": "Piano_midi.mat",
    "nottingham": "Nottingham.mat",
    "musedata": "MuseData.mat",
    "jsb_chorales": "JSB_Chorales.mat",
}
RELEASE = "polyphonic_music/data of the repository zhegan27/TSBN_code_NIPS2015"
STREAMS = 16  # of the SRNN batches
TITLES = {
    "piano_midi": "Piano-midi.de",
    "nottingham": "Nottingham",
    "musedata": "MuseData",
    "jsb_chorales": "JSB Chorales",
}


def check_name(name: str) -> None:
    """Raise CounterpointError unless this is one of the eight corpora."""
    if name not in DIGESTS:
        raise CounterpointError(f"unknown corpus {name!r}{nearest(name, DIGESTS)}")


def find(name: str, folder: Path | None = None) -> Path:
    """The file of a corpus: `NAME.npz` in one of `folders`, or in `polyphonic/` there.

    Raises CounterpointError for an unknown name or a missing file; the message says how to get it.
    """
    check_name(name)
    if name in MATLAB:
        how = f"make it with `counterpoint data prepare {name} {MATLAB[name]}`, from the file in {RELEASE}"
    else:
        how = (
            "it is a repacking of data/*_raw_batchsize16_seqlen100.npz of the repository marcofraccaro/srnn,"
            " in the layout that counterpoint.data.polyphonic describes"
        )
    return folders.find(f"{name}.npz", "polyphonic", how, folder)


def load(name: str, folder: Path | None = None) -> Corpus:
    """A corpus: frames (88,) uint8 of 0 and 1, column p is MIDI note p + 21.

    Raises CounterpointError for an unknown name, a missing or damaged file, and content other than the release's.
    """
    path = find(name, folder)
    arrays = read_npz(path)
    if digest(arrays) != DIGESTS[name]:
        raise CounterpointError(
            f"{path} is not the released {name} (its arrays differ); prepare it again, or rename the file and"
            " name its path as your own data"
        )
    title = TITLES[name.removeprefix("srnn_")]
    if name in MATLAB:
        step = "quarter note" if name == "jsb_chorales" else "frame of the 2012 grid"
        note = f"{title}, grid of Boulanger-Lewandowski et al. (2012); its authors state no licence"
    else:
        step = "frame of the SRNN grid"
        note = f"{title}, grid of the SRNN code (Fraccaro et al. 2016), MIT; not comparable with {name[5:]}"
    train, valid, test = (Sequences(_sequences(arrays, s), what=f"{name}, {s}") for s in SPLITS)
    return Corpus(name, train, valid, test, kind="binary", step=step, view=Notes(LOWEST), note=note)


def _sequences(arrays: dict[str, np.ndarray], split: str) -> tuple[np.ndarray, ...]:
    rolls = unpack(arrays[f"{split}_rolls"])
    if rolls.ndim == 2:
        return cut(rolls, arrays[f"{split}_lengths"])
    # (K * 16, 100, 88): chunk k of stream i is row k * 16 + i
    return tuple(rolls[i::STREAMS].reshape(-1, NOTES) for i in range(STREAMS))
