"""Folders of standard MIDI files to piano rolls, x_ti = 1 while note 21 + i sounds.

A beat (a quarter note, as the file counts them) has `steps` frames. A note sounds from the frame that its start is
nearest to, up to that of its end, one frame at least: so what is played slightly off the grid is put on it. Tracks and
channels are laid together, but for drums (channel 10), which have no pitch, and notes beyond the 88 of a piano. Silence
before the first note and after the last is cut off. A note struck again while it sounds is held: a roll has no strokes.
"""

import io
import statistics
from pathlib import Path

import numpy as np

from counterpoint.data.archives import members
from counterpoint.data.arrays import tenths
from counterpoint.data.packed import LOWEST, NOTES
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Notes
from counterpoint.errors import CounterpointError

SUFFIXES = (".mid", ".midi")
STEPS = 2  # a quarter note: eighths
DRUMS = 9
LIMIT = 2**28  # bytes of all files together
LONGEST = 100_000  # frames of a piece: beyond it a file is damaged, or counts time otherwise
BEAT = 500_000  # microseconds, where a file has no tempo


def midi(path: str | Path, steps: int = STEPS) -> Corpus:
    """The pieces of a folder or a zip of `.mid` files, in the order of their names, split 80/10/10 at random by a fixed
    seed: frames (88,) of 0 and 1.

    steps  frames of a quarter note: 2 for eighths, 4 for sixteenths

    A frame lasts as long as it does at the median of the tempos that the pieces begin with.

    Raises CounterpointError for less than three pieces, a file that is no MIDI or has no notes, and for steps below 1.
    """
    path = Path(path).expanduser()
    if steps < 1:
        raise CounterpointError(f"steps is {steps}; give at least 1 frame for a quarter note")
    found = {name: read(f"{path}: {name}", data, steps) for name, data in members(path, is_midi, LIMIT, "MIDI files")}
    if not found:
        raise CounterpointError(f"{path} has no .mid files")
    names = tuple(name.rpartition(".")[0] for name in found)
    whole = Sequences(tuple(roll for roll, _ in found.values()), names=names, what=str(path))
    beat = statistics.median(tempo for _, tempo in found.values())
    return Corpus(
        path.resolve().stem,
        *tenths(whole).values(),
        kind="binary",
        step=f"1/{steps} of a quarter note",
        view=Notes(LOWEST),
        seconds=beat / steps / 1e6,
        note=f"{len(found)} MIDI files",
    )


def is_midi(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def read(what: str, data: bytes, steps: int = STEPS) -> tuple[np.ndarray, int]:
    """The roll (T, 88) uint8 of a file's content, and its first tempo in microseconds a beat."""
    import mido

    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
        messages = list(mido.merge_tracks(file.tracks))
    except Exception as error:  # whatever mido meets in bytes that are not what they claim to be
        why = str(error) or type(error).__name__
        raise CounterpointError(f"{what} is not a MIDI file that can be read ({why}); leave it out") from None
    if file.type == 2 or not 0 < file.ticks_per_beat < 2**15:
        raise CounterpointError(f"{what} does not count its time in beats; leave it out")
    tempos, tick = [message.tempo for message in messages if message.type == "set_tempo"], 0
    began: dict[tuple[int, int], int] = {}
    sounding: list[tuple[int, int, int]] = []  # frames from, to, and the note

    def end(key: tuple[int, int]) -> None:
        start = began.pop(key, None)
        if start is not None:
            sounding.append((frame(start), max(frame(tick), frame(start) + 1), key[1]))

    frame = lambda tick: int(tick * steps / file.ticks_per_beat + 0.5)
    for message in messages:
        tick += message.time
        if message.type in ("note_on", "note_off") and message.channel != DRUMS:
            key = (message.channel, message.note)
            if message.type == "note_on" and message.velocity:
                began.setdefault(key, tick)
            else:
                end(key)
    for key in list(began):
        end(key)
    sounding = [(a, b, note - LOWEST) for a, b, note in sounding if 0 <= note - LOWEST < NOTES]
    if not sounding:
        raise CounterpointError(f"{what} has no notes of a piano's range; leave it out")
    first, last = min(a for a, _, _ in sounding), max(b for _, b, _ in sounding)
    if last - first > LONGEST:
        raise CounterpointError(f"{what} has {last - first} frames; more than {LONGEST} are not read, leave it out")
    roll = np.zeros((last - first, NOTES), np.uint8)
    for a, b, note in sounding:
        roll[a - first : b - first, note] = 1
    return roll, (tempos or [BEAT])[0]
