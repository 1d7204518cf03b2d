"""Views as the plain arrays of an `.npz`, and back, so that a corpus of one's own is drawn as what it was made from.

lowest     ()    Notes: the MIDI note of column 0
image      (2,)  Images: height and width
audio      (3,)  Audio: rate, mean, deviation
mean       ()    Numbers that were normalised, or of a frame's shape: value = mean + deviation x; deviation likewise
words      (M,)  Words: the vocabulary; times (T,), where steps have names
motion_*         Motion, the fields of `Taylor`: bias, scale (F,), columns (F - 9,), rest (C,)
skeleton_*       its skeleton, where it has one, the fields of `Skeleton`: joints, orders (J,), parents (J - 1,),
                 channels (C,), offsets (J, 3), axes (J, 3, 3)
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from counterpoint.data.motion import Motion, Skeleton, Taylor
from counterpoint.data.views import Audio, Images, Notes, Numbers, Words
from counterpoint.errors import CounterpointError

TAYLOR = ("bias", "scale", "columns", "rest")
SKELETON = ("joints", "parents", "channels", "offsets", "axes", "orders")
ROOT = 9  # features of the root, which come first
FORMS: dict[str, tuple[str, ...]] = {  # of each view, what may be there; the first always is
    "notes": ("lowest",),
    "pixels": ("image",),
    "samples": ("audio",),
    "words": ("words", "times"),
    "numbers": ("mean", "deviation"),
    "features of motion": tuple(f"motion_{key}" for key in TAYLOR) + tuple(f"skeleton_{key}" for key in SKELETON),
}
NAMES = tuple(name for form in FORMS.values() for name in form)
Arrays = Mapping[str, np.ndarray]
Event = tuple[int, ...]


def to_arrays(view: Any) -> dict[str, np.ndarray]:
    """What `from_arrays` reads back equal; nothing of a view that is None."""
    match view:
        case Notes():
            return {"lowest": np.array(view.lowest)}
        case Images():
            return {"image": np.array([view.height, view.width])}
        case Audio():
            return {"audio": np.array([view.rate, view.mean, view.deviation])}
        case Words():
            times = {"times": np.array(view.times)} if view.times else {}
            return {"words": np.array(view.vocabulary), **times}
        case Numbers():
            return {"mean": view.mean, "deviation": view.deviation}
        case Motion():
            arrays = {f"motion_{key}": np.asarray(getattr(view.features, key)) for key in TAYLOR}
            if view.skeleton is not None:
                arrays |= {f"skeleton_{key}": np.asarray(getattr(view.skeleton, key)) for key in SKELETON}
                arrays["skeleton_parents"] = np.array(view.skeleton.parents, np.int32)  # of one joint: none, and whole
            return arrays
    return {}


def from_arrays(where: str, given: Arrays, event: Event) -> Any:
    """The view that arrays make of frames of shape `event`; None of no arrays.

    Raises CounterpointError for arrays of more than one view, one that is missing, and one that does not fit.
    """
    found = [name for name, form in FORMS.items() if any(key in given for key in form)]
    if len(found) > 1:
        keys = " and ".join(next(key for key in FORMS[name] if key in given) for name in found)
        raise CounterpointError(f"{where} has {keys}; columns are {' or '.join(found)}, not both")
    read = dict(zip(FORMS, (_notes, _images, _audio, _words, _numbers, _motion)))
    return read[found[0]](where, given, event) if found else None


def _array(where: str, given: Arrays, key: str, kinds: str, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    """An array of one of these kinds of dtype, of this shape (None: any length), finite; else CounterpointError."""
    a = given.get(key)
    size = "" if None in shape or not shape else f", of shape {shape}"
    if a is None:
        raise CounterpointError(f"{where}: {key} is not {what}{size}; it is missing")
    fits = a.ndim == len(shape) and all(wanted in (None, have) for wanted, have in zip(shape, a.shape))
    if not fits or a.dtype.kind not in kinds or (a.dtype.kind == "f" and not np.isfinite(a).all()):
        raise CounterpointError(f"{where}: {key} is not {what}{size}; it is {a.dtype} of shape {a.shape}")
    return a


def _numbers(where: str, given: Arrays, event: Event) -> Numbers:
    mean, deviation = (np.asarray(given.get(key, np.nan)) for key in ("mean", "deviation"))
    fits = all(a.shape in ((), event) and a.dtype.kind in "uif" and np.isfinite(a).all() for a in (mean, deviation))
    if not fits or (deviation <= 0).any():
        raise CounterpointError(
            f"{where}: give both mean and deviation > 0, each as one number or of the shape of a frame, {event}"
        )
    return Numbers(*(np.broadcast_to(a, event).astype(float) for a in (mean, deviation)))


def _notes(where: str, given: Arrays, event: Event) -> Notes:
    return Notes(int(_array(where, given, "lowest", "uif", (), "one number")))


def _images(where: str, given: Arrays, event: Event) -> Images:
    height, across = _array(where, given, "image", "ui", (2,), "two whole numbers, height and width").tolist()
    if min(height, across) < 1 or height * across != math.prod(event):
        raise CounterpointError(f"{where}: image says {height} x {across} pixels, but a frame has {math.prod(event)}")
    return Images(height, across)


def _audio(where: str, given: Arrays, event: Event) -> Audio:
    what = "three numbers: samples a second, mean and deviation > 0"
    rate, mean, deviation = _array(where, given, "audio", "uif", (3,), what).tolist()
    if rate < 1 or deviation <= 0:
        raise CounterpointError(f"{where}: audio is not {what}; it is {rate:g}, {mean:g}, {deviation:g}")
    return Audio(round(rate), mean, deviation)


def _words(where: str, given: Arrays, event: Event) -> Words:
    vocabulary = _array(where, given, "words", "U", (math.prod(event),), "a word for each column")
    times = _array(where, given, "times", "U", (None,), "texts") if "times" in given else np.array(())
    return Words(tuple(vocabulary.tolist()), tuple(times.tolist()))


def _motion(where: str, given: Arrays, event: Event) -> Motion:
    width = math.prod(event)
    rest = _array(where, given, "motion_rest", "f", (None,), "numbers")
    columns = _array(where, given, "motion_columns", "iu", (width - ROOT,), "whole numbers")
    bias, scale = (_array(where, given, f"motion_{key}", "f", (width,), "numbers") for key in ("bias", "scale"))
    if not ((columns >= 0) & (columns < len(rest))).all() or len(rest) < 6 or not scale.all():
        raise CounterpointError(f"{where}: motion_columns are not among {len(rest)} channels, or motion_scale has a 0")
    view = Taylor(bias, scale, columns, rest)
    return Motion(_skeleton(where, given, len(rest)) if any("skeleton" in key for key in given) else None, view)


def _skeleton(where: str, given: Arrays, channels: int) -> Skeleton:
    read = lambda key, kinds, shape, what: _array(where, given, f"skeleton_{key}", kinds, shape, what)
    joints = read("joints", "U", (None,), "names").tolist()
    count = len(joints)
    orders = read("orders", "U", (count,), "orders such as xyz").tolist()
    parents = read("parents", "iu", (count - 1,), "whole numbers").tolist()
    if any(sorted(order) != ["x", "y", "z"] for order in orders):
        raise CounterpointError(f"{where}: skeleton_orders are not orders such as xyz")
    if any(not 0 <= parent <= j for j, parent in enumerate(parents)):  # of joint j + 1
        raise CounterpointError(f"{where}: skeleton_parents do not come before their joints")
    return Skeleton(
        joints=tuple(joints),
        parents=tuple(parents),
        channels=tuple(read("channels", "U", (channels,), "names").tolist()),
        offsets=read("offsets", "f", (count, 3), "numbers"),
        axes=read("axes", "f", (count, 3, 3), "numbers"),
        orders=tuple(orders),
    )
