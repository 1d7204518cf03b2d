"""Folders of Acclaim motion capture, coded so that they can be learned."""

from pathlib import Path

import numpy as np

from counterpoint.data.arrays import tenths
from counterpoint.data.asf import MOVES, read_amc, read_asf
from counterpoint.data.motion import Motion, Taylor
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.errors import CounterpointError

RATE = 120.0  # frames a second of the CMU database; the files do not say
STILL = 1e-3  # a feature whose standard deviation in training is not above that does not move
SHORTEST = 10  # frames of a motion that is cut in three


def amc_folder(folder: str | Path, every: int = 4) -> Corpus:
    """A corpus of `Taylor` features from a folder with one .asf file and its .amc files.

    Every `every`-th frame of 120 a second, from the first, is kept: 30 a second by default. Motions are taken in the
    order of their names and split 80/10/10 at random by a fixed seed; where there are one or two, each is cut in time:
    its first 80 % train, the next 10 % validate, the last 10 % test. Which channels move, mean and deviation are those
    of the training part alone; the view gives channels and positions back.

    Raises CounterpointError for a folder with none or several skeletons, one or two motions too short to be cut, a
    root that does not move by tx ty tz and then turn about x, y and z, and for files that cannot be read.
    """
    folder = Path(folder)
    if every < 1:
        raise CounterpointError(f"every is {every}; give 1 for all frames, 4 for 30 a second")
    skeletons = sorted(folder.glob("*.asf"))
    if len(skeletons) != 1:
        raise CounterpointError(f"{folder} has {len(skeletons)} .asf files; put one there, with its .amc files")
    paths = sorted(folder.glob("*.amc"))
    if not paths:
        raise CounterpointError(f"{folder} has no .amc files; put motions of {skeletons[0].name} there")
    skeleton = read_asf(skeletons[0])
    first = [channel.removeprefix("root_") for channel in skeleton.channels[:6]]
    if tuple(first[:3]) != MOVES[:3] or sorted(first[3:]) != list(MOVES[3:]):
        raise CounterpointError(
            f"{skeletons[0]}: the first channels are {' '.join(skeleton.channels[:6])}; the root's order must"
            " be TX TY TZ and then RX, RY and RZ"
        )
    motions = tuple(read_amc(path, skeleton)[::every] for path in paths)
    everything = Sequences(motions, names=tuple(path.stem for path in paths), what=str(folder))
    raw = tenths(everything) if len(motions) > 2 else in_time(everything, every)
    features = fitted(np.concatenate(raw["train"].x))
    return Corpus(
        folder.resolve().name,
        *(
            Sequences(tuple(map(features.encode, part.x)), names=part.names, what=f"{folder}, {split}")
            for split, part in raw.items()
        ),
        kind="real",
        step="frame",
        view=Motion(skeleton, features),
        seconds=every / RATE,
        note=f"{len(paths)} motions of {skeletons[0].name}, features of Taylor, Hinton and Roweis",
    )


def in_time(everything: Sequences, every: int) -> dict[str, Sequences]:
    """The beginning, the middle and the end of each."""
    for name, x in zip(everything.names, everything.x):
        if len(x) < SHORTEST:
            raise CounterpointError(
                f"{everything.what}: of less than 3 motions each is cut in three, and {name} has {len(x)} frames"
                f" (one of {every}); give {SHORTEST} or more, or 3 motions"
            )
    cuts = [np.split(x, [-2 * (len(x) // 10), -(len(x) // 10)]) for x in everything.x]
    return {
        split: Sequences(tuple(parts[i] for parts in cuts), names=everything.names, what=everything.what)
        for i, split in enumerate(("train", "valid", "test"))
    }


def fitted(raw: np.ndarray) -> Taylor:
    """The features that moving channels of training frames (T, C) have, each of mean 0 and deviation 1 there.

    A channel that stands still is dropped, for a density of it grows without bound.
    """
    columns = np.array([i for i in range(6, raw.shape[1]) if raw[:, i].std() > STILL], int)
    width = 9 + len(columns)
    plain = Taylor(np.zeros(width), np.ones(width), columns, raw.mean(0)).encode(raw)
    spread = plain.std(0)
    return Taylor(plain.mean(0), 1 / np.where(spread > STILL, spread, 1.0), columns, raw.mean(0))
