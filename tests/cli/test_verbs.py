"""What each verb leaves and prints, on a tiny run."""

import csv
import json
import re
import shutil
from dataclasses import replace

import mido
import numpy as np
import pytest

from cli.cases import SMALL, named
from counterpoint import runs
from counterpoint.cli import main
from counterpoint.commands.measure import label
from counterpoint.data import load
from counterpoint.distributions.family import FAMILIES
from counterpoint.files import alone
from counterpoint.recipes import recipe
from counterpoint.runs import open_run
from report.test_series import line_of


def test_train_leaves_everything_in_its_folder(run):
    names = {path.name for path in run.iterdir()}
    assert {"config.json", "metrics.json", "checkpoints", "curves.png", "sequences.png", "results.json"} <= names
    assert names & {"sample.mid", "sample.npz"}
    config = json.loads((run / "config.json").read_text())
    sizes = {"latent": 2, "hidden": 4, "width": 4, "depth": 1, "width_x": 0}
    assert config["recipe"]["p"] == {"name": "vrnn", "cell": "gru", **sizes}
    assert config["data"]["digest"].startswith("sha256:")
    rows = json.loads((run / "metrics.json").read_text())
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    results = json.loads((run / "results.json").read_text())["results"]
    assert set(results["vrnn + filtering"]) == {"ELBO"}
    assert {"independent Bernoulli", "autoregressive, first order"} < set(results)


def test_the_independent_baseline_is_the_training_marginal(run, data):
    with np.load(data) as arrays:
        rate = (arrays["train"].sum(0) + 0.5) / (len(arrays["train"]) + 1)
        test = arrays["test"]
    want = (test * np.log(rate) + (1 - test) * np.log1p(-rate)).sum(1).mean()
    results = json.loads((run / "results.json").read_text())["results"]
    assert results["independent Bernoulli"]["exact"]["per_step"] == pytest.approx(want, abs=1e-5)


def test_every_family_has_a_name_to_read():
    names = {name: label(name) for name in FAMILIES}
    assert not any("_" in name for name in names.values())
    assert names["bernoulli"] == "Bernoulli"
    assert names["discretised_gaussian"] == "discretised Gaussian"
    assert names["gaussian_log_std"] == "Gaussian log std"


def test_what_train_prints_fits_80_columns_and_says_what_comes_next(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    whole = ["--bound.kl-weight.steps", "0"]
    assert (
        main(["train", "--data", data, "--fit.epochs", "2", "--repeats", "2", *SMALL, *whole, "--particles", "2"]) == 0
    )
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80 + len(data)
    assert "still improving when it stopped" in out
    kept = r"all epochs are done; kept as best by validation: epochs [12], [12] \(-\d\.\d\d, -\d\.\d\d\)"
    assert re.search(kept, " ".join(out.split()))
    assert out.splitlines()[-4].strip() == "counterpoint resume runs/tiny-001 --epochs 4"
    assert "tiny: 8 train, 4 valid, 4 test sequences of 6 steps; a frame is 5 binary numbers" in " ".join(out.split())
    assert "nats per step, higher is better" in " ".join(out.split())
    assert "standard deviation over repeats" in " ".join(out.split())
    assert out.rstrip().splitlines()[-2] == "next: counterpoint generate runs/tiny-001"
    members = json.loads((tmp_path / "runs/tiny-001/results.json").read_text())["results"]["vrnn + filtering"]
    assert set(members) == {"ELBO", "IWAE-2", "FIVO-2"}
    assert len(members["ELBO"]["per_step_members"]) == 2


def test_train_says_why_it_ended_early_and_which_baseline_is_ahead(data, tmp_path, capsys):
    still = ["--fit.optimiser.p", "0", "--bound.kl-weight.steps", "0", "--fit.patience", "2", "--fit.epochs", "9"]
    assert main(["train", "--data", data, *SMALL, *still, "--particles", "0", "--out", str(tmp_path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "ended before epoch 9, for validation got no better; kept as best by validation: epoch 1" in out
    both = "independent Bernoulli and autoregressive, first order"
    assert f"{both} are ahead of vrnn + filtering by each number; docs/choosing.md says" in out


def test_train_says_that_the_warm_up_is_not_over(data, tmp_path, capsys):
    few = ["--bound.kl-weight.steps", "9", "--fit.epochs", "2"]  # of 2 steps
    assert main(["train", "--data", data, *SMALL, *few, "--out", str(tmp_path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "the KL's weight still rises, for 5 epochs in all; train further with: counterpoint resume" in out
    assert "--epochs 10" in out


def test_a_run_repeats_exactly_from_its_folder(run, tmp_path):
    assert main(["train", str(run), "--out", str(tmp_path)]) == 0
    again = tmp_path / "tiny-001"
    assert results(again) == results(run)
    for mine, theirs in zip(sorted(again.glob("checkpoints/*")), sorted(run.glob("checkpoints/*"))):
        same_arrays(mine, theirs)


def results(folder):
    return json.loads((folder / "results.json").read_text())["results"]


def same_arrays(a, b):
    with np.load(a) as left, np.load(b) as right:
        for name in left.files:
            if name != "__facts__":
                np.testing.assert_array_equal(left[name], right[name])


def test_resume_of_a_finished_run_writes_the_report_anew(run, capsys):
    before = results(run)
    (run / "results.json").unlink()
    assert main(["resume", str(run)]) == 0
    out = capsys.readouterr().out
    assert "finished already" in out
    assert named(out, run) == {path.name for path in run.iterdir()} & {"sample.npz", "sample.mid"} | {
        "curves.png",
        "sequences.png",
        "results.json",
    }
    assert results(run) == before


@pytest.mark.slow
def test_resume_goes_on_for_more_epochs(run, tmp_path, capsys, refused):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    began = open_run(copy).recipe.fit.epochs
    assert f"{began - 1} epochs are fewer than its {began}" in refused("resume", str(copy), "--epochs", str(began - 1))
    more = ["resume", str(copy), "--epochs", str(began + 1)]
    with alone(copy):
        assert "another process is at work" in refused(*more)
    assert open_run(copy).recipe.fit.epochs == began  # what was refused has changed nothing
    assert main(more) == 0
    assert f"trained {began + 1} epochs" in " ".join(capsys.readouterr().out.split())
    assert open_run(copy).recipe.fit.epochs == open_run(copy).progress().epoch == began + 1


def test_evaluate_agrees_with_the_report_of_train(run, tmp_path, capsys):
    file = tmp_path / "scores.csv"
    assert main(["evaluate", str(run), "--particles", "0", "--csv", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "per sequence" in shown
    assert "one-step prediction error" in shown
    rows = list(csv.DictReader(file.read_text().splitlines()))
    total = sum(float(row["ELBO nats"]) for row in rows) / sum(int(row["steps"]) for row in rows)
    assert total == pytest.approx(results(run)["vrnn + filtering"]["ELBO"]["per_step"], abs=1e-6)


def test_evaluate_against_itself_finds_no_difference(run, capsys):
    assert main(["evaluate", str(run), "--particles", "0", "--against", str(run)]) == 0
    assert "+0.000 ± 0.000" in capsys.readouterr().out


def test_generate_is_deterministic_and_writes_what_it_says(run, tmp_path, capsys):
    for name in ("a", "b"):
        assert main(["generate", str(run), "--length", "7", "--count", "2", "--out", str(tmp_path / name)]) == 0
    files = sorted((tmp_path / "a").iterdir())
    shown = capsys.readouterr().out
    assert len(files) == 2
    assert all(str(path) in shown for path in files)
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_generate_continues_a_prefix(run, tmp_path, data):
    out = tmp_path / "more.npz"
    assert main(["generate", str(run), "--length", "3", "--prefix", "4", "--out", str(out)]) == 0
    with np.load(out) as made, np.load(data) as given:
        (only,) = (made[name] for name in made.files)
        assert only.shape == (7, 5)
        np.testing.assert_array_equal(only[:4], given["test"][:4])
    assert line_of(out.with_suffix(".png")) is not None  # where the prefix ends


def test_generate_continues_the_sequence_that_is_named(run, tmp_path, data):
    out = tmp_path / "more.npz"
    words = ["--length", "1", "--prefix", "3", "--sequence", "2", "--split", "train", "--out", str(out)]
    assert main(["generate", str(run), *words]) == 0
    with np.load(out) as made, np.load(data) as given:
        start = given["train_lengths"][:2].sum()
        np.testing.assert_array_equal(made["sequence_1"][:3], given["train"][start : start + 3])


def test_generate_refuses(run, refused, tmp_path):
    assert "at least 1" in refused("generate", str(run), "--length", "0")
    assert "prefix below 6" in refused("generate", str(run), "--prefix", "6")
    assert "cannot write" in refused("generate", str(run), "--out", str(tmp_path / "x.wav"))
    assert "test has no sequence '99'" in refused("generate", str(run), "--prefix", "2", "--sequence", "99")
    assert "add --prefix STEPS" in refused("generate", str(run), "--sequence", "1")
    assert "no frame that VRNN could go on from" in refused("generate", str(run), "--mean")


def test_show_and_recipes(run, capsys):
    assert main(["show", "chorales"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("p = vrnn  q = filtering  bound = elbo  estimator = pathwise\n")
    assert "--fit.optimiser.p" in out
    assert "Bach chorales" in out
    assert main(["show", str(run)]) == 0
    assert "after 3 of 3 epochs" in capsys.readouterr().out
    assert main(["recipes"]) == 0
    assert "jsb-tsbn" in capsys.readouterr().out


@pytest.mark.parametrize("source", ["bars_and_stripes", "bars.npz"])
def test_show_says_of_a_run_what_its_recipe_is_on_the_recipes_data_alone(source, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    chosen, corpus = recipe("bars-rbm"), load("bars_and_stripes")
    run = runs.create(tmp_path, replace(chosen, data=source), 0, 1, source, None, corpus)
    assert main(["show", str(run.folder)]) == 0
    out = capsys.readouterr().out
    assert ("-3.38" in out) == (source == chosen.data)
    assert max(map(len, out.split("--data")[0].splitlines())) <= 80


@pytest.mark.slow
def test_a_run_that_its_predictions_select_says_so(data, tmp_path, capsys):
    words = ["--fit.select", "prediction", "--fit.epochs", "3", *SMALL]
    assert main(["train", "--data", data, "--out", str(tmp_path), *words]) == 0
    rows = json.loads((tmp_path / "tiny-001" / "metrics.json").read_text())
    capsys.readouterr()
    assert main(["show", str(tmp_path / "tiny-001")]) == 0
    best = min(row["error"][0] for row in rows)
    assert f"best validation error of prediction: {best:.3f} (seed 0)" in capsys.readouterr().out


@pytest.mark.slow
def test_dry_run_writes_nothing(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [
        "--p",
        "tsbn",
        "--q",
        "tsbn_recognition",
        "--estimator",
        "score_function",
        "--p.units",
        "3",
        "2",
        "--p.order",
        "2",
    ]
    assert main(["train", "--data", data, "--dry-run", "--fit.batch-size", "4", *words]) == 0
    out = capsys.readouterr().out
    assert out.startswith("no recipe is named: learned as chorales are; docs/choosing.md says")
    assert "p = tsbn" in out
    assert "tiny: 8 train, 4 valid, 4 test sequences of 6 steps; a frame is 5 binary numbers" in " ".join(out.split())
    assert "an epoch: 2 updates" in out
    assert "2 x 3 x 3" in out
    assert "3 x 2" in out
    assert not list(tmp_path.iterdir())


def test_runs_are_never_overwritten(run, tmp_path):
    from counterpoint import runs

    found = runs.open_run(run)
    make = lambda: runs.create(tmp_path, found.recipe, 0, 1, found.source, None, found.corpus()).folder.name
    assert [make(), make()] == ["tiny-001", "tiny-002"]
    (tmp_path / "tiny-007").mkdir()
    assert make() == "tiny-008"


def test_midi_of_notes(tmp_path):
    from counterpoint.commands.pictures import keep
    from counterpoint.data import load

    corpus = load("chorales")
    (path,) = keep(corpus, {"": corpus.test.x[0]}, tmp_path / "a.mid")
    assert mido.MidiFile(path).length == pytest.approx(len(corpus.test.x[0]) * (corpus.seconds or 0.5))


def test_what_was_measured_stands_where_a_picture_fails(run, capsys, monkeypatch):
    from counterpoint.commands import closing
    from counterpoint.errors import CounterpointError

    def fail(*args):
        raise CounterpointError("no paper")

    monkeypatch.setattr(closing, "pictures", fail)
    (run / "results.json").unlink()
    assert main(["resume", str(run)]) == 0
    assert "not all could be drawn: no paper" in capsys.readouterr().out
    assert (run / "results.json").is_file()


def test_other_data_are_measured_in_the_units_of_the_run(tmp_path):
    """The same test sequences beside training sequences of another scale have the same bounds."""
    x = 50 + 1e3 * np.random.default_rng(0).normal(size=(8, 6, 2))
    np.savez(tmp_path / "own.npz", train=x[:4], valid=x[4:6], test=x[6:])
    np.savez(tmp_path / "other.npz", train=5 * x[:4], valid=x[4:6], test=x[6:])
    words = ["train", "--data", str(tmp_path / "own.npz"), "--out", str(tmp_path), "--fit.epochs", "1", *SMALL]
    assert main(words) == 0
    bounds = []
    for name in ("own", "other"):
        file = tmp_path / f"{name}.csv"
        words = ["evaluate", str(tmp_path / "own-001"), "--data", str(tmp_path / f"{name}.npz"), "--csv", str(file)]
        assert main([*words, "--particles", "0"]) == 0
        bounds.append([float(row["ELBO nats"]) for row in csv.DictReader(file.read_text().splitlines())])
    assert bounds[1] == pytest.approx(bounds[0], rel=1e-4)
