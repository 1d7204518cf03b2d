"""How a frame is to be looked at. A corpus has at most one of these; what draws or plays them stands in `report`."""

from dataclasses import dataclass

import numpy as np


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


@dataclass(frozen=True)
class Audio:
    """A frame is a stretch of sound, `rate` values x a second, that stand for samples of 16 bits:

    sample = mean + deviation x
    """

    rate: int
    mean: float = 0.0
    deviation: float = 1.0

    def samples(self, frames: np.ndarray) -> np.ndarray:
        """(T * width,) int16 of frames (T, width): rounded, cut where 16 bits end, silent where missing."""
        exact = self.mean + self.deviation * np.asarray(frames, float).ravel()
        return np.clip(np.round(np.nan_to_num(exact)), -(2**15), 2**15 - 1).astype(np.int16)


@dataclass(frozen=True, eq=False)
class Numbers:
    """A frame is numbers that were normalised, entry by entry: value = mean + deviation x.

    mean, deviation: of a frame's shape
    """

    mean: np.ndarray
    deviation: np.ndarray

    def normalise(self, values: np.ndarray) -> np.ndarray:
        """(T, ...) values as x."""
        return (np.asarray(values, float) - self.mean) / self.deviation

    def values(self, x: np.ndarray) -> np.ndarray:
        """(T, ...) x as values."""
        return self.mean + self.deviation * np.asarray(x, float)

    @property
    def shift(self) -> float:
        """sum log deviation, in nats: log-densities of a frame of values are those of x less this."""
        return float(np.log(self.deviation).sum())

    @property
    def units(self) -> str:
        """The same in words; none where nothing was changed."""
        if not self.mean.any() and (self.deviation == 1).all():
            return ""
        how = "lower" if self.shift > 0 else "higher"
        return f", normalised; in their own units a log-density is {how} by {abs(self.shift):.3f} nats a step"
