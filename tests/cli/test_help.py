"""Help, and what mistyped words are answered with."""

import contextlib
import subprocess
import sys
import time

import pytest

from counterpoint import registry
from counterpoint.cli import VERBS, main
from counterpoint.data import CORPORA, READY
from counterpoint.recipes import recipes

SCRIPT = "import sys; from counterpoint.cli import main; sys.exit(main())"


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["data", "prepare", "--help"]])
def test_help_answers_within_a_second(words):
    def once():
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True)
        return time.perf_counter() - start, done

    times, runs = zip(*(once() for _ in range(3)))
    assert min(times) < 1.0
    assert all(done.returncode == 0 and "usage: counterpoint" in done.stdout and not done.stderr for done in runs)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_within_80_columns(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with contextlib.suppress(SystemExit):
        main([verb, "--help"])
    out = capsys.readouterr().out
    assert f"counterpoint {verb}" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("source", [*CORPORA, "1999.txt", "one.wav", "one.gif", "one.mid"])
def test_help_of_a_source_has_its_settings_within_80_columns(source, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    if "." in source:
        (tmp_path / source).write_bytes(b"")
    with pytest.raises(SystemExit):
        main(["data", "save", str(tmp_path) if "." in source else source, "x.npz", "--help"])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "Raises" not in out
    assert "said above" not in out  # the help has nothing above it


def test_help_of_prepare_says_what_can_be_left_out(capsys):
    with pytest.raises(SystemExit):
        main(["data", "prepare", "--help"])
    assert "NAME FILE [FILE2]" in capsys.readouterr().out


def test_help_names_every_verb(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {verb} " in out for verb in VERBS)


@pytest.mark.parametrize("role", registry.GROUPS)
def test_help_names_every_part_that_can_be_chosen(role, capsys):
    assert registry.names(role) == sorted(registry.parts(role))
    for words in (["train", "--help"], ["train", "chorales", "--help"]):
        with pytest.raises(SystemExit):
            main(words)
        out = " ".join(capsys.readouterr().out.replace("│", " ").split())
        assert f" place: {', '.join(sorted(registry.parts(role)))} " in out, words


def test_recipes_are_listed_by_data_and_chosen_by_words(capsys, refused, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["recipes"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[3].split()[:2] == ["chorales", "chorales"]
    assert all(name in out.split() for name in recipes())  # whole, to be copied
    assert "jsb_chorales*" in out.split()
    assert main(["recipes", "JSB", "order"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if "jsb_" in line]
    assert rows
    assert not any("chorales  " in line.split("jsb_chorales")[0] for line in rows)
    assert "no recipe has jsb and nothingofthekind" in refused("recipes", "jsb", "nothingofthekind")


@pytest.mark.parametrize("name", sorted(set(CORPORA) - set(READY)))
def test_a_corpus_that_is_not_ready_needs_a_file(name, refused, tmp_path, monkeypatch):
    monkeypatch.delenv("COUNTERPOINT_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))
    assert "missing" in refused("train", "--data", name, "--dry-run")


def test_help_of_a_recipe_lists_every_setting(capsys):
    with pytest.raises(SystemExit) as done:
        main(["train", "chorales", "--help"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    for flag in ("--p.latent", "--q.width", "--bound.kl-weight.steps", "--fit.epochs", "--fit.optimiser.p", "--seed"):
        assert flag in out


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["tarin"], "'train'"),
        (["--hlep"], "'--help'"),
        (["train", "choralse"], "'chorales'"),
        (["show", "jsb-vrn"], "'jsb-vrnn'"),
        (["train", "--p", "tsbm"], "'tsbn'"),
        (["train", "--bound", "elob"], "'elbo'"),
        (["train", "--data", "choralse"], "'chorales'"),
        (["train", "--p.latnet", "3"], "'--p.latent'"),
        (["train", "--fit.epoch=3"], "'--fit.epochs'"),
        (["evaluate", "x", "--particle", "3"], "'--particles'"),
        (["data", "prepair"], "'prepare'"),
    ],
)
def test_mistyped_words_get_the_nearest_right_one(words, answer, refused):
    assert f"did you mean {answer}" in refused(*words)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["train", "--p.latent", "many"], ["--p.latent", "'many'", "a whole number"]),
        (["train", "--p.latent"], ["--p.latent", "no value"]),
        (["train", "--fit.optimiser.p", "fast"], ["'fast'", "a number"]),
        (["train", "--fit.optimiser.name", "adamm"], ["'adam' or 'rmsprop' or 'sgd'"]),
        (["train", "--fit.optimiser.p", "-1"], ["the learning rate of p, is -1.0", "at least 0"]),
        (["train", "./"], ["./ is no run and no recipe", "--data ./"]),
        (["generate", "x", "--prefix", "-3"], ["--prefix is -3", "at least 0"]),
        (["train", "--fit.crop", "x"], ["a whole number or None"]),
        (["train", "--fit.epochs", "0"], ["epochs is 0", "at least 1"]),
        (["train", "--p.latent", "-3"], ["latent is -3", "at least 1"]),
        (["train", "--repeats", "0"], ["--repeats is 0"]),
        (["train", "--p"], ["--p has no value"]),
        (["train", "--seed", "1", "chorales"], ["'chorales' is one word too many"]),
        (["evaluate", "x", "--split", "tets"], ["'train' or 'valid' or 'test'"]),
        (["evaluate"], ["RUN is missing"]),
        (["resume", "a", "b"], ["one word too many"]),
        (["resume", "nowhere"], ["nowhere is no run"]),
        (["train", "--q", "kalman"], ["kalman", "choose q = filtering"]),
        (["train", "--p", "tsbn", "--q", "tsbn_recognition"], ["choose estimator = score_function"]),
    ],
)
def test_wrong_values_are_said_in_one_line(words, parts, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = refused(*words)
    assert all(part in line for part in parts), line
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_place_of_a_recipe_is_taken_for_forgotten_data(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("MUSIC", "chorales"):
        (tmp_path / name).mkdir()
    assert "MUSIC is no run and no recipe; to learn from it, write --data MUSIC" in refused("train", "MUSIC")
    assert "epochs is 0" in refused("train", "chorales", "--fit.epochs", "0")  # a recipe, whatever lies there


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("counterpoint ")
