"""Piano rolls as standard MIDI files."""

import os

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.files import replacing

TICKS_PER_STEP = 480  # one step is one MIDI beat, so the tempo alone carries its length
INSTRUMENTS = {"piano": 0, "organ": 19, "strings": 48, "choir": 52}  # General MIDI programs, counted from 0


def write_midi(
    roll: np.ndarray,
    path: str | os.PathLike,
    lowest: int = 21,
    seconds_per_step: float = 0.5,
    instrument: str = "piano",
    name: str = "counterpoint",
    velocity: int = 80,
) -> None:
    """Writes a roll of shape (T, notes), 0/1 or bool; column i is MIDI note `lowest` + i.

    A note on in consecutive frames is held, not struck again: a roll does not tell the two apart. One step
    lasts `seconds_per_step` seconds, rounded to whole microseconds. The file lasts T steps even where its
    last frames are silent, and appears whole or not at all.

    Raises CounterpointError for a roll that is not 2-D and 0/1, notes outside 0..127, a step outside
    (0, 16.7] seconds, a velocity outside 1..127, an unknown instrument, or a path that cannot be written.
    """
    import mido

    roll = np.asarray(roll)
    _check(roll, lowest, seconds_per_step, instrument, velocity)
    roll = roll.astype(bool)

    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=name, time=0))
    track.append(mido.MetaMessage("set_tempo", tempo=round(seconds_per_step * 1e6), time=0))
    track.append(mido.Message("program_change", program=INSTRUMENTS[instrument], time=0))

    silence = np.zeros((1, roll.shape[1]), dtype=np.int8)
    change = np.diff(roll.astype(np.int8), axis=0, prepend=silence, append=silence)
    now = 0
    # Row T holds the note-offs of what still sounds at the end. Offs go first: -1 sorts before 1.
    for step in np.flatnonzero(change.any(axis=1)):
        for sign, kind, loudness in ((-1, "note_off", 0), (1, "note_on", velocity)):
            for note in np.flatnonzero(change[step] == sign):
                tick = int(step) * TICKS_PER_STEP
                track.append(mido.Message(kind, note=lowest + int(note), velocity=loudness, time=tick - now))
                now = tick
    track.append(mido.MetaMessage("end_of_track", time=len(roll) * TICKS_PER_STEP - now))

    with replacing(path) as file:
        mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_STEP, tracks=[track]).save(file=file)


def _check(roll: np.ndarray, lowest: int, seconds: float, instrument: str, velocity: int) -> None:
    if roll.ndim != 2 or roll.dtype.kind not in "buif" or not np.isin(roll, (0, 1)).all():
        raise CounterpointError(
            f"MIDI needs a piano roll of shape (time, notes) with values 0 and 1; got shape {roll.shape},"
            f" dtype {roll.dtype}; threshold or sample probabilities first"
        )
    if lowest < 0 or lowest + roll.shape[1] > 128:
        raise CounterpointError(
            f"MIDI notes are 0 to 127; {roll.shape[1]} columns from note {lowest} reach"
            f" {lowest + roll.shape[1] - 1}; choose another `lowest`"
        )
    if not 1e-6 <= seconds <= 16.7:  # the tempo is a count of microseconds in three bytes
        raise CounterpointError(f"a MIDI step lasts up to 16.7 seconds; got {seconds}")
    if instrument not in INSTRUMENTS:
        raise CounterpointError(f"unknown instrument {instrument!r}; there are: {', '.join(INSTRUMENTS)}")
    if not 1 <= velocity <= 127:
        raise CounterpointError(f"a MIDI velocity is 1 to 127; got {velocity}")
