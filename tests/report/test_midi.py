import mido
import numpy as np
import pytest

from counterpoint.errors import CounterpointError
from counterpoint.report import write_midi
from counterpoint.report.midi import TICKS_PER_STEP


def events(path):
    """(absolute tick, type, note) of every message that sounds, and the tick at which the track ends."""
    (track,) = mido.MidiFile(path).tracks
    now, found = 0, []
    for message in track:
        now += message.time
        if message.type in ("note_on", "note_off"):
            found.append((now, message.type, message.note))
    return found, now


def parse(path, steps, notes, lowest):
    roll = np.zeros((steps, notes), bool)
    began = {}
    for tick, kind, note in events(path)[0]:
        if kind == "note_on":
            assert note not in began
            began[note] = tick // TICKS_PER_STEP
        else:
            roll[began.pop(note) : tick // TICKS_PER_STEP, note - lowest] = True
    assert not began, "a note never ends"
    return roll


@pytest.mark.parametrize("lowest", [0, 21, 40])
def test_a_roll_survives_the_round_trip(tmp_path, lowest):
    roll = np.random.default_rng(0).random((50, 88)) < 0.3
    write_midi(roll, tmp_path / "a.mid", lowest=lowest)
    np.testing.assert_array_equal(parse(tmp_path / "a.mid", 50, 88, lowest), roll)


def test_two_notes_have_their_ticks(tmp_path):
    roll = np.zeros((5, 88), bool)
    roll[0:3, 39] = True  # middle C for three steps
    roll[3:5, 43] = True  # then E, to the end
    write_midi(roll, tmp_path / "a.mid", seconds_per_step=0.25, instrument="choir", name="two notes")
    step = TICKS_PER_STEP
    assert events(tmp_path / "a.mid") == (
        [
            (0, "note_on", 60),
            (3 * step, "note_off", 60),
            (3 * step, "note_on", 64),
            (5 * step, "note_off", 64),
        ],
        5 * step,
    )
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.length == pytest.approx(1.25)
    name, tempo, program = file.tracks[0][:3]
    assert (name.name, tempo.tempo, program.program) == ("two notes", 250_000, 52)


def test_a_note_struck_again_after_a_rest_is_two_notes(tmp_path):
    roll = np.array([[1], [0], [1], [1]])
    write_midi(roll, tmp_path / "a.mid", lowest=60)
    assert [tick // TICKS_PER_STEP for tick, _, _ in events(tmp_path / "a.mid")[0]] == [0, 1, 2, 4]


@pytest.mark.parametrize("steps", [0, 7])
def test_silence_lasts(tmp_path, steps):
    write_midi(np.zeros((steps, 88), bool), tmp_path / "a.mid")
    assert events(tmp_path / "a.mid") == ([], steps * TICKS_PER_STEP)


@pytest.mark.parametrize(
    ("roll", "settings", "says"),
    [
        (np.full((3, 88), 0.5), {}, "threshold"),
        (np.zeros(88), {}, r"shape \(88,\)"),
        (np.zeros((3, 88)), {"lowest": 41}, "0 to 127"),
        (np.zeros((3, 88)), {"seconds_per_step": 0.0}, "seconds"),
        (np.zeros((3, 88)), {"instrument": "kazoo"}, "kazoo"),
        (np.zeros((3, 88)), {"velocity": 0}, "velocity"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(tmp_path, roll, settings, says):
    with pytest.raises(CounterpointError, match=says):
        write_midi(roll, tmp_path / "a.mid", **settings)
    assert not list(tmp_path.iterdir())
