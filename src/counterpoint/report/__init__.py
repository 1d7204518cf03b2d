"""What a run leaves for its reader: figures, videos, MIDI, sound and tables."""

from counterpoint.report.animation import gif_images as gif_images
from counterpoint.report.animation import gif_skeleton as gif_skeleton
from counterpoint.report.audio import waveforms as waveforms
from counterpoint.report.audio import write_wav as write_wav
from counterpoint.report.figures import curves as curves
from counterpoint.report.images import film_strip as film_strip
from counterpoint.report.images import image_grid as image_grid
from counterpoint.report.midi import write_midi as write_midi
from counterpoint.report.plane import points as points
from counterpoint.report.series import categories as categories
from counterpoint.report.series import lines as lines
from counterpoint.report.terminal import busy as busy
from counterpoint.report.terminal import counted as counted
from counterpoint.report.terminal import duration as duration
from counterpoint.report.terminal import table as table
from counterpoint.report.tiles import panels as panels
from counterpoint.report.tiles import piano_rolls as piano_rolls
from counterpoint.report.topics import telling as telling
from counterpoint.report.topics import topic_figure as topic_figure
from counterpoint.report.topics import topics as topics
from counterpoint.report.words import word_figure as word_figure
