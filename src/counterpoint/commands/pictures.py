"""Sequences as a reader sees and hears them: piano rolls and MIDI, frames, stick figures, sound, lines; or arrays."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from counterpoint.core import Pairing
from counterpoint.data import Corpus
from counterpoint.data.motion import Motion
from counterpoint.data.normalising import units
from counterpoint.data.views import Audio, Images, Notes, Numbers, Words
from counterpoint.evaluation import activity
from counterpoint.files import replacing
from counterpoint.report import (
    categories,
    film_strip,
    gif_images,
    gif_skeleton,
    image_grid,
    lines,
    panels,
    piano_rolls,
    points,
    telling,
    topic_figure,
    topics,
    waveforms,
    word_figure,
    write_midi,
    write_wav,
)
from counterpoint.report.markdown import markdown_table
from counterpoint.report.series import FEW

TOPICS = (
    "A topic is a hidden unit: the words that tell most of it once it is on, the most telling first, and the steps in"
    " which it is more active than in the middle of its range."
)
POINTS = 1000  # in a picture
FPS = 20.0  # of videos whose frames have no length of their own


def rate(corpus: Corpus) -> float:
    """Frames a second that a video shows: the corpus' own where a GIF can, and not slower than one can watch."""
    return min(50.0, max(1.0, 1 / corpus.seconds)) if corpus.seconds else FPS


def nothing(corpus: Corpus, pairing: Pairing, key, folder: Path) -> list[Path]:
    """Where there is nothing to see within a model."""
    return []


class Look(NamedTuple):
    """suffix: of the file that sequences are usually kept in; draw: title -> (T, ...) into a picture, of which so many
    steps were given; write: the same into that file, or several; inside: what can be seen within a trained model, into
    files of a folder; most: how many single frames one picture takes, where more than usual."""

    suffix: str
    draw: Callable[[Corpus, Mapping[str, np.ndarray], Path, int], None]
    write: Callable[[Corpus, Mapping[str, np.ndarray], Path, int], list[Path]]
    inside: Callable[[Corpus, Pairing, Any, Path], list[Path]] = nothing
    most: int | None = None


def look(corpus: Corpus) -> Look:
    """How the sequences of a corpus are shown, by its view; as numbers where that does not fit."""
    view, event, longest = corpus.view, corpus.train.event, corpus.train.lengths.max()
    flat = len(event) == 1
    if isinstance(view, Notes) and corpus.kind == "binary" and flat:
        return Look(".mid", draw_notes, write_notes)
    if isinstance(view, Images) and flat:
        return Look(".gif", draw_images, write_images, dictionary)
    if isinstance(view, Audio) and flat:
        return Look(".wav", draw_audio, write_audio)
    if isinstance(view, Motion) and view.skeleton is not None:
        return Look(".gif", draw_numbers, write_motion)
    if isinstance(view, Words):
        return Look(".npz", draw_words, write_numbers, topics_of)
    if corpus.kind == "index":
        return Look(".npz", draw_categories, write_numbers)
    if corpus.kind == "real" and event == (2,) and longest == 1:
        return Look(".npz", draw_points, write_points, most=POINTS)
    if corpus.kind != "binary" and np.prod(event) <= FEW and longest > 1:
        return Look(".npz", draw_lines, write_numbers)
    return Look(".npz", draw_numbers, write_numbers)


def draw(corpus: Corpus, sequences: Mapping[str, np.ndarray], path: Path, given: int = 0) -> None:
    """A picture of sequences (title -> (T, ...)) one above the other, with a mark where the `given` steps end."""
    look(corpus).draw(corpus, sequences, path, given)


def keep(corpus: Corpus, sequences: Mapping[str, np.ndarray], path: Path, given: int = 0) -> list[Path]:
    """What was written of sequences (title -> (T, ...)): `path`, or where it takes several files, one each with a
    number."""
    own = look(corpus)
    write = own.write if path.suffix == own.suffix else write_numbers
    return write(corpus, sequences, path, given)


def draw_numbers(corpus, sequences, path, given):
    panels(vectors(sequences), path, seconds=corpus.seconds, given=given)


def draw_points(corpus, sequences, path, given):
    """A panel for each title; those of one point each share one."""
    alike = all(len(a) == 1 for a in sequences.values())
    points({"": np.concatenate(list(sequences.values()))} if alike else sequences, path)


def draw_lines(corpus, sequences, path, given):
    alone = isinstance(corpus.view, Numbers) and np.prod(corpus.train.event) == 1  # else entries share a scale
    shown = {title: values(corpus, a) if alone else a for title, a in sequences.items()}
    lines(vectors(shown), path, corpus.seconds, given, "normalised value" if units(corpus) and not alone else "value")


def draw_words(corpus, sequences, path, given):
    word_figure(sequences, corpus.view.vocabulary, corpus.view.times, path, given)


def draw_categories(corpus, sequences, path, given):
    categories(sequences, path, corpus.seconds, given)


def values(corpus: Corpus, a: np.ndarray) -> np.ndarray:
    """Frames (T, ...) in the units that they were given in, where a view of numbers knows them."""
    return corpus.view.values(a) if isinstance(corpus.view, Numbers) else a


def vectors(sequences: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Frames of any shape, as (T, D). Those that were normalised stay so, for entries share a scale."""
    return {title: np.asarray(a, float).reshape(len(a), -1) for title, a in sequences.items()}


def write_numbers(corpus, sequences, path, given):
    arrays = {f"sequence_{i + 1}": values(corpus, a) for i, a in enumerate(sequences.values())}
    with replacing(path) as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
    return [path]


def write_points(corpus, sequences, path, given):
    with replacing(path) as file:
        np.savez(file, points=np.concatenate([values(corpus, a) for a in sequences.values()]))
    return [path]


def draw_notes(corpus, sequences, path, given):
    piano_rolls(sequences, path, corpus.view.lowest, corpus.seconds, given)


def numbered(path: Path, count: int) -> list[Path]:
    return [path.with_stem(f"{path.stem}-{i + 1}") if count > 1 else path for i in range(count)]


def write_notes(corpus, sequences, path, given):
    paths = numbered(path, len(sequences))
    for a, one in zip(sequences.values(), paths):
        write_midi(a, one, corpus.view.lowest, corpus.seconds or 0.5)
    return paths


def draw_audio(corpus, sequences, path, given):
    sounds = {title: corpus.view.samples(a) for title, a in sequences.items()}
    waveforms(sounds, path, corpus.view.rate, given * corpus.train.event[0])


def write_audio(corpus, sequences, path, given):
    paths = numbered(path, len(sequences))
    for a, one in zip(sequences.values(), paths):
        write_wav(corpus.view.samples(a), one, corpus.view.rate)
    return paths


def draw_images(corpus, sequences, path, given):
    film_strip(sequences, path, corpus.view.height, corpus.view.width, given=given)


def write_images(corpus, sequences, path, given):
    gif_images(sequences, path, corpus.view.height, corpus.view.width, fps=rate(corpus), given=given)
    return [path]


def write_motion(corpus, sequences, path, given):
    view = corpus.view
    poses = {title: view.positions(a) for title, a in sequences.items()}
    gif_skeleton(poses, view.skeleton.edges, path, rate(corpus), given)
    return [path]


def dictionary(corpus, pairing, key, folder):
    """The columns of W2, one image each."""
    weights = pairing.p.dictionary()
    if weights is None:
        return []
    path = folder / "dictionary.png"
    height, width = corpus.view.height, corpus.view.width
    images = np.asarray(weights)[: height * width].T  # the rest, where there is any, is what is added to scales
    image_grid(images.reshape(-1, height, width), path, title="What each hidden unit adds to a frame")
    return [path]


def topics_of(corpus, pairing, key, folder):
    """Each hidden unit as a topic: its most telling words, and when it is on: known of those that are drawn."""
    weights = pairing.p.dictionary()
    if weights is None or pairing.p.determined:
        return []
    share = np.concatenate(corpus.train.x).sum(0) + 0.5
    weights = telling(np.asarray(weights, float), share / share.sum())
    on = activity(pairing.p, pairing.q, corpus.train.take([0]), key)[0]
    words, times = corpus.view.vocabulary, corpus.view.times[: len(on)]
    topic_figure(weights, on, words, times, folder / "topics.png")
    rows = topics(weights, on, words, times)
    table = markdown_table(rows[0], (map(str, row.values()) for row in rows), "l" * len(rows[0]))
    with replacing(folder / "topics.md") as file:
        file.write(f"# Topics of {corpus.name}\n\n{TOPICS}\n\n{table}\n".encode())
    return [folder / "topics.png", folder / "topics.md"]


def titled(sequences: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """By their numbers, from 1; one alone needs none."""
    return {str(i + 1) if len(sequences) > 1 else "": a for i, a in enumerate(sequences)}
