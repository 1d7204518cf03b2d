"""From the MATLAB files of others' releases to the `.npz` that corpora are read from, all known by their content."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from counterpoint.data import mocap, polyphonic
from counterpoint.data.folders import folders
from counterpoint.data.matlab import cells, matrix, read_mat
from counterpoint.data.packed import NOTES, SPLITS, digest, pack, write_npz
from counterpoint.errors import CounterpointError, nearest
from counterpoint.files import replacing

Arrays = dict[str, np.ndarray]


class Source(NamedTuple):
    """files: of the release, in the order in which they are given; file: what is written; make: their arrays."""

    files: tuple[str, ...]
    release: str
    file: str
    known: dict[str, str]  # digests by corpus
    make: Callable[..., Arrays]


def prepare(name: str, source: str | Path | Sequence[str | Path], folder: Path | None = None) -> Path:
    """Write the file of a corpus into `folder` (or COUNTERPOINT_DATA, or the user's cache) and return its path.

    source is the MATLAB file of the release, or several in the order of SOURCES[name].files. Nothing is written unless
    they are the released corpus. Raises CounterpointError otherwise.
    """
    if name not in SOURCES:
        known = (*polyphonic.DIGESTS, *SOURCES)
        if name not in known:
            raise CounterpointError(f"unknown corpus {name!r}{nearest(name, known)}")
        raise CounterpointError(f"{name} is not made from a MATLAB file; those are {', '.join(SOURCES)}")
    needed = SOURCES[name]
    given = [Path(source)] if isinstance(source, str | Path) else [Path(one) for one in source]
    if len(given) != len(needed.files):
        raise CounterpointError(
            f"{name} is made from {' and '.join(needed.files)} of {needed.release}, in this order; give"
            f" {len(needed.files)}, not {len(given)}"
        )
    arrays = needed.make(*given)
    if digest(arrays) != needed.known[name]:
        found = ", ".join(f"{len(a)} {key.removesuffix('_lengths')}" for key, a in arrays.items() if "_lengths" in key)
        raise CounterpointError(
            f"{' and '.join(map(str, given))} is not the released {name} ({found} sequences); give"
            f" {' and '.join(needed.files)} from {needed.release}, or save your own data as .npz and name its path"
        )
    path = folders(folder)[0] / needed.file
    with replacing(path) as file:
        write_npz(file, arrays)
    return path


def music(source: Path) -> Arrays:
    """Three cell arrays whose names contain train, valid and test, of matrices (T_i, 88) of 0 and 1."""
    found, arrays = cells(source, SPLITS, polyphonic.RELEASE), {}
    for split in SPLITS:
        rolls = [_roll(f"{source}: sequence {i} of {split}", cell) for i, cell in enumerate(found[split])]
        arrays[f"{split}_rolls"] = pack(np.concatenate(rolls))
        arrays[f"{split}_lengths"] = np.array([len(roll) for roll in rolls], np.int32)
    return arrays


def walks(source: Path) -> Arrays:
    """Cell arrays train_data and test_data of matrices (T_i, 49)."""
    splits = ("train", "test")
    found, arrays = cells(source, splits, mocap.RELEASES["mocap_mit"]), {}
    for split in splits:
        parts = [matrix(f"{source}: sequence {i} of {split}", cell) for i, cell in enumerate(found[split])]
        if len({part.shape[1] for part in parts}) > 1:
            raise CounterpointError(f"{source}: sequences of {split} have differing numbers of columns")
        arrays[split] = np.concatenate(parts)
        arrays[f"{split}_lengths"] = np.array([len(part) for part in parts], np.int32)
    return arrays


def walks_and_runs(motions: Path, scaling: Path) -> Arrays:
    """`Y` (frames, 62) of all training sequences with `lbls` (frames, 31), whose column i is 1 in sequence i, and
    `Ytest` with `lblstest`; `bias` and `scale` of 59 features."""
    found, arrays = read_mat(motions, mocap.RELEASES["mocap_cmu35"]), {}
    for split, (x, labels) in {"train": ("Y", "lbls"), "test": ("Ytest", "lblstest")}.items():
        arrays[split] = matrix(f"{motions}: {x}", found.get(x))
        # of whole numbers whatever the labels are: what does not fit is another corpus by its digest
        arrays[f"{split}_lengths"] = matrix(f"{motions}: {labels}", found.get(labels)).sum(0).astype(np.int32)
        arrays[f"{split}_names"] = np.array(mocap.NAMES[split])
    scales = read_mat(scaling, mocap.RELEASES["mocap_cmu35"])
    for key in ("bias", "scale"):
        arrays[f"taylor_{key}"] = matrix(f"{scaling}: {key}", scales.get(key)).ravel()
    arrays["channel_names"] = np.array(mocap.CHANNELS)
    arrays["taylor_joint_columns"] = np.array(mocap.COLUMNS, np.int32)
    return arrays


def _roll(name: str, cell) -> np.ndarray:
    what = f"expected (time, {NOTES}) of 0 and 1"
    if not isinstance(cell, np.ndarray) or cell.dtype.kind not in "buif" or cell.ndim != 2 or not cell.size:
        raise CounterpointError(f"{name} is not a matrix of numbers; {what}")
    if cell.shape[1] != NOTES:
        raise CounterpointError(f"{name} has shape {cell.shape}; expected (time, {NOTES})")
    if not np.isin(cell, (0, 1)).all():
        odd = cell[~np.isin(cell, (0, 1))][0]
        raise CounterpointError(f"{name} has the value {odd}; expected 0 and 1 only")
    return cell


SOURCES: dict[str, Source] = {
    **{
        name: Source((file,), polyphonic.RELEASE, f"{name}.npz", polyphonic.DIGESTS, music)
        for name, file in polyphonic.MATLAB.items()
    },
    **{
        name: Source(mocap.MATLAB[name], mocap.RELEASES[name], mocap.FILES[name], mocap.DIGESTS, make)
        for name, make in (("mocap_cmu35", walks_and_runs), ("mocap_mit", walks))
    },
}
