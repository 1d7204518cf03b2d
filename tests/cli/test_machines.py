"""Undirected and exact models from the command: trained, measured, and what is said of them."""

import json

import pytest

from counterpoint.cli import main

FEW = ("--fit.epochs", "2", "--fit.validate", "1", "--fit.batch-size", "2", "--particles", "1")


@pytest.fixture
def spoken(data, tmp_path, capsys, monkeypatch):
    """Trains a recipe on tiny data and evaluates it: what is printed, and what results.json holds of its own pair."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(recipe: str, *words: str) -> tuple[str, dict]:
        assert main(["train", recipe, "--data", data, "--out", str(tmp_path), *FEW, *words]) == 0
        (run,) = tmp_path.glob(f"{recipe}-001")
        assert main(["evaluate", str(run), "--particles", "1"]) == 0
        results = json.loads((run / "results.json").read_text())["results"]
        return capsys.readouterr().out, next(iter(results.values()))

    return call


@pytest.mark.slow
def test_a_machine_whose_states_are_counted_says_its_log_z(spoken):
    out, results = spoken("bars-rbm", "--p.units", "2")
    assert results["Z COUNTED"]["side"] == "exact"
    assert "Z COUNTED (exact)" in out
    (line,) = [line for line in out.splitlines() if line.startswith("log Z ")]
    assert line.endswith(", exact")


@pytest.mark.slow
def test_one_with_a_past_says_that_of_its_first_steps(spoken):
    out, results = spoken("jsb-rtrbm", "--p.units", "2", "--q.sweeps", "1")
    assert results["Z COUNTED"]["side"] == "exact"
    (line,) = [line for line in out.splitlines() if line.startswith("log Z of the first ")]
    assert line.count(", ") >= 2  # a number each


@pytest.mark.slow
def test_the_likelihood_of_an_exact_pair_is_no_bound(spoken):
    parts = ("--p", "hmm", "--p.states", "2", "--q", "forward_backward", "--estimator", "em")
    out, results = spoken("chorales", *parts)
    assert set(results) == {"ELBO"}
    assert results["ELBO"]["side"] == "exact"
    assert "ELBO (exact)" in out
    assert "The log-likelihood, exact" in out
    assert "Monte Carlo" not in out
    assert "KL's weight" not in out  # that of the recipe rises, but no KL is in this
