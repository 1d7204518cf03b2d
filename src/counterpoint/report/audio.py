"""Sound: samples of 16 bits as WAV files, and as a picture of waveforms over their spectrograms."""

import math
import os
import wave
from collections.abc import Mapping
from typing import Any

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.files import replacing
from counterpoint.report.canvas import VALID, mark, new_figure, save, thin

STRETCH = 0.016  # seconds of sound that a column of a spectrogram tells of: between a pitch and a syllable
RANGE = 70.0  # decibels below the loudest that are told apart


def write_wav(samples: np.ndarray, path: str | os.PathLike, rate: int) -> None:
    """A WAV file of one channel of samples (n,) int16, `rate` a second; it appears whole or not at all.

    Raises CounterpointError for other arrays and rates, and a path that cannot be written.
    """
    samples = _checked("a WAV file", samples, rate)
    with replacing(path) as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.astype("<i2").tobytes())


def waveforms(sounds: Mapping[str, np.ndarray], path: str | os.PathLike, rate: int, given: int = 0) -> None:
    """For each sound (title -> samples (n,) int16) its waveform, amplitude in units of 16 bits, and below it its
    spectrogram: power in decibels under the loudest of all, in stretches of 16 ms that overlap by half (Hann windows).
    A thin vertical line follows the `given` first samples.

    One scale of time, of amplitude and of power for all. Raises CounterpointError for no sounds, other arrays and
    rates, and a path that cannot be written.
    """
    sounds = {title: _checked(f"the picture of {title!r}", a, rate) for title, a in sounds.items()}
    if not sounds:
        raise CounterpointError("no sound to draw; give at least one")
    powers = {title: spectrogram(a, rate) for title, a in sounds.items()}
    loudest = max(float(power.max()) for power in powers.values()) or 1.0
    span = max(map(len, sounds.values())) / rate
    peak = 1.05 * max(float(np.abs(a.astype(float)).max()) for a in sounds.values()) or 1.0
    figure = new_figure(0.6 + 2.2 * len(sounds))
    ratios = [1.0, 1.4] * len(sounds)
    grid: Any = figure.subplots(2 * len(sounds), 1, sharex=True, gridspec_kw={"height_ratios": ratios})
    image = None
    for wave_axes, power_axes, (title, a) in zip(grid[::2], grid[1::2], sounds.items()):
        wave_axes.plot(np.arange(len(a)) / rate, a, color=VALID, linewidth=0.4)
        wave_axes.set_ylim(-peak, peak)
        wave_axes.set_ylabel("amplitude", fontsize=8)
        wave_axes.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=3)
        decibels = 10 * np.log10(np.maximum(powers[title] / loudest, 10 ** (-RANGE / 10)))
        ends = (0, len(a) / rate, 0, rate / 2000)
        look = {"aspect": "auto", "origin": "lower", "cmap": "Greys", "vmin": -RANGE, "vmax": 0, "extent": ends}
        image = power_axes.imshow(decibels, **look)
        power_axes.set_ylabel("kHz", fontsize=8)
        power_axes.set_xlim(0, span)
        for axes in (wave_axes, power_axes):
            if given:
                mark(axes, given / rate)
            axes.tick_params(labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
    bar = figure.colorbar(image, ax=list(grid), aspect=40, pad=0.01)  # pyright: ignore[reportArgumentType]
    bar.set_label("decibels", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    thin(bar)
    grid[-1].set_xlabel("time, seconds", fontsize=8)
    save(figure, path)


def spectrogram(samples: np.ndarray, rate: int) -> np.ndarray:
    """Power (frequencies from 0 to rate / 2, columns) of samples (n,), column c around sample c * width / 2."""
    width = 2 * max(4, round(STRETCH * rate / 2))
    padded = np.pad(samples.astype(float), width // 2)
    padded = np.pad(padded, (0, math.ceil(len(padded) / (width // 2)) * (width // 2) - len(padded)))
    stretches = np.lib.stride_tricks.sliding_window_view(padded, width)[:: width // 2]
    return np.abs(np.fft.rfft(stretches * np.hanning(width), axis=1).T) ** 2


def _checked(what: str, samples: np.ndarray, rate: int) -> np.ndarray:
    samples = np.asarray(samples)
    if samples.ndim != 1 or samples.dtype != np.int16 or not len(samples):
        raise CounterpointError(
            f"{what} needs samples of shape (n,), int16; got shape {samples.shape}, dtype {samples.dtype}"
        )
    if not 1 <= rate < 2**31:
        raise CounterpointError(f"{what} needs a whole number of samples a second; got {rate}")
    return samples
