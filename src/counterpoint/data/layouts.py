"""One array of many sequences, cut into them: padded, stacked along time, or stacked and packed to bits."""

import numpy as np

from counterpoint.data.packed import NOTES, cut, unpack
from counterpoint.data.sequences import Sequences
from counterpoint.errors import CounterpointError

LAYOUTS = ("padded", "stacked")
PARTS = ("lengths", "observed", "names", "chances")  # that may go with an array


def sequences(where: str, split: str, arrays: dict[str, np.ndarray], layout: str | None = None) -> Sequences:
    """The sequences of a split from `split` or `split_rolls` and the parts that go with it.

    `split` "x" has its parts without a prefix. `arrays.load_npz` says which forms there are. Raises CounterpointError
    for parts that do not fit the array; `where` (the file) opens the message.
    """
    prefix = "" if split == "x" else f"{split}_"
    lengths, observed, names, chances = (arrays.get(prefix + part) for part in PARTS)
    what = f"{where}: {split}"
    if f"{split}_rolls" in arrays:
        if split in arrays:
            raise CounterpointError(f"{where} has both {split} and {split}_rolls; give one of them")
        x, layout = _unpacked(f"{what}_rolls", arrays[f"{split}_rolls"]), "stacked"
    else:
        x = arrays[split]
    if x.ndim == 0 or not len(x):
        raise CounterpointError(
            f"{what} has shape {x.shape}; give (sequences, time, ...), or (frames, ...) with {prefix}lengths"
        )
    name = f"{where}: {prefix}lengths"
    if lengths is not None:
        lengths = _whole(name, lengths)
    layout = _resolve(name, x, lengths, layout)
    if observed is not None:
        observed = _mask(f"{where}: {prefix}observed", observed, x, axes=2 if layout == "padded" else 1)
    if names is not None and (names.ndim != 1 or names.dtype.kind != "U"):
        raise CounterpointError(
            f"{where}: {prefix}names has shape {names.shape} and dtype {names.dtype}; give one text for each sequence"
        )
    if chances is not None and (chances.shape != x.shape or not ((chances >= 0) & (chances <= 1)).all()):
        raise CounterpointError(
            f"{where}: {prefix}chances has shape {chances.shape}; give {x.shape}, a probability of 1 for each value"
        )
    pick = lambda a: cut(a, lengths) if lengths is not None and layout == "stacked" else _trim(a, lengths)
    return Sequences(
        pick(x),
        None if observed is None else pick(observed),
        () if names is None else tuple(str(n) for n in names),
        what,
        None if chances is None else pick(chances),
    )


def _unpacked(what: str, packed: np.ndarray) -> np.ndarray:
    columns = -(-NOTES // 8)
    if packed.dtype != np.uint8 or packed.ndim != 2 or packed.shape[1] != columns:
        raise CounterpointError(
            f"{what} has shape {packed.shape} and dtype {packed.dtype}; give uint8 (frames, {columns}), {NOTES} notes"
            " packed by numpy.packbits(axis=-1)"
        )
    return unpack(packed)


def _whole(what: str, lengths: np.ndarray) -> np.ndarray:
    """(N,) int64, all positive."""
    if lengths.ndim != 1 or lengths.dtype.kind not in "ui" or not lengths.size:
        raise CounterpointError(
            f"{what} has shape {lengths.shape} and dtype {lengths.dtype}; give one whole number for each sequence"
        )
    if lengths.min() < 1:
        raise CounterpointError(f"{what} has {lengths.min()} at {int(lengths.argmin())}; leave empty sequences out")
    return lengths.astype(np.int64)


def _resolve(what: str, x: np.ndarray, lengths: np.ndarray | None, layout: str | None) -> str:
    """Which layout it is, where the arrays fit one."""
    if lengths is None:
        if layout == "stacked" or x.ndim < 2:
            raise CounterpointError(
                f"{what} is missing: an array of shape {x.shape} does not say where sequences end; give the number of"
                " steps of each"
            )
        return "padded"
    fits = {
        "padded": x.ndim > 1 and len(lengths) == len(x) and int(lengths.max()) <= x.shape[1],
        "stacked": sum(lengths.tolist()) == len(x),  # Python's sum cannot overflow
    }
    if all(fits.values()) and layout is None:  # only where every length is 1
        return "padded" if x.ndim > 2 else "stacked"
    for known in LAYOUTS:
        if fits[known] and layout in (None, known):
            return known
    raise CounterpointError(
        f"{what}: {len(lengths)} lengths with sum {sum(lengths.tolist())} and largest {lengths.max()} do not fit an"
        f" array of shape {x.shape}{f' that is {layout}' if layout else ''}; stacked, they sum to its first axis;"
        " padded, there is one for each row and none beyond the second axis"
    )


def _mask(what: str, observed: np.ndarray, x: np.ndarray, axes: int) -> np.ndarray:
    if observed.shape not in (x.shape[:axes], x.shape):
        raise CounterpointError(
            f"{what} has shape {observed.shape}; give {x.shape[:axes]} (frames) or {x.shape} (entries)"
        )
    if observed.dtype != bool and not (observed.dtype.kind in "ui" and np.isin(observed, (0, 1)).all()):
        raise CounterpointError(f"{what} has dtype {observed.dtype}; give True where a value was seen, else False")
    return observed.astype(bool)


def _trim(a: np.ndarray, lengths: np.ndarray | None) -> tuple[np.ndarray, ...]:
    return tuple(a) if lengths is None else tuple(row[:length] for row, length in zip(a, lengths))
