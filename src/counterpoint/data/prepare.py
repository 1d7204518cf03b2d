"""From the MATLAB files of the TSBN release to the `.npz` that `polyphonic` reads."""

from pathlib import Path

import numpy as np

from counterpoint.data.folders import folders
from counterpoint.data.packed import NOTES, SPLITS, digest, pack, write_npz
from counterpoint.data.polyphonic import DIGESTS, MATLAB, RELEASE, check_name
from counterpoint.errors import CounterpointError
from counterpoint.files import replacing


def prepare(name: str, source: Path, folder: Path | None = None) -> Path:
    """Write `NAME.npz` into `folder` (or COUNTERPOINT_DATA, or the user's cache) and return its path.

    `source` holds three cell arrays whose names contain train, valid and test, of matrices (T_i, 88) of 0 and 1.
    Nothing is written unless they are the released corpus. Raises CounterpointError otherwise.
    """
    check_name(name)
    if name not in MATLAB:
        raise CounterpointError(
            f"{name} is not made from a MATLAB file; those are the grid of 2012: {', '.join(MATLAB)}"
        )
    cells = _cells(Path(source))
    arrays = {}
    for split in SPLITS:
        rolls = [_roll(f"{source}: sequence {i} of {split}", cell) for i, cell in enumerate(cells[split])]
        arrays[f"{split}_rolls"] = pack(np.concatenate(rolls))
        arrays[f"{split}_lengths"] = np.array([len(roll) for roll in rolls], np.int32)
    if digest(arrays) != DIGESTS[name]:
        found = ", ".join(f"{len(a)} {s}" for s, a in cells.items())
        raise CounterpointError(
            f"{source} is not the released {name} ({found} sequences); give {MATLAB[name]} from {RELEASE}, or save"
            " your own data as .npz and name its path"
        )
    path = folders(folder)[0] / f"{name}.npz"
    with replacing(path) as file:
        write_npz(file, arrays)
    return path


def _cells(source: Path) -> dict[str, list[np.ndarray]]:
    """The matrices of each split."""
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise CounterpointError(
            "reading MATLAB files needs scipy, which is not installed; pip install 'counterpoint[matlab]'"
        ) from error
    if not source.is_file():
        raise CounterpointError(f"{source} does not exist; give the .mat file, from {RELEASE}")
    try:
        found = {k: a for k, a in loadmat(source).items() if isinstance(a, np.ndarray) and not k.startswith("__")}
    except Exception as error:  # scipy's parser raises whatever foreign bytes lead it to
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CounterpointError(
            f"{source} cannot be read as a MATLAB file of version 5 to 7 ({first[:120]}); get it again"
        ) from error
    cells = {}
    for split in SPLITS:
        hits = [k for k, a in found.items() if split in k.lower() and a.dtype.kind == "O" and a.size]
        if len(hits) != 1:
            listed = ", ".join(f"{k} {np.shape(a)}" for k, a in found.items()) or "nothing"
            raise CounterpointError(
                f"{source} has {len(hits)} cell arrays with {split!r} in the name; expected one for each of"
                f" {', '.join(SPLITS)}, found {listed}"
            )
        cells[split] = list(found[hits[0]].ravel(order="F"))
    return cells


def _roll(name: str, cell: np.ndarray) -> np.ndarray:
    if not isinstance(cell, np.ndarray) or cell.dtype.kind not in "buif" or cell.ndim != 2 or not cell.size:
        raise CounterpointError(f"{name} is not a matrix of numbers; expected (time, {NOTES}) of 0 and 1")
    if cell.shape[1] != NOTES:
        raise CounterpointError(f"{name} has shape {cell.shape}; expected (time, {NOTES})")
    if not np.isin(cell, (0, 1)).all():
        odd = cell[~np.isin(cell, (0, 1))][0]
        raise CounterpointError(f"{name} has the value {odd}; expected 0 and 1 only")
    return cell
