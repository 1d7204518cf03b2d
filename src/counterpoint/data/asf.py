"""Acclaim motion capture as the CMU database has it: skeletons (.asf) and motions (.amc).

Read are `:units`, `:root`, `:bonedata` and `:hierarchy` of a skeleton, with angles in degrees and joints that turn
(dof rx, ry, rz); limits, masses and skins are passed over. Frames of a motion come one after the other, each with a
line for the root and for every bone that has a dof.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from counterpoint.data.motion import Skeleton, rotation
from counterpoint.errors import CounterpointError

MOVES = ("tx", "ty", "tz", "rx", "ry", "rz")


class Line(NamedTuple):
    """Words of one line of a file. Errors name it."""

    path: Path
    number: int
    words: list[str]

    def wrong(self, what: str) -> CounterpointError:
        return CounterpointError(f"{self.path}, line {self.number}: {what}")

    def numbers(self, first: int, count: int) -> list[float]:
        """`count` finite numbers from word `first` on."""
        found = self.words[first : first + count]
        try:
            values = [float(word) for word in found]
        except ValueError:
            values = []
        if len(values) != count or not np.isfinite(values).all():
            raise self.wrong(f"{self.words[0]} is followed by {' '.join(found) or 'nothing'}; expected {count} numbers")
        return values

    def moves(self, known: tuple[str, ...]) -> list[str]:
        """Distinct names of degrees of freedom after the first word."""
        found = [word.lower() for word in self.words[1:]]
        odd = [move for move in found if move not in known or found.count(move) > 1]
        if odd:
            raise self.wrong(f"{self.words[0]} has {odd[0]}; expected some of {' '.join(known)}, each once")
        return found

    def axes(self, at: int) -> str:
        """The order of rotations at word `at`: "xyz" or another order of the three."""
        order = self.words[at].lower() if at < len(self.words) else ""
        if sorted(order) != ["x", "y", "z"]:
            raise self.wrong(f"{self.words[0]} has {order or 'no'} order of rotations; expected one such as XYZ")
        return order


class Bone(NamedTuple):
    name: str
    moves: list[str]
    offset: np.ndarray
    axes: np.ndarray
    order: str


def read_asf(path: str | Path) -> Skeleton:
    """The skeleton of an .asf file. Lengths stay in the file's unit (at CMU 2.54 / 0.45 cm = 5.64 cm).

    Raises CounterpointError, with the line, for a file that cannot be read, numbers or names that are missing or odd,
    other angles than degrees, other dofs than rotations, and bones that do not hang together.
    """
    path = Path(path)
    sections: dict[str, list[Line]] = {}
    for line in _lines(path):
        if line.words[0].startswith(":"):
            current = sections.setdefault(line.words[0][1:].lower(), [])
        elif not sections:
            raise line.wrong(f"{line.words[0]} stands before any section; an .asf file has :root, :bonedata, ...")
        else:
            current.append(line)
    for name in ("root", "bonedata", "hierarchy"):
        if not sections.get(name):
            raise CounterpointError(f"{path} has no section :{name}; give an Acclaim skeleton (.asf)")
    for line in sections.get("units", ()):
        if line.words[0].lower() == "angle" and line.words[1:] != ["deg"]:
            raise line.wrong(f"angles in {' '.join(line.words[1:]) or 'nothing'}; only degrees (deg) are read")
    bones = [_root(path, sections["root"]), *_bones(sections["bonedata"])]
    known = {bone.name: bone for bone in bones}
    if len(known) < len(bones):
        names = [bone.name for bone in bones]
        twice = next(name for name in names if names.count(name) > 1)
        raise CounterpointError(f"{path}: two bones are called {twice}; names must differ")
    order = _order(path, sections["hierarchy"], known)
    joints = tuple(order)
    return Skeleton(
        joints=joints,
        parents=tuple(joints.index(order[name]) for name in joints[1:]),
        channels=tuple(f"{name}_{move}" for name in joints for move in known[name].moves),
        offsets=np.array([known[name].offset for name in joints]),
        axes=np.array([known[name].axes for name in joints]),
        orders=tuple(known[name].order for name in joints),
    )


def _lines(path: Path) -> Iterator[Line]:
    """Lines that are neither empty nor a comment."""
    try:
        text = path.read_text(encoding="latin-1")  # never fails: only names and comments go beyond ASCII
    except OSError as error:
        raise CounterpointError(f"cannot read {path}: {error.strerror or error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield Line(path, number, words)


def _fields(where: str, lines: dict[str, Line], *names: str) -> list[Line]:
    missing = [name for name in names if name not in lines]
    if missing:
        raise CounterpointError(f"{where} has no {missing[0]}; expected {', '.join(names)}")
    return [lines[name] for name in names]


def _root(path: Path, lines: list[Line]) -> Bone:
    fields = {line.words[0].lower(): line for line in lines}
    order, axis, position, turn = _fields(f"{path}: :root", fields, "order", "axis", "position", "orientation")
    axes = axis.axes(1)
    offset = np.array(position.numbers(1, 3))
    return Bone("root", order.moves(MOVES), offset, rotation(np.array(turn.numbers(1, 3)), axes), axes)


def _bones(lines: list[Line]) -> Iterator[Bone]:
    fields: dict[str, Line] = {}
    for line in lines:
        word = line.words[0].lower()
        if word == "begin":
            fields = {}
        elif word == "end":
            name, direction, length, axis = _fields(
                f"{line.path}, line {line.number}: the bone that ends here",
                {key: field for key, field in fields.items() if len(field.words) > 1},
                *("name", "direction", "length", "axis"),
            )
            yield Bone(
                name.words[1],
                fields["dof"].moves(MOVES[3:]) if "dof" in fields else [],
                np.array(direction.numbers(1, 3)) * length.numbers(1, 1)[0],
                rotation(np.array(axis.numbers(1, 3)), axis.axes(4)),
                axis.axes(4),
            )
        else:
            fields[word] = line


def _order(path: Path, lines: list[Line], known: dict[str, Bone]) -> dict[str, str]:
    """Every joint's parent, depth first from the root (whose parent is nothing)."""
    children: dict[str, list[str]] = {}
    parents: dict[str, str] = {"root": ""}
    for line in lines:
        parent, *below = line.words
        if not below and parent.lower() in ("begin", "end"):
            continue
        for name in line.words:
            if name not in known:
                raise line.wrong(f"no bone is called {name}; :bonedata has {', '.join(list(known)[1:])}")
        for name in below:
            if name in parents:
                raise line.wrong(f"{name} has a place in the hierarchy already; each bone hangs at one other")
            parents[name] = parent
        children.setdefault(parent, []).extend(below)
    found: dict[str, str] = {}
    waiting = ["root"]
    while waiting:
        name = waiting.pop()
        found[name] = parents[name]
        waiting.extend(reversed(children.get(name, [])))
    loose = [name for name in known if name not in found]
    if loose:
        raise CounterpointError(f"{path}: {loose[0]} does not hang at the root; :hierarchy must reach every bone")
    return found


def read_amc(path: str | Path, skeleton: Skeleton) -> np.ndarray:
    """The channels (T, channels) float64 of an .amc file, in the order of `skeleton.channels`.

    Raises CounterpointError, with the line, for a file that cannot be read or has no frames, bones that the skeleton
    does not have or that come twice or not at all, wrong counts of numbers, frames out of order, angles in radians.
    """
    path = Path(path)
    places: dict[str, slice] = {}
    for i, channel in enumerate(skeleton.channels):
        joint = channel.rpartition("_")[0]
        places[joint] = slice(places[joint].start if joint in places else i, i + 1)
    rows: list[list[float]] = []
    first: int | None = None
    missing: set[str] = set()
    for line in _lines(path):
        word = line.words[0]
        if word.startswith(":"):
            if word.lower() == ":radians":
                raise line.wrong("angles in radians; only degrees are read")
        elif len(line.words) == 1 and word.isdecimal():
            if missing:
                raise line.wrong(f"the frame before has no {min(missing)}; expected every bone with a dof")
            first = int(word) if first is None else first
            if int(word) != first + len(rows):
                raise line.wrong(f"frame {word} follows frame {first + len(rows) - 1}; frames must not be left out")
            rows.append([0.0] * len(skeleton.channels))
            missing = set(places)
        elif not rows:
            raise line.wrong(f"{word} stands before any frame; an .amc file has a line with the number of each frame")
        elif word not in missing:
            raise line.wrong(f"{word} comes twice in a frame" if word in places else f"the skeleton moves no {word}")
        else:
            place = places[word]
            if len(line.words) - 1 != place.stop - place.start:
                raise line.wrong(
                    f"{word} has {len(line.words) - 1} numbers, {place.stop - place.start} in the skeleton"
                )
            rows[-1][place] = line.numbers(1, place.stop - place.start)
            missing.discard(word)
    if not rows or missing:
        what = f"ends in a frame without {min(missing)}; it is cut short" if rows else "has no frames"
        raise CounterpointError(f"{path} {what}; give an Acclaim motion (.amc)")
    return np.array(rows)
