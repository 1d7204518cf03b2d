"""Real numbers of one's own, brought to mean 0 and deviation 1 entry by entry: what networks and rates are made for."""

import dataclasses

import numpy as np

from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Audio, Numbers


def normalised(corpus: Corpus) -> Corpus:
    """x = (value - mean) / deviation, by what was observed of the training frames; the view turns it back.

    A corpus of another kind, or with a view, is given back as it is: a view knows in which units its numbers are. An
    entry that never changes keeps its own units.
    """
    if corpus.kind != "real" or corpus.view is not None:
        return corpus
    frames, seen = (np.concatenate(a) for a in zip(*map(_seen, *_pairs(corpus.train))))
    count = np.maximum(seen.sum(0), 1)
    mean = frames.sum(0) / count
    deviation = np.sqrt((np.where(seen, frames - mean, 0.0) ** 2).sum(0) / count)
    still = deviation <= 1e-6 * np.abs(mean)
    view = Numbers(np.where(still, 0.0, mean), np.where(still, 1.0, deviation))
    parts = {name: _moved(getattr(corpus, name), view) for name in ("train", "valid", "test")}
    return dataclasses.replace(corpus, **parts, view=view)


def in_units_of(corpus: Corpus, own: Corpus) -> Corpus:
    """Other numbers or sounds as they would be, had they been normalised with those that a model learned from."""
    other, view = corpus.view, own.view
    alike = (
        isinstance(view, Numbers | Audio) and isinstance(other, type(view)) and corpus.train.event == own.train.event
    )
    if corpus is own or not alike:
        return corpus
    moved = lambda x: ((other.mean + other.deviation * x - view.mean) / view.deviation).astype(x.dtype)
    parts = {name: getattr(corpus, name) for name in ("train", "valid", "test")}
    parts = {name: dataclasses.replace(part, x=tuple(map(moved, part.x))) for name, part in parts.items()}
    return dataclasses.replace(
        corpus, **parts, view=dataclasses.replace(other, mean=view.mean, deviation=view.deviation)
    )


def _pairs(sequences: Sequences):
    return sequences.x, sequences.observed or [np.ones(len(x), bool) for x in sequences.x]


def _seen(x: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values, 0 where they are missing, and where they are not."""
    seen = np.broadcast_to(observed.reshape(observed.shape + (1,) * (x.ndim - observed.ndim)), x.shape)
    return np.where(seen, x, 0).astype(float), seen


def _moved(sequences: Sequences, view: Numbers) -> Sequences:
    return dataclasses.replace(sequences, x=tuple(view.normalise(x).astype(np.float32) for x in sequences.x))
