"""How a frame is to be looked at. A corpus has at most one of these; what draws or plays them stands in `report`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Notes:
    """Columns are notes: column i is MIDI note `lowest` + i."""

    lowest: int = 21


@dataclass(frozen=True)
class Images:
    """A frame is an image, row after row: `height` x `width` grey values, 0 black and 1 white."""

    height: int
    width: int


@dataclass(frozen=True)
class Words:
    """Columns count the words of `vocabulary`; steps of a sequence are told by `times`, such as years."""

    vocabulary: tuple[str, ...]
    times: tuple[str, ...] = ()
