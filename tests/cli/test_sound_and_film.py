"""From a folder of recordings or of films to a model of them, and to what it makes, heard and seen."""

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageSequence

from cli.cases import SMALL
from counterpoint.cli import main
from counterpoint.data import read_asf
from counterpoint.report.animation import HEAD
from data.test_asf import ASF, amc


@pytest.mark.slow
def test_recordings_become_recordings(tmp_path):
    rate, rng = 8000, np.random.default_rng(0)
    for i in range(6):
        hum = 0.1 * np.sin(2 * np.pi * 200 * np.arange(4000) / rate) + 0.02 * rng.normal(size=4000)
        place = tmp_path / "in" / f"speaker{i}"
        place.mkdir(parents=True)
        soundfile.write(place / "a.wav", hum, rate, subtype="PCM_16")
    words = ["--data", str(tmp_path / "in"), "--likelihood", "discretised_gaussian", "--out", str(tmp_path)]
    assert main(["train", *words, "--fit.epochs", "2", *SMALL]) == 0
    run = tmp_path / "in-001"
    assert soundfile.info(run / "sample.wav").frames == 4000
    assert main(["generate", str(run), "--length", "15", "--count", "2"]) == 0
    assert main(["generate", str(run), "--length", "5", "--prefix", "10"]) == 0
    for name, windows in (("seed0-1", 15), ("seed0-2", 15), ("prefix10-seed0", 15)):
        sound, its = soundfile.read(run / "generated" / f"{name}.wav", dtype="int16")
        assert (its, len(sound)) == (rate, 200 * windows)
        assert 1000 < sound.astype(float).std() < 5000  # in the units of the files, of which it is 2400
    recorded = [soundfile.read(f, dtype="int16")[0] for f in sorted((tmp_path / "in").rglob("*.wav"))]
    assert any(np.array_equal(sound[:2000], one[:2000]) for one in recorded)
    assert (run / "generated" / "prefix10-seed0.png").stat().st_size > 10_000


@pytest.mark.slow
def test_films_become_films(tmp_path, capsys):
    films = np.random.default_rng(0).integers(0, 256, (6, 7, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "films.npz", **{f"film{i}": film for i, film in enumerate(films)})
    words = ["--data", str(tmp_path / "films.npz"), "--likelihood", "discretised_gaussian", "--out", str(tmp_path)]
    assert main(["train", *words, "--fit.epochs", "1", *SMALL]) == 0
    said = capsys.readouterr().out
    assert "independent" in said
    assert "first order" not in said  # whose matrix would have 4096 by 4096 weights
    assert main(["generate", str(tmp_path / "films-001"), "--length", "5", "--mean"]) == 0
    with Image.open(tmp_path / "films-001" / "generated" / "seed0.gif") as gif:
        assert 1 <= len(list(ImageSequence.Iterator(gif))) <= 5  # frames that are alike are one
        assert gif.size[0] >= 64 * 5
    assert main(["generate", str(tmp_path / "films-001"), "--length", "3", "--prefix", "2"]) == 0
    with Image.open(tmp_path / "films-001" / "generated" / "prefix2-seed0.gif") as gif:
        heads = [np.asarray(frame.convert("L"))[:HEAD] for frame in ImageSequence.Iterator(gif)]
    assert [bool((head < 200).any()) for head in (heads[0], heads[-1])] == [True, False]  # "given", then no title
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "films-001"), "--samples", "1"]) == 0
    said = capsys.readouterr().out
    assert "copy of the last frame" in said
    assert "first order" not in said


@pytest.mark.slow
def test_motion_becomes_motion(tmp_path):
    place, t = tmp_path / "walks", np.arange(80)[:, None]
    place.mkdir()
    (place / "one.asf").write_text(ASF)
    skeleton = read_asf(place / "one.asf")
    for i in range(3):
        raw = 30 * np.sin(0.1 * t + np.arange(12) + i)
        (place / f"{i}.amc").write_text(amc(skeleton, raw))
    assert main(["train", "--data", str(place), "--out", str(tmp_path), "--fit.epochs", "2", *SMALL]) == 0
    run = tmp_path / "walks-001"
    assert main(["generate", str(run), "--length", "5"]) == 0
    assert main(["predict", str(run), "--samples", "1"]) == 0
    for name in ("sample", "generated/seed0", "predicted/test0"):
        with Image.open(run / f"{name}.gif") as gif:
            assert len(list(ImageSequence.Iterator(gif))) > 1
