"""Real numbers of one's own, brought to mean 0 and deviation 1 entry by entry: what networks and rates are made for."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from counterpoint.data.arrays import like, load_npz
from counterpoint.data.motion import Motion
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Audio, Numbers


def own_npz(path: Path) -> Corpus:
    """Sequences from an `.npz`, whose real numbers are normalised entry by entry."""
    return normalised(load_npz(path))


def normalised(corpus: Corpus) -> Corpus:
    """x = (value - mean) / deviation, by what was observed of the training frames; the view turns it back.

    A corpus of another kind, or with a view, is given back as it is: a view knows in which units its numbers are. An
    entry that never changes becomes 0.
    """
    if corpus.kind != "real" or corpus.view is not None:
        return corpus
    frames, seen = (np.concatenate(a) for a in zip(*map(_seen, *_pairs(corpus.train))))
    count = np.maximum(seen.sum(0), 1)
    mean = frames.sum(0) / count
    deviation = np.sqrt((np.where(seen, frames - mean, 0.0) ** 2).sum(0) / count)
    still = deviation <= 1e-12 * np.abs(mean)  # what rounding leaves of none
    view = Numbers(mean, np.where(still, 1.0, deviation))
    return dataclasses.replace(_moved(corpus, view.normalise), view=view)


def units(corpus: Corpus) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and deviation that numbers, sounds and motion were normalised by; None where they were not."""
    match corpus.view:
        case Numbers(mean, deviation) if mean.any() or (deviation != 1).any():
            return mean, deviation
        case Audio():
            return np.array(corpus.view.mean), np.array(corpus.view.deviation)
        case Motion():
            return corpus.view.features.bias, 1 / corpus.view.features.scale
    return None


def in_units_of(corpus: Corpus, own: Corpus) -> Corpus:
    """Other real data as they would be, had they been normalised with those that a model learned from."""
    if corpus is own or not corpus.kind == own.kind == "real" or corpus.train.event != own.train.event:
        return corpus
    plain = np.zeros(()), np.ones(())
    (there, wide), (here, unit) = units(corpus) or plain, units(own) or plain
    moved = _moved(corpus, lambda x: (there + wide * np.asarray(x, float) - here) / unit)
    return dataclasses.replace(moved, view=own.view)


def same_units(a: Corpus, b: Corpus) -> bool:
    """Whether log-densities of models of both are of the same numbers."""
    first, second = units(a), units(b)
    if first is None or second is None:
        return first is second
    return all(np.array_equal(left, right) for left, right in zip(first, second))


def _pairs(sequences: Sequences):
    return sequences.x, sequences.observed or [np.ones(len(x), bool) for x in sequences.x]


def _seen(x: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values, 0 where they are missing, and where they are not."""
    seen = np.broadcast_to(like(observed, x), x.shape)
    return np.where(seen, x, 0).astype(float), seen


def _moved(corpus: Corpus, move: Callable[[np.ndarray], np.ndarray]) -> Corpus:
    """All frames moved, in single precision."""
    parts = {name: getattr(corpus, name) for name in ("train", "valid", "test")}
    with np.errstate(over="ignore", invalid="ignore"):  # anything may stand where it is missing
        moved = {n: dataclasses.replace(a, x=tuple(move(x).astype(np.float32) for x in a.x)) for n, a in parts.items()}
    return dataclasses.replace(corpus, **moved)
