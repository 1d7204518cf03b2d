"""A run on dated texts: held-out words, not squared errors, are what predict and evaluate speak of."""

import json

import numpy as np
import pytest

from cli.cases import named
from counterpoint.cli import main
from counterpoint.commands.words import places
from counterpoint.data import Corpus, Sequences
from counterpoint.data.views import Words
from counterpoint.evaluation import held_out_words, word_baselines
from counterpoint.runs import EVALUATE, open_run

WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "ou" for c in ("lan", "rim", "sten", "tovi", "wex", "zan")]
SMALL = ["--fit.epochs", "3", "--fit.patience", "0", "--fit.validate", "1", "--p.units", "2"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Six years, whose words drift from the first of 60 to the last."""
    folder, rng = tmp_path_factory.mktemp("speeches"), np.random.default_rng(0)
    at = np.arange(len(WORDS))
    for i in range(6):
        share = np.exp(-(((at - 10 * i) / 30) ** 2))
        (folder / f"{1990 + i}.txt").write_text(" ".join(rng.choice(WORDS, 1500, p=share / share.sum())))
    return folder


@pytest.fixture(scope="module")
def learned(texts, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    assert main(["train", "sotu-hmsbn", "--data", str(texts), "--out", str(out), *SMALL]) == 0
    return out / "sotu-hmsbn-001"


def row(text, start):
    return next(line for line in text.splitlines() if line.strip().startswith(start))


@pytest.mark.slow
def test_predict_prints_both_precisions_beside_the_baselines(learned, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = tmp_path / "words.npz"
    capsys.readouterr()
    assert main(["predict", str(learned), "--samples", "3", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    found = open_run(learned)
    corpus = found.corpus()
    pairing, held = found.best(corpus)[0], corpus.test.x[0]
    score = held_out_words(pairing.p, pairing.q, corpus.train, held, found.key(EVALUATE), 3, k=30)
    one, mean = row(text, "tsbn + tsbn_recognition, one draw"), row(text, "tsbn + tsbn_recognition, mean of 3")
    assert f"{score.mp_draws.mean():.3f} ± {score.mp_draws.std(ddof=1):.3f}" in one
    assert f"{score.pp_draws.mean():.3f} ± {score.pp_draws.std(ddof=1):.3f}" in one
    assert mean.split()[-2:] == [f"{score.mp:.3f}", f"{score.pp:.3f}"]
    for name, (mp, pp) in word_baselines(corpus.train.x[0], held, k=30).items():
        assert row(text, f"words of {name}").split()[-2:] == [f"{mp:.3f}", "–" if np.isnan(pp) else f"{pp:.3f}"]
    assert max(map(len, text.splitlines()[:-1])) <= 80
    assert "squared" not in text.lower()
    with np.load(out) as made:
        np.testing.assert_array_equal(made["data"], held)
        np.testing.assert_allclose(made["prediction"], score.shares)
        np.testing.assert_allclose(made["prediction"].sum(1), 1)
        assert tuple(made["words"]) == corpus.view.vocabulary
        assert list(made["times"]) == [str(1990 + i) for i in range(6)]


@pytest.mark.slow
def test_evaluate_measures_words_and_says_where_it_cannot(learned, capsys):
    capsys.readouterr()
    words = ["evaluate", str(learned), "--particles", "0", "--replicates", "1"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "one-step" not in text
    assert "one draw" in text
    assert "words of the year before" in text
    assert "Precision at 30, half of the 60 words: the share of the 30 words" in " ".join(text.split())
    assert main([*words, "--split", "valid"]) == 0
    assert row(capsys.readouterr().out, "words of all years").split()[-1] == "–"
    assert main([*words, "--split", "train"]) == 0
    assert "no words are held out of the training set" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("words", "k"), [(1, 1), (40, 20), (99, 49), (100, 50), (2095, 50)])
def test_few_words_are_measured_at_half_of_them(words, k):
    counts = Sequences((np.ones((2, words), int),))
    assert places(Corpus("c", counts, counts, counts, "count", view=Words(tuple(map(str, range(words)))))) == k


def test_a_posterior_that_looks_ahead_has_no_precision(learned, monkeypatch, capsys, refused):
    from counterpoint.inference import TSBNRecognition

    monkeypatch.setattr(TSBNRecognition, "sees_future", True)
    assert "looks ahead" in refused("predict", str(learned), "--samples", "2")
    assert main(["evaluate", str(learned), "--particles", "0", "--replicates", "1"]) == 0
    assert "no prediction of held-out words: TSBNRecognition looks ahead" in capsys.readouterr().out
    assert json.loads((learned / "results.json").read_text())["results"]


def test_the_closing_line_names_what_was_written(learned, capsys):
    capsys.readouterr()
    assert main(["resume", str(learned)]) == 0
    files = named(capsys.readouterr().out, learned)
    assert files == {"curves.png", "sequences.png", "sample.npz", "topics.png", "topics.md", "results.json"}
    assert all((learned / name).is_file() for name in files)
