"""The command with a p that has no prior: trained, drawn from and measured by Parzen windows."""

import json

import numpy as np
import pytest

from cli.cases import write
from counterpoint.cli import main


@pytest.mark.slow
def test_a_denoiser_is_trained_generates_and_is_measured(tmp_path, capsys, refused):
    rng, stills = np.random.default_rng(0), {}
    for split, count in {"train": 12, "valid": 4, "test": 4}.items():
        stills[split] = rng.integers(0, 2, (count, 5)).astype(np.uint8)
        stills[f"{split}_lengths"] = np.ones(count, np.int32)
    data = write(tmp_path / "stills.npz", **stills)
    parts = ["--p", "dae", "--q", "learned_corruption", "--bound", "denoising", "--estimator", "walkback"]
    sizes = ["--p.width", "3", "--q.depth", "0", "--estimator.moves", "2", "--particles", "0"]
    fit = ["--fit.epochs", "1", "--fit.buckets", "1", "--fit.batch-size", "4"]
    assert main(["train", "--data", data, "--out", str(tmp_path), *parts, *sizes, *fit]) == 0
    folder = tmp_path / "stills-001"
    results = json.loads((folder / "results.json").read_text())["results"]
    assert set(results["dae + learned_corruption"]) == {"DENOISING"}
    assert main(["generate", str(folder), "--count", "3", "--out", str(tmp_path / "made.npz")]) == 0
    with np.load(tmp_path / "made.npz") as made:
        assert [made[name].shape for name in made.files] == [(1, 5)] * 3
        assert set(np.unique(np.stack([made[name] for name in made.files]))) <= {0.0, 1.0}
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--parzen", "7", "--replicates", "1"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "around 7 samples: " in out
    assert "one-step prediction" not in out
    assert "0 samples of Parzen windows" in refused("evaluate", str(folder), "--parzen", "-1")
