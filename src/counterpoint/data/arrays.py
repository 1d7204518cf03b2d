"""A user's own sequences in one `.npz`: what the arrays may be called and how they may lie. Never unpickles."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from counterpoint.data.layouts import LAYOUTS, PARTS, sequences
from counterpoint.data.packed import LOWEST, SPLITS, read_npz, write_npz
from counterpoint.data.sequences import KINDS, Corpus, Sequences
from counterpoint.data.view_arrays import NAMES, from_arrays, to_arrays
from counterpoint.data.views import Numbers
from counterpoint.errors import CounterpointError, nearest
from counterpoint.files import replacing

ABOUT = ("kind", "step", "seconds", "note", "parted", "name")
FIELDS = (*ABOUT, "layout")
KNOWN = {s + end for s in SPLITS for end in ("", "_rolls", *(f"_{p}" for p in PARTS))}
KNOWN |= {"x", *PARTS, *FIELDS, *NAMES}
USUAL = ("x", "data", "arr_0")  # what others call x, in small letters
SEED = 0  # of the split of `x`


def load_npz(path: str | Path) -> Corpus:
    """Sequences from a `.npz`, in one of these forms, for each split s of `train`, `valid`, `test`:

    padded    `s` (N, T, ...), with `s_lengths` (N,) where sequences end before T
    stacked   `s` (frames, ...), all sequences one after the other, with `s_lengths` (N,) that sum to the frames
    packed    `s_rolls` uint8 (frames, 11), stacked rows of 88 notes through numpy.packbits, with `s_lengths`

    or one array `x`, padded or stacked (with `lengths`), which is split 80/10/10 at random by a fixed seed.

    `s_observed` (for `x`, `observed`) lies as the array does, for frames or for entries, False where missing;
    `s_names` (N,) names sequences. `s_chances` lies as the array does: probabilities of 1, of which training draws anew
    at every step. Without lengths an array is padded. With lengths it is stacked when they sum to
    its first axis, else padded; where all are 1 both fit, and it is padded only if it has three axes or more. `layout`
    ("padded" or "stacked") settles it. `kind`, `step`, `seconds`, `note`, `name` fill the fields of Corpus; `lowest`
    is the MIDI note of column 0 where columns are notes, `image` (height, width) where frames are images, `words` (M,)
    where columns count words; these and the others of `view_arrays` say how a frame is looked at.
    Without `kind`: "binary" where all values are 0 or 1, else "index" for integers >= 0 with one number a frame, whose
    axis is dropped where it has one, "count" for others >= 0, else "real".

    Raises CounterpointError for a file that cannot be read, names it does not know, and arrays that do not fit.
    """
    path = Path(path)
    arrays = read_npz(path)
    about = {key: _scalar(path, key, arrays.pop(key)) for key in FIELDS if key in arrays}
    layout = about.pop("layout", None)
    if layout not in (None, *LAYOUTS):
        raise CounterpointError(f"{path}: unknown layout {layout!r}{nearest(str(layout), LAYOUTS)}")
    seen = {key: arrays.pop(key) for key in NAMES if key in arrays}
    for key in arrays:
        if key not in KNOWN:
            own, near = "x" if key.lower() in USUAL else key.removeprefix("x_"), nearest(key, KNOWN)
            if len(arrays) == 1 and not near.startswith("; did"):
                own = "x"
            hint = f"; call it {own}" if own != key and own in ("x", *PARTS) else near
            raise CounterpointError(
                f"{path}: unknown array {key!r}{hint}; sequences are one array x, or train, valid and test, as"
                " docs/data.md says"
            )
    if any(key.endswith("_rolls") for key in arrays):
        seen.setdefault("lowest", np.array(LOWEST))

    if "x" in arrays:
        other = sorted(key for key in arrays if key not in ("x", *PARTS))
        if other:
            raise CounterpointError(f"{path} has x and also {', '.join(other)}; give x alone or the three splits")
        splits = tenths(sequences(str(path), "x", arrays, layout))
    else:
        missing = [s for s in SPLITS if s not in arrays and f"{s}_rolls" not in arrays]
        if missing:
            raise CounterpointError(
                f"{path} has no array {' or '.join(missing)} (it has {', '.join(arrays) or 'none'}); give train, valid"
                " and test, or one array x"
            )
        stray = sorted(set(arrays) & set(PARTS))
        if stray:
            raise CounterpointError(f"{path} has {stray[0]} without x; call it train_{stray[0]}, and so on")
        splits = {s: sequences(str(path), s, arrays, layout) for s in SPLITS}
    single = not seen and all(part.event == (1,) for part in splits.values())
    if "kind" not in about:
        guess = guess_kind(*splits.values())
        about["kind"] = "index" if single and guess == "count" else guess
        if guess == "real":
            check_axes(path, arrays)
    if single and about["kind"] == "index":
        splits = {split: symbols(part) for split, part in splits.items()}
    about["view"] = from_arrays(str(path), seen, splits["train"].event)
    if isinstance(about["view"], Numbers) and about["kind"] != "real":
        raise CounterpointError(
            f"{path}: mean and deviation are of real numbers, and these are read as {about['kind']}: save kind='real'"
            " beside them, if they are real"
        )
    about.setdefault("name", path.stem)
    return Corpus(**splits, **about)


def save_npz(path: str | Path, corpus: Corpus) -> None:
    """Write a corpus in the stacked form that `load_npz` reads back equal; masks of frames or of entries alike. The
    view is kept, of notes, images, sound, words, motion or normalised numbers."""
    arrays = {key: np.array(value) for key in ABOUT if (value := getattr(corpus, key)) is not None}
    arrays |= to_arrays(corpus.view)
    arrays["layout"] = np.array("stacked")
    for split in SPLITS:
        group: Sequences = getattr(corpus, split)
        arrays[split] = np.concatenate(group.x)
        arrays[f"{split}_lengths"] = group.lengths.astype(np.int32)
        if group.observed is not None:
            # One of them may cover entries where another covers frames; entries can say both.
            whole = len({seen.ndim for seen in group.observed}) == 1
            pairs = zip(group.observed, group.x)
            seen = group.observed if whole else [np.broadcast_to(like(m, x), x.shape) for m, x in pairs]
            arrays[f"{split}_observed"] = np.concatenate(seen)
        if group.chances is not None:
            arrays[f"{split}_chances"] = np.concatenate(group.chances)
        if group.names:
            arrays[f"{split}_names"] = np.array(group.names)
    with replacing(Path(path)) as file:
        write_npz(file, arrays)


def guess_kind(*groups: Sequences) -> str:
    """What the observed values are: see `load_npz`."""
    binary, whole = True, True
    for group in groups:
        for i, x in enumerate(group.x):
            seen = None if group.observed is None else like(group.observed[i], x)
            inside = np.ones(x.shape, bool) if seen is None else np.broadcast_to(seen, x.shape)
            values = x[inside]
            binary = binary and bool(np.isin(values, (0, 1)).all())
            whole = whole and x.dtype.kind in "bui" and bool((values >= 0).all())
    if binary:
        return "binary"
    return "real" if not whole else "index" if groups[0].event == () else "count"


def check_axes(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise CounterpointError for two axes of real numbers, of which the first may be sequences or steps."""
    for name, a in arrays.items():
        if name in ("x", *SPLITS) and a.ndim == 2 and not {"lengths", f"{name}_lengths"} & set(arrays):
            rows, columns = a.shape
            raise CounterpointError(
                f"{path}: {name} has {rows} rows of {columns} real numbers, which may be {rows} sequences of {columns}"
                f" steps or one of {rows} steps: for the first save {name}[..., None], for the second cut it into"
                " sequences, as docs/data.md says"
            )


def symbols(column: Sequences) -> Sequences:
    """Frames of shape (1,) as frames of shape ()."""
    flat = lambda group: None if group is None else tuple(a.reshape(len(a)) for a in group)
    return replace(column, x=flat(column.x), observed=flat(column.observed), chances=flat(column.chances))


def like(mask: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A mask of frames or of entries, with as many axes as x."""
    return mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim))


def _scalar(path: Path, key: str, a: np.ndarray) -> Any:
    """The text or number of a field of Corpus."""
    number = key == "seconds"
    if a.ndim or a.dtype.kind not in ("uif" if number else "U"):
        raise CounterpointError(f"{path}: {key} is not {'one number' if number else 'one text'}")
    if key == "kind" and str(a) not in KINDS:
        raise CounterpointError(f"{path}: unknown kind {str(a)!r}{nearest(str(a), KINDS)}")
    return float(a) if number else str(a)


def tenths(everything: Sequences) -> dict[str, Sequences]:
    """80/10/10 of them at random, each in its first order; the same for the same number of sequences."""
    n = len(everything)
    if n < 3:
        raise CounterpointError(
            f"{everything.what} has {n} sequences; give 3 or more (cut a long one into pieces), or train, valid and"
            " test"
        )
    tenth = max(1, round(n / 10))
    order = np.random.default_rng(SEED).permutation(n)
    parts = {"train": order[2 * tenth :], "valid": order[:tenth], "test": order[tenth : 2 * tenth]}
    return {split: everything.take(np.sort(rows)) for split, rows in parts.items()}
