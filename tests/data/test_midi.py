"""Folders of MIDI: what was written as a roll is read as one, and what is no music is refused by name."""

import io
import zipfile

import mido
import numpy as np
import pytest

from counterpoint.data import load, midi
from counterpoint.data.midi import read
from counterpoint.errors import CounterpointError
from counterpoint.report import write_midi


@pytest.fixture
def rolls(tmp_path):
    """Twelve pieces of four steps a beat, written as files, by name."""
    made, rng = {}, np.random.default_rng(0)
    for i in range(12):
        roll = (rng.random((8 + i, 88)) < 0.1).astype(np.uint8)
        roll[[0, -1], 40] = 1  # neither begins nor ends in silence
        write_midi(roll, tmp_path / f"p{i:02}.mid", seconds_per_step=0.2 + 0.1 * (i == 3))
        made[f"p{i:02}"] = roll
    return made


def test_a_folder_is_a_corpus(rolls, tmp_path):
    corpus = load(tmp_path)
    splits = (corpus.train, corpus.valid, corpus.test)
    assert [len(s) for s in splits] == [10, 1, 1]
    assert sorted(name for s in splits for name in s.names) == sorted(rolls)
    for split in splits:
        for name, x in zip(split.names, split.x):
            np.testing.assert_array_equal(x[::2], rolls[name])  # a step was written as a quarter note
            np.testing.assert_array_equal(x[1::2], rolls[name])
    assert (corpus.kind, corpus.view.lowest, corpus.seconds) == ("binary", 21, pytest.approx(0.1))
    np.testing.assert_array_equal(midi(tmp_path, steps=1).test.x[0], rolls[corpus.test.names[0]])


def test_a_zip_is_as_good(rolls, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in sorted(tmp_path.glob("*.mid")):
            archive.write(file, f"music/{file.name}")
    found, want = load(tmp_path / "all.zip"), load(tmp_path)
    np.testing.assert_array_equal(np.concatenate(found.train.x), np.concatenate(want.train.x))


def content(*tracks):
    """The bytes of a file of tracks of (kind, channel, note, velocity, ticks since the last), 96 ticks a beat."""
    file = mido.MidiFile(ticks_per_beat=96)
    for track in tracks:
        message = lambda kind, channel, note, velocity, time: mido.Message(
            kind, channel=channel, note=note, velocity=velocity, time=time
        )
        file.tracks.append(mido.MidiTrack([message(*words) for words in track]))
    held = io.BytesIO()
    file.save(file=held)
    return held.getvalue()


def test_by_hand():
    melody = [
        ("note_on", 0, 60, 80, 96),  # a beat of silence, which is cut off
        ("note_on", 0, 60, 0, 100),  # slightly late; velocity 0 ends a note
        ("note_on", 0, 62, 80, 0),
        ("note_off", 0, 62, 0, 5),  # shorter than a frame
        ("note_on", 0, 10, 80, 0),  # below a piano
        ("note_on", 0, 64, 80, 43),  # never ends: it lasts as long as the piece, whose drums do
    ]
    bass = [
        ("note_on", 1, 60, 80, 144),
        ("note_off", 1, 60, 0, 96),
        ("note_on", 9, 40, 80, 0),
        ("note_off", 9, 40, 0, 900),
    ]
    roll, beat = read("a piece", content(melody, bass))
    assert beat == 500_000
    sounding = {note: np.flatnonzero(roll[:, note - 21]).tolist() for note in (60, 62, 64)}
    assert sounding == {60: [0, 1, 2], 62: [2], 64: [*range(3, 22)]}  # 60 in two voices, from the second eighth on
    assert roll.sum() == 3 + 1 + 19  # and no drums


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "p03.mid is not a MIDI file"),
        (b"MThd nonsense", "p03.mid is not a MIDI file"),
        (content([("note_on", 9, 40, 80, 0), ("note_off", 9, 40, 0, 96)]), "p03.mid has no notes"),
        (content([("note_on", 0, 60, 80, 0), ("note_off", 0, 60, 0, 96 * 60_000)]), "more than 100000"),
    ],
)
def test_what_is_no_music_is_named(rolls, tmp_path, data, text):
    (tmp_path / "p03.mid").write_bytes(data)
    with pytest.raises(CounterpointError, match=text) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_too_few_pieces_and_steps(tmp_path):
    write_midi(np.ones((3, 88)), tmp_path / "one.mid")
    with pytest.raises(CounterpointError, match="has 1 sequences; give 3 or more"):
        load(tmp_path)
    with pytest.raises(CounterpointError, match="steps is 0; give at least 1"):
        midi(tmp_path, steps=0)
