"""Each frame foretold from those before it: the numbers, the files, and what is refused."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from counterpoint import evaluation, runs
from counterpoint.cli import main
from counterpoint.evaluation import error
from counterpoint.evaluation.baselines import last_frames
from counterpoint.runs import open_run


@pytest.fixture
def shown(run, tmp_path, capsys, monkeypatch):
    """What predict prints of the tiny run, and where it wrote."""
    monkeypatch.setenv("COLUMNS", "80")
    out = tmp_path / "one.npz"
    assert main(["predict", str(run), "--samples", "3", "--sequence", "1", "--out", str(out)]) == 0
    return capsys.readouterr().out, out


def test_predict_prints_the_model_and_both_baselines_within_80_columns(shown, run):
    text = shown[0]
    for title in ("vrnn + filtering, one sample", "vrnn + filtering, mean of 3", "autoregressive, first order"):
        assert title in text
    test = open_run(run).corpus().test
    change = np.mean([((x[1:].astype(float) - x[:-1]) ** 2).sum(1).mean() for x in test.x])
    assert f"{change:.3f}" in next(line for line in text.splitlines() if "copy of the last frame" in line)
    assert max(map(len, text.splitlines()[:-2])) <= 80  # the last two are paths


def test_predict_writes_what_it_says(shown, data):
    text, out = shown
    assert text.splitlines()[-2:] == [str(out), str(out.with_suffix(".png"))]
    assert out.with_suffix(".png").stat().st_size
    with np.load(out) as made, np.load(data) as given:
        np.testing.assert_array_equal(made["data"], given["test"][6:12])
        assert made["prediction"].shape == made["one_sample"].shape == (6, 5)
        assert 0 <= made["prediction"].min() <= made["prediction"].max() <= 1


def test_a_copied_category_is_a_certainty():
    from counterpoint.data import Sequences

    sequences = Sequences((np.array([0, 2, 2, 1]),))
    copied = last_frames(sequences, "index")
    assert copied.frames[0].shape == (4, 3)
    assert error(copied, sequences).mean == pytest.approx(4 / 3)  # two of three frames differ, by two entries each


def test_predict_takes_training_sequences(run, tmp_path):
    """Which are 8, the others 4."""
    out = tmp_path / "last.npz"
    words = ["--split", "train", "--sequence", "7", "--samples", "1", "--out", str(out)]
    assert main(["predict", str(run), *words]) == 0
    with np.load(out) as arrays:
        np.testing.assert_array_equal(arrays["data"], open_run(run).corpus().train.x[7])


def test_predict_refuses(run, refused, tmp_path):
    assert "give at least 1" in refused("predict", str(run), "--samples", "0")
    assert "has no sequence '4'" in refused("predict", str(run), "--sequence", "4")
    assert "cannot write" in refused("predict", str(run), "--out", str(tmp_path / "x.mid"))
    assert "no run" in refused("predict", str(tmp_path))


def test_still_images_are_refused_before_anything_is_predicted(run, refused, monkeypatch):
    corpus = open_run(run).corpus()
    stills = replace(corpus, test=corpus.test.first(4, 1))
    monkeypatch.setattr(runs.Run, "corpus", lambda self, other=None: stills)
    monkeypatch.setattr(evaluation, "predict", lambda *args: pytest.fail("predicted"))
    assert "begins with the second frame" in refused("predict", str(run))


@pytest.mark.slow
def test_predict_refuses_a_posterior_that_looks_ahead(run, refused, tmp_path):
    copy = shutil.copytree(run, tmp_path / "runs" / run.name)
    config = json.loads((copy / "config.json").read_text())
    config["recipe"] |= {
        "p": {"name": "hmm", "states": 2},
        "q": {"name": "smoothing", "hidden": 2, "width": 2},
        "estimator": {"name": "score_function"},
    }
    (copy / "config.json").write_text(json.dumps(config))
    from counterpoint.training import fit

    found = open_run(copy)
    shutil.rmtree(found.checkpoints)
    corpus = found.corpus()
    fit(found.pairing(corpus, 0), corpus.train, corpus.valid, found.recipe.fit, folder=found.checkpoints)
    assert "looks ahead" in refused("predict", str(copy))


@pytest.mark.slow
def test_another_seed_draws_otherwise_and_the_runs_own_is_the_default(run, tmp_path):
    def drawn(*words):
        out = tmp_path / "drawn.npz"
        assert main(["predict", str(run), "--samples", "1", "--out", str(out), *words]) == 0
        with np.load(out) as made:
            return made["one_sample"]

    np.testing.assert_array_equal(drawn(), drawn("--seed", str(open_run(run).seed)))
    assert (drawn() != drawn("--seed", "7")).any()


@pytest.mark.parametrize("verb", ["predict", "generate", "evaluate", "resume"])
def test_corpora_may_have_moved(run, verb, tmp_path, monkeypatch, refused):
    copy = shutil.copytree(run, tmp_path / run.name)
    config = json.loads((copy / "config.json").read_text())
    config["data"] |= {"source": "jsb_chorales", "corpora": str(tmp_path / "old")}
    (copy / "config.json").write_text(json.dumps(config))
    monkeypatch.delenv("COUNTERPOINT_DATA", raising=False)
    assert f"it belongs in {tmp_path / 'old'}" in refused(verb, str(copy))
    assert f"it belongs in {tmp_path / 'new'}" in refused(verb, str(copy), "--corpora", str(tmp_path / "new"))
