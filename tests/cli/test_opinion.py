"""What evaluate says by annealed importance sampling."""

import re

import numpy as np
import pytest

from cli.cases import write
from counterpoint.cli import main


def test_sequences_and_a_negative_number_are_refused_in_one_line(run, refused):
    said = refused("evaluate", str(run), "--ais", "2")
    assert "annealed importance sampling is of single frames, and these sequences have up to 6 steps" in said
    assert "0 frames for annealed importance sampling" in refused("evaluate", str(run), "--ais", "-1")


@pytest.mark.slow
def test_a_second_opinion_on_stills(tmp_path, capsys):
    rng, stills = np.random.default_rng(0), {}
    for split, count in {"train": 12, "valid": 4, "test": 4}.items():
        stills[split] = rng.integers(0, 2, (count, 5)).astype(np.uint8)
        stills[f"{split}_lengths"] = np.ones(count, np.int32)
    data = write(tmp_path / "stills.npz", **stills)
    parts = ["--p", "vae", "--p.latent", "2", "--p.width", "3", "--q", "filtering", "--q.width", "3"]
    fit = ["--fit.epochs", "1", "--fit.buckets", "1", "--fit.batch-size", "4", "--particles", "0"]
    assert main(["train", "--data", data, "--out", str(tmp_path), *parts, *fit]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "stills-001"), "--ais", "3", "--particles", "0"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    said = re.search(
        r"log p of 3 frames, nats a frame: (\S+) by annealed importance sampling \(16 chains of 1000 temperatures, on"
        r" average below\), (\S+) by importance sampling \(5000 draws, on average below\); the first less the second"
        r" (\S+) ± \S+\. Of as many frames that p draws, an estimate from above less the annealed one: (\S+)",
        out,
    )
    assert said
    annealed, usual, more, missed = map(float, said.groups())
    assert annealed - usual == pytest.approx(more, abs=0.002)
    assert abs(more) < 0.05
    assert abs(missed) < 0.05
