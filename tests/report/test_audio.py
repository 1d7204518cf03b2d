"""WAV files and pictures of sound: what is in them, and what they refuse."""

import wave

import numpy as np
import pytest
from matplotlib.image import imread

from counterpoint.errors import CounterpointError
from counterpoint.report import waveforms, write_wav
from counterpoint.report.audio import spectrogram


def tone(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return (9000 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.int16)


def test_a_wav_file_has_the_samples_and_the_rate(tmp_path):
    samples = np.array([0, 1, -1, 32767, -32768], np.int16)
    write_wav(samples, tmp_path / "a.wav", 11025)
    with wave.open(str(tmp_path / "a.wav")) as sound:
        assert sound.getparams()[:4] == (1, 2, 11025, 5)
        np.testing.assert_array_equal(np.frombuffer(sound.readframes(5), "<i2"), samples)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_spectrogram_shows_a_tone_at_its_pitch_and_when(rate):
    power = spectrogram(np.concatenate([tone(1000, rate), 0 * tone(1000, rate), tone(3000, rate)]), rate)
    hertz = np.linspace(0, rate / 2, len(power))
    columns = power.shape[1]
    at = lambda share: power[:, round(share * columns)]
    assert hertz[at(1 / 6).argmax()] == pytest.approx(1000, abs=hertz[1])
    assert hertz[at(5 / 6).argmax()] == pytest.approx(3000, abs=hertz[1])
    assert at(1 / 2).max() < 1e-9 * power.max()
    assert columns == pytest.approx(1.5 / 0.008, abs=2)


def test_a_picture_has_a_wave_and_a_spectrogram_for_each_sound(tmp_path):
    sounds = {"a": tone(1000, 8000), "silence": np.zeros(4000, np.int16)}
    waveforms(sounds, tmp_path / "two.png", 8000)
    waveforms({"a": sounds["a"]}, tmp_path / "one.png", 8000)
    one, two = (imread(tmp_path / name)[..., :3] for name in ("one.png", "two.png"))
    assert two.shape[0] > 1.6 * one.shape[0]
    blue = lambda picture: ((picture[..., 2] - picture[..., 0]) > 0.3).sum()
    assert blue(one) > 10_000
    assert blue(two[len(two) // 2 :]) < 5000  # a line of silence


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros(4), 8000, r"int16; got shape \(4,\), dtype float64"),
        (np.zeros((2, 2), np.int16), 8000, r"got shape \(2, 2\)"),
        (np.zeros(0, np.int16), 8000, r"got shape \(0,\)"),
        (np.zeros(4, np.int16), 0, "whole number of samples a second; got 0"),
    ],
)
def test_what_is_no_sound(tmp_path, samples, rate, message):
    with pytest.raises(CounterpointError, match=message):
        write_wav(samples, tmp_path / "a.wav", rate)
    with pytest.raises(CounterpointError, match=message):
        waveforms({"a": samples}, tmp_path / "a.png", rate)
    with pytest.raises(CounterpointError, match="no sound to draw"):
        waveforms({}, tmp_path / "a.png", rate)
    assert not list(tmp_path.iterdir())
