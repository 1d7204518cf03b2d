"""What a run leaves for its reader: figures, MIDI and tables."""

from counterpoint.report.figures import curves as curves
from counterpoint.report.figures import panels as panels
from counterpoint.report.figures import piano_rolls as piano_rolls
from counterpoint.report.midi import write_midi as write_midi
from counterpoint.report.terminal import duration as duration
from counterpoint.report.terminal import table as table
