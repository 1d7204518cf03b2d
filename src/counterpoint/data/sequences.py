"""Ragged sequences in host memory: what every data source returns and every verb takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from counterpoint.data.views import Numbers
from counterpoint.errors import CounterpointError, nearest

KINDS = {"binary": "binary number", "grey": "grey value", "real": "real number", "count": "count", "index": ""}


def spans(lengths: np.ndarray) -> str:
    """How many steps sequences have, in words."""
    least, most = int(lengths.min()), int(lengths.max())
    return f"{least} to {most} steps" if least < most else f"{most} step{'s' * (most > 1)}"


@dataclass(frozen=True)
class Sequences:
    """N sequences x_i of shape (T_i, ...), one event shape and dtype for all.

    `observed`, where given, holds one boolean array per sequence, of shape (T_i,) for whole frames or
    (T_i, ...) for entries: False marks what is missing. NaN is allowed only there.

    `chances`, where given, are shaped like x, probabilities of 1 of which x is one draw: training draws anew from them
    at every step, all else reads x.

    Raises CounterpointError for no sequences, a sequence of length zero, differing event shapes or
    dtypes, dtypes that are not numbers, masks or names that do not fit, and NaN or infinity that is not
    marked missing.
    """

    x: tuple[np.ndarray, ...]
    observed: tuple[np.ndarray, ...] | None = None
    names: tuple[str, ...] = ()
    what: str = field(default="data", compare=False)
    chances: tuple[np.ndarray, ...] | None = None

    def __post_init__(self):
        object.__setattr__(self, "x", tuple(np.asarray(a) for a in self.x))
        if self.observed is not None:
            object.__setattr__(self, "observed", tuple(np.asarray(a) for a in self.observed))
        self._check()
        if self.observed is not None and len({a.ndim for a in self.observed}) > 1:  # frames here, entries there
            spread = lambda a, x: np.broadcast_to(a.reshape(a.shape + (1,) * (x.ndim - a.ndim)), x.shape)
            object.__setattr__(self, "observed", tuple(spread(a, x) for a, x in zip(self.observed, self.x)))

    def _check(self):
        if not self.x:
            raise CounterpointError(f"{self.what}: no sequences; give at least one array of shape (time, ...)")
        first = self.x[0]
        if self.observed is not None and len(self.observed) != len(self.x):
            raise CounterpointError(
                f"{self.what}: {len(self.observed)} masks of what is observed for {len(self.x)} sequences;"
                " give one for each"
            )
        if self.names and len(self.names) != len(self.x):
            raise CounterpointError(
                f"{self.what}: {len(self.names)} names for {len(self.x)} sequences; give one for each, or none"
            )
        if self.chances is not None and [a.shape for a in self.chances] != [a.shape for a in self.x]:
            raise CounterpointError(f"{self.what}: chances are not shaped like x; give a probability for each value")
        for i, a in enumerate(self.x):
            name = f"{self.what}: sequence {self.names[i] if self.names else i}"
            if a.dtype.kind not in "buif":
                raise CounterpointError(f"{name} has dtype {a.dtype}; give numbers (bool, int or float)")
            if a.ndim == 0 or len(a) == 0:
                raise CounterpointError(f"{name} has length zero; leave it out")
            if a.shape[1:] != first.shape[1:] or a.dtype != first.dtype:
                raise CounterpointError(
                    f"{name} has frames of shape {a.shape[1:]} and dtype {a.dtype}, sequence 0 has"
                    f" {first.shape[1:]} and {first.dtype}; all must agree"
                )
            seen = None if self.observed is None else self.observed[i]
            if seen is not None and (seen.dtype != bool or seen.shape not in (a.shape, a.shape[:1])):
                raise CounterpointError(
                    f"{name}: the mask of what is observed has shape {seen.shape} and dtype {seen.dtype};"
                    f" give bool of shape {a.shape[:1]} (frames) or {a.shape} (entries)"
                )
            if a.dtype.kind == "f":
                bad = ~np.isfinite(a)
                if seen is not None:
                    bad &= seen.reshape(seen.shape + (1,) * (a.ndim - seen.ndim))
                if bad.any():
                    step = int(np.argwhere(bad)[0][0])
                    raise CounterpointError(
                        f"{name} has NaN or infinity at step {step} that is not marked missing;"
                        " clean it or mark it False in `observed`"
                    )

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"Sequences({self.what}: {len(self)} of {spans(self.lengths)}, frames {self.event} of {self.x[0].dtype})"

    @property
    def lengths(self) -> np.ndarray:
        """(N,) number of steps of each sequence."""
        return np.array([len(a) for a in self.x])

    @property
    def event(self) -> tuple[int, ...]:
        """Shape of one frame."""
        return self.x[0].shape[1:]

    def find(self, which: str) -> int:
        """The place of the sequence of that name, or of that number. Raises CounterpointError where there is none."""
        if which in self.names:
            return self.names.index(which)
        if which.isdecimal() and int(which) < len(self):
            return int(which)
        known = nearest(which, list(self.names)) if self.names else ""
        raise CounterpointError(f"{self.what} has no sequence {which!r}; give 0 to {len(self) - 1}{known}")

    def take(self, indices: Sequence[int] | np.ndarray) -> "Sequences":
        """The sequences at `indices`, in that order."""
        pick = lambda group: tuple(group[int(i)] for i in indices)
        return Sequences(
            pick(self.x),
            None if self.observed is None else pick(self.observed),
            pick(self.names) if self.names else (),
            self.what,
            None if self.chances is None else pick(self.chances),
        )

    def first(self, count: int, steps: int) -> "Sequences":
        """The first sequences, at most `count`, and of each the first steps."""
        few = self.take(range(min(count, len(self))))
        cut = lambda group: None if group is None else tuple(a[:steps] for a in group)
        return replace(few, x=cut(few.x), observed=cut(few.observed), chances=cut(few.chances))


@dataclass(frozen=True)
class Corpus:
    """Three splits and what a step of them is.

    `kind` is "binary", "grey" (between 0 and 1), "real", "count" or "index" (an integer category): what the values
    are, from which a recipe takes its likelihood. `step` names one time step in the reader's words, `view` says how
    a frame is to be looked at: one of `counterpoint.data.views`, or None for plain numbers.

    Raises CounterpointError for another kind, and where the frames of the splits differ in shape.
    """

    name: str
    train: Sequences
    valid: Sequences
    test: Sequences
    kind: str = "binary"
    step: str = "step"
    view: Any = None
    seconds: float | None = None  # length of one step, where it has one
    note: str = ""  # provenance and licence, one line
    parted: str = ""  # what trains, validates and tests, in words, where these are no sequences of their own

    def __post_init__(self):
        if self.kind not in KINDS:
            raise CounterpointError(f"{self.name}: unknown kind {self.kind!r}{nearest(self.kind, KINDS)}")
        for split in ("valid", "test"):
            event = getattr(self, split).event
            if event != self.train.event:
                raise CounterpointError(
                    f"{self.name}: frames of {split} have shape {event}, those of train {self.train.event};"
                    " all splits must agree"
                )

    @property
    def summary(self) -> str:
        """How data were read, in words: how many sequences, how long, and what a frame is."""
        sizes = f"{len(self.train)} train, {len(self.valid)} valid, {len(self.test)} test"
        lengths = np.concatenate([part.lengths for part in (self.train, self.valid, self.test)])
        return f"{self.parted or f'{sizes} sequences of {spans(lengths)}'}; a frame is {self.frame}"

    def __repr__(self) -> str:
        return f"Corpus({self.name}: {self.summary})"

    @property
    def frame(self) -> str:
        """A frame in words, such as `88 binary numbers`."""
        size = " x ".join(map(str, self.train.event)) or "1"
        if self.kind == "index":
            values, seen = np.concatenate(self.train.x), self.train.observed
            values = values if seen is None else values[np.concatenate(seen)]
            return f"{size} of {int(values.max(initial=0)) + 1} categories"
        units = self.view.units if isinstance(self.view, Numbers) else ""
        return f"{size} {KINDS[self.kind]}{'s' * (size != '1')}{units}"
