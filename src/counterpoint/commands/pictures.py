"""Sequences as a reader sees them: notes as piano rolls and MIDI, anything else as panels and arrays."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from counterpoint.data import Corpus
from counterpoint.data.views import Notes
from counterpoint.files import replacing
from counterpoint.report import panels, piano_rolls, write_midi


def is_music(corpus: Corpus) -> bool:
    """Whether columns are notes."""
    return isinstance(corpus.view, Notes) and corpus.kind == "binary" and len(corpus.train.event) == 1


def draw(corpus: Corpus, sequences: Mapping[str, np.ndarray], path: Path) -> None:
    """A picture of sequences (title -> (T, ...)) one above the other."""
    if is_music(corpus):
        piano_rolls(sequences, path, corpus.view.lowest, corpus.seconds)
        return
    wide = [a.shape[1:] for a in sequences.values() if a.ndim > 1]
    flat = {}
    for title, a in sequences.items():
        if corpus.kind == "index" and a.ndim == 1 and wide:  # next to probabilities, a category is one of them
            a = np.eye(wide[0][0])[a.astype(int)]
        flat[title] = np.asarray(a, float).reshape(len(a), -1)
    panels(flat, path, "category" if wide and corpus.kind == "index" else "dimension", corpus.seconds)


def keep(corpus: Corpus, sequences: Sequence[np.ndarray], path: Path) -> list[Path]:
    """One file, or for several MIDI files one each with a number: what was written."""
    if path.suffix == ".npz":
        with replacing(path) as file:
            np.savez(file, **{f"sequence_{i + 1}": a for i, a in enumerate(sequences)})  # pyright: ignore
        return [path]
    many = len(sequences) > 1
    paths = [path.with_stem(f"{path.stem}-{i + 1}") if many else path for i in range(len(sequences))]
    for a, one in zip(sequences, paths):
        write_midi(a, one, corpus.view.lowest, corpus.seconds or 0.5)
    return paths
