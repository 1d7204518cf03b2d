"""MATLAB files of version 5 to 7, read without trust."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from counterpoint.errors import CounterpointError


def read_mat(source: Path, release: str) -> dict[str, np.ndarray]:
    """Every array by name. Raises CounterpointError where the file is missing or damaged, or scipy is not there."""
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise CounterpointError(
            "reading MATLAB files needs scipy, which is not installed; pip install 'counterpoint[matlab]'"
        ) from error
    if not source.is_file():
        raise CounterpointError(f"{source} does not exist; give the .mat file, from {release}")
    try:
        return {k: a for k, a in loadmat(source).items() if isinstance(a, np.ndarray) and not k.startswith("__")}
    except Exception as error:  # scipy's parser raises whatever foreign bytes lead it to
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CounterpointError(
            f"{source} cannot be read as a MATLAB file of version 5 to 7 ({first[:120]}); get it again"
        ) from error


def cells(source: Path, splits: Sequence[str], release: str) -> dict[str, list[np.ndarray]]:
    """The matrices of each split: those of the one cell array that has its name within its own."""
    found, chosen = read_mat(source, release), {}
    for split in splits:
        hits = [k for k, a in found.items() if split in k.lower() and a.dtype.kind == "O" and a.size]
        if len(hits) != 1:
            listed = ", ".join(f"{k} {np.shape(a)}" for k, a in found.items()) or "nothing"
            raise CounterpointError(
                f"{source} has {len(hits)} cell arrays with {split!r} in the name; expected one for each of"
                f" {', '.join(splits)}, found {listed}"
            )
        chosen[split] = list(found[hits[0]].ravel(order="F"))
    return chosen


def matrix(name: str, a: np.ndarray | None) -> np.ndarray:
    """float64 of two axes. Raises CounterpointError for anything but a matrix of finite numbers."""
    if not isinstance(a, np.ndarray) or a.dtype.kind not in "buif" or a.ndim != 2 or not a.size:
        raise CounterpointError(f"{name} is not a matrix of numbers; get the file again")
    if not np.isfinite(a).all():
        raise CounterpointError(f"{name} has NaN or infinity; get the file again")
    return a.astype(np.float64)
