"""Estimators side by side, from the command."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from counterpoint.cli import main
from counterpoint.commands.compare_estimators import Options
from counterpoint.commands.compare_runs import course
from counterpoint.commands.contenders import applicable, opened
from counterpoint.errors import CounterpointError

FEW = ("--draws", "25", "--reference", "25", "--sequences", "2", "--steps", "4")


@pytest.fixture(scope="module")
def made(run, tmp_path_factory):
    """What compare prints of the tiny run with two numbers of particles, and where it wrote."""
    out = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        words = (
            "compare",
            "estimators",
            str(run),
            *FEW,
            "--particles",
            "1",
            "3",
            "--only",
            "pathwise",
            "--only",
            "vimco",
        )
        assert main([*words, "--out", str(out)]) == 0
    return out


@pytest.mark.slow
def test_every_estimator_that_applies_is_measured_with_every_bound(made):
    found = json.loads((made / "estimators.json").read_text())
    places = {(row["bound"], row["estimator"].removesuffix(" *"), row["voice"]) for row in found["rows"]}
    usual = {(f"ELBO-{k}", name, voice) for k in (1, 3) for name in ("its own", "pathwise") for voice in "pq"}
    more = {("ELBO-3", name, voice) for name in ("vimco", "vimco, local") for voice in "pq"}  # not with one particle
    assert places == usual | more
    for row in found["rows"]:
        assert row["bound"] == f"ELBO-{row['at']['particles']}"
        assert row["values"]["variance"] > 0
        assert row["values"]["milliseconds"] > 0


def test_the_page_names_its_command_and_shows_its_figure(made):
    page = (made / "estimators.md").read_text()
    assert "counterpoint compare estimators" in page
    assert "](estimators.png)" in page
    assert page.count("| ELBO-3 | vimco, local |") == 2
    assert (made / "estimators.png").stat().st_size > 10_000


@pytest.mark.slow
def test_a_warm_up_of_training_changes_nothing(run, tmp_path):
    """What is compared are gradients of the bound, not of what training follows at its first step."""
    warming = shutil.copytree(run, tmp_path / "warming")
    config = json.loads((run / "config.json").read_text())
    config["recipe"]["bound"]["kl_weight"]["steps"] = 1000
    (warming / "config.json").write_text(json.dumps(config))
    tables = []
    for folder in (run, warming):
        words = ("compare", "estimators", str(folder), *FEW, "--only", "pathwise", "--out", str(tmp_path / "out"))
        assert main([*words]) == 0
        tables.append(json.loads((tmp_path / "out/estimators.json").read_text())["rows"])
        for row in tables[-1]:
            del row["values"]["milliseconds"]
    assert tables[0] == tables[1]


def test_tables_fit_80_columns(run, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["compare", "estimators", str(run), *FEW, "--only", "pathwise"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(name in line for line in lines for name in ("pathwise *", "its own *"))
    assert max(map(len, lines)) <= 80
    assert '"its own": the estimator of the recipe' in " ".join(line.strip() for line in lines)
    assert '"bare"' not in "".join(lines)


def test_what_cannot_be_compared_is_refused(run, refused):
    assert "expected 'estimators'" in refused("compare", "bounds", str(run))
    assert "--draws is 0" in refused("compare", "estimators", str(run), "--draws", "0")
    assert "--particles are (0,)" in refused("compare", "estimators", str(run), "--particles", "0")
    assert "--sweeps are (0,)" in refused("compare", "estimators", str(run), "--sweeps", "0")
    assert "has none; leave it out" in refused("compare", "estimators", str(run), "--sweeps", "2")
    assert "no estimator is called so; did you mean 'vimco'?" in refused(
        "compare", "estimators", str(run), "--only", "vimko"
    )
    assert "did you mean 'iwae'?" in refused("compare", "estimators", str(run), "--bound", "iwea")
    assert "no recipe is called" in refused("compare", "estimators", "jsb-tsbm")


@pytest.mark.slow
def test_chains_are_compared_with_the_exact_gradient(tmp_path):
    words = ("--sweeps", "2", "--draws", "50", "--reference", "25", "--sequences", "32", "--out", str(tmp_path))
    assert main(["compare", "estimators", "bars-rbm", "--bound", "trajectory_kl", *words]) == 0
    rows = json.loads((tmp_path / "estimators.json").read_text())["rows"]
    names = {"its own", "cd", "cd, whole", "pcd", "pcd, tempered", "maximum_likelihood"}
    assert {(row["bound"], row["estimator"].removesuffix(" *")) for row in rows} == {
        ("TRAJECTORY_KL (no bound), k = 2", name) for name in names
    }
    for row in rows:
        exact = row["estimator"] == "maximum_likelihood *"
        assert (row["values"]["variance"] == 0) == exact
        assert (row["values"]["snr"] is None) == exact
        assert (row["values"]["bias"] == 0) >= exact


def test_a_variant_that_is_left_out_says_why():
    """But no estimator that is for other models does."""
    options = Options("bars-rbm")
    recipe, corpus, member = opened(options)
    found, left_out = applicable(recipe, corpus, member, member.bound, options)
    assert set(found) == {"its own", "cd", "pcd", "pcd, tempered", "maximum_likelihood"}
    assert list(left_out) == ["cd, whole"]
    assert "choose bound = trajectory_kl" in left_out["cd, whole"]


def test_runs_are_compared_by_updates_and_by_time(run, tmp_path, capsys, refused, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    other, figure = tmp_path / "other", tmp_path / "rivals.svg"
    shutil.copytree(run, other)
    assert main(["compare", "runs", str(run), str(other), "--out", str(figure)]) == 0
    *lines, wrote = capsys.readouterr().out.splitlines()
    assert wrote == str(figure)
    assert max(map(len, lines)) <= 80
    rows = [row for row in json.loads((run / "metrics.json").read_text()) if "valid" in row]
    best = max(rows, key=lambda row: row["valid"][0])
    for name in (run.name, "other"):
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert line.split()[1:4] == ["1", f"{best['valid'][0]:.3f}", str(best["step"])]
    drawn = figure.read_text()
    assert drawn.count("<!-- other -->") == drawn.count(f"<!-- {run.name} -->") == 1
    longer = tmp_path / ("a-name-of-25-characters" + "-001")
    shutil.copytree(run, longer)
    assert main(["compare", "runs", str(run), str(longer)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(longer.name in line and f"{best['valid'][0]:.3f}" in line for line in lines)
    config = json.loads((other / "config.json").read_text())
    config["data"]["digest"] = "sha256:of others"
    (other / "config.json").write_text(json.dumps(config))
    assert "trained on different data" in refused("compare", "runs", str(run), str(other))
    assert "is named twice" in refused("compare", "runs", str(run), str(run))
    assert "RUN RUN2 is missing" in refused("compare", "runs")
    assert "is one run; name another to compare it with" in refused("compare", "runs", str(run))
    assert "RECIPE|RUN is missing" in refused("compare", "estimators")
    assert "expected 'estimators' or 'runs'" in refused("compare", "curves", str(run))


def test_a_course_says_when_each_repeat_was_best():
    bounds = [-3.0, -9.0], [-1.0, -8.0], [-2.0, -7.0]
    history = [{"step": 10 * i, "seconds": float(i), "valid": valid} for i, valid in enumerate(bounds)]
    found = course(None, history, "valid")
    np.testing.assert_array_equal(found.best, [-1, -7])
    assert (found.at(found.steps), found.at(found.seconds)) == (15.0, 1.5)
    errors = course(None, [row | {"error": [-v for v in row["valid"]]} for row in history], "error")
    np.testing.assert_array_equal(errors.best, [1, 7])
    early = SimpleNamespace(folder="runs/early-001")
    for nothing in ([], [{"step": 5, "seconds": 0.5, "valid": [float("nan")]}]):
        with pytest.raises(CounterpointError, match="no validation yet; counterpoint resume runs/early-001"):
            course(early, nothing, "valid")
