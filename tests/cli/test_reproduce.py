"""A toy table, run by run: what it says, that it goes on, and what it does about what is missing."""

import dataclasses
import importlib
import json
import signal
import subprocess
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from cli.cases import sequences
from counterpoint import runs, tables
from counterpoint.bounds import ELBO
from counterpoint.cli import main
from counterpoint.commands import tabling
from counterpoint.commands.closing import read_report
from counterpoint.commands.display import Display
from counterpoint.commands.tabling import Tabling
from counterpoint.core import Pairing
from counterpoint.data import Corpus, Sequences
from counterpoint.distributions import Family
from counterpoint.errors import CounterpointError
from counterpoint.estimators import Pathwise
from counterpoint.inference import FilteringConfig, Prior
from counterpoint.models import Autoregressive, VRNNConfig
from counterpoint.recipes import Recipe
from counterpoint.tables import Column, Row, Table, measures, quick, record
from counterpoint.training import FitConfig, Progress

recipes = importlib.import_module("counterpoint.recipes")  # counterpoint.recipes is the function of that name
REAL = tables.tables()  # before a test puts its own there
TOY = Table(
    name="toy",
    title="A toy",
    about="What it is measured by.",
    columns=(
        Column("bound", "ELBO", "nats per step, higher is better", "elbo_per_sequence"),
        Column("error", "Error", "squared, lower is better", "prediction_error", 3),
        Column("quoted", "Elsewhere", "another scale"),
    ),
    rows=(
        Row("lost", {"bound": "lost"}),
        Row("first", dict.fromkeys(("bound", "error"), "first"), {"bound": (-7.48, 0.2), "quoted": 3.0}, "a paper"),
        Row("copy", {"error": "first"}, measures={"error": "copy_error"}),
    ),
)


@pytest.fixture(scope="module")
def parts(data):
    """Recipes that the toy table runs: one of data that nobody has."""
    p, q = VRNNConfig(latent=2, hidden=4, width=4), FilteringConfig(width=4)
    fit = FitConfig(epochs=4, batch_size=4, buckets=1, save_seconds=0)
    first = Recipe("first", data=data, p=p, q=q, bound=ELBO(), estimator=Pathwise(), fit=fit, particles=0)
    return {"first": first, "lost": dataclasses.replace(first, name="lost", data="/nowhere/lost.npz")}


@pytest.fixture(autouse=True)
def toy(parts, monkeypatch):
    monkeypatch.setattr(tables, "tables", lambda: {"toy": TOY})
    monkeypatch.setattr(recipes, "recipes", lambda: parts)


def numbers(out):
    """All that must not depend on the machine's mood."""
    found = json.loads((out / "toy.json").read_text())
    for made in found["runs"].values():
        del made["seconds"]
    return found


@pytest.fixture(scope="module")
def made(parts, tmp_path_factory):
    """The toy table, undisturbed, and what its making printed."""
    out = tmp_path_factory.mktemp("toy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "tables", lambda: {"toy": TOY})
        patch.setattr(recipes, "recipes", lambda: parts)
        assert main(["reproduce", "toy", "--out", str(out), "--seeds", "2", "--page", str(out / "page.md")]) == 2
    return out


def test_a_table_has_what_was_published_what_is_ours_and_what_is_missing(made):
    text = (made / "toy.md").read_text()
    assert text.startswith("# A toy\n\nWhat it is measured by.")
    assert "| first | a paper | -7.48 ± 0.20 |  | 3.00 |" in text
    assert "| copy | **ours** |  | **1.850** |  |" in text
    assert "| lost | **ours** | not run |  |  |" in text
    assert "standard deviation over 2 seeds (0 to 1)" in text
    assert "`counterpoint train first --seed 0 --repeats 2`" in text
    assert "| `first` | budget-limited, " in text
    assert "†" in text
    assert (made / "page.md").read_text() == text


def test_a_row_says_what_made_it(made):
    config = made / "first-001" / "config.json"
    versions = json.loads(config.read_text())["versions"]
    row = next(line for line in (made / "toy.md").read_text().splitlines() if line.startswith("| `first` |"))
    commit = f" ({versions['commit']})" if versions["commit"] else ""
    assert f", counterpoint {versions['counterpoint']}{commit} |" in row
    assert versions["commit"] == runs.commit()


def test_a_run_from_before_versions_were_kept_has_none(made, tmp_path):
    values = json.loads((made / "first-001" / "config.json").read_text())
    del values["versions"]
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert runs.open_run(tmp_path).program == ""


def test_the_commit_is_that_of_the_package_and_of_no_project_around_it(tmp_path, monkeypatch):
    git = lambda *words: subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)
    file = tmp_path / "src" / "counterpoint" / "runs.py"
    file.parent.mkdir(parents=True)
    file.touch()
    monkeypatch.setattr(runs, "__file__", str(file))
    assert runs.commit() is None
    git("init")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "one")
    short = runs.commit()
    assert short
    assert len(short) >= 7
    assert git("rev-parse", "HEAD").stdout.decode().startswith(short)
    file.write_text("changed")
    assert runs.commit() == f"{short}-dirty"
    monkeypatch.setattr(runs, "__file__", str(file.parent / "deeper" / "runs.py"))
    assert runs.commit() is None


def test_its_numbers_are_those_of_the_run(made):
    cells = {row["model"]: row["cells"] for row in numbers(made)["rows"]}
    values = cells["first"]["bound"]["ours"]["values"]
    results = json.loads((made / "first-001" / "results.json").read_text())["results"]
    assert values == results["vrnn + filtering"]["ELBO"]["per_sequence_members"]
    assert cells["first"]["bound"]["published"] == {"value": -7.48, "spread": 0.2, "source": "a paper"}
    assert cells["copy"]["error"]["ours"]["spread"] == 0
    assert cells["lost"]["bound"]["ours"]["values"] is None


@pytest.mark.slow
def test_the_command_beside_a_run_repeats_it_exactly(made, tmp_path):
    command = json.loads((made / "toy.json").read_text())["runs"]["first"]["command"]
    assert main([*command.split()[1:], "--particles", "0", "--out", str(tmp_path)]) == 0
    mine, theirs = (json.loads((out / "first-001" / "results.json").read_text()) for out in (made, tmp_path))
    assert mine["results"] == theirs["results"]


def test_the_same_command_finds_what_is_done_and_says_what_is_missing_in_one_line(made, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text, start = (made / "toy.md").read_text(), time.monotonic()
    assert main(["reproduce", "toy", "--out", str(made), "--seeds", "2"]) == 2
    assert time.monotonic() - start < 2
    out, err = capsys.readouterr()
    assert err.startswith("counterpoint: lost: ")
    assert err.count("\n") == 1
    assert "lost.npz" in err
    assert "[2/2] first: first; copy\ndone before" in out
    assert "1 of 2 runs are in it" in out
    assert "could not be run: lost" in out
    assert max(map(len, out.replace(str(made), "").splitlines())) <= 80
    assert (made / "toy.md").read_text() == text
    assert [path.name for path in made.glob("*-0*")] == ["first-001"]


def test_a_run_of_other_settings_is_not_taken_for_this_one(made, parts):
    work = lambda repeats: Tabling(TOY, made, None, repeats, False, None, Console())
    assert work(2).find(parts["first"]).folder == made / "first-001"
    assert work(3).find(parts["first"]) is None
    longer = dataclasses.replace(parts["first"].fit, epochs=9)
    assert work(2).find(dataclasses.replace(parts["first"], fit=longer)) is None


def test_stopped_four_times_it_ends_with_the_same_table(made, tmp_path, monkeypatch, capsys):
    words = ["reproduce", "toy", "--out", str(tmp_path), "--seeds", "2", "--rows", "first"]
    call, stops = Display.__call__, {3: signal.SIGTERM, 6: signal.SIGINT}

    def stopping(self, progress, per_epoch, epochs):
        call(self, progress, per_epoch, epochs)
        if progress.step in stops:
            signal.raise_signal(stops.pop(progress.step))

    monkeypatch.setattr(Display, "__call__", stopping)
    for code, by in ((143, "SIGTERM"), (130, "SIGINT")):
        assert main(words) == code
        assert f"stopped by {by}; all is saved, and the same command continues" in capsys.readouterr().out
        assert "not run" in (tmp_path / "toy.md").read_text()
    kept = {}
    for place, name in ((measures, "measured"), (tabling, "close")):
        with monkeypatch.context() as patch:
            undisturbed = getattr(place, name)
            patch.setattr(place, name, lambda *given, go=undisturbed: signal.raise_signal(signal.SIGTERM) or go(*given))
            assert main(words) == 143
        assert "goes on from update" in capsys.readouterr().out
        kept[name] = numbers(tmp_path)["runs"]
    assert kept["measured"] == {}
    assert list(kept["close"]["first"]["measures"]) == ["prediction_error", "copy_error"]
    assert main(words) == 0
    assert "finished already" in capsys.readouterr().out
    assert numbers(tmp_path) == numbers(made)


def test_a_quick_table_has_one_run_of_each_row():
    rows = (Row("one", {"bound": "a", "error": "b"}), Row("again", {"error": "a"}), Row("two", {"error": "c"}))
    assert dataclasses.replace(TOY, rows=(*rows, Row("quoted", {}, {"quoted": 1.0}, "a paper"))).firsts() == ["a", "c"]


@pytest.mark.slow
def test_a_quick_run_says_that_it_is_no_result_and_its_folder_is_a_run(tmp_path, parts, capsys):
    assert main(["reproduce", "toy", "--out", str(tmp_path), "--quick", "--rows", "first"]) == 0
    text = (tmp_path / "toy-quick.md").read_text()
    assert text.splitlines()[2] == "**" + "A quick run on a cut of the data, to see that all of it works. " + (
        "Nothing here is a result.**"
    )
    assert "| `first` | budget-limited, " in text
    folder = tmp_path / "quick" / "first-001"
    assert {"config.json", "checkpoints", "curves.png", "results.json", "table.json"} <= {
        path.name for path in folder.iterdir()
    }
    capsys.readouterr()
    assert main(["show", str(folder)]) == 0
    assert "after 2 of 2 epochs" in capsys.readouterr().out
    from counterpoint.runs import open_run

    assert len(open_run(folder).corpus().test) == 4


def test_changed_data_are_noticed(made, tmp_path, refused, monkeypatch, capsys):
    monkeypatch.setattr("counterpoint.runs.digest", lambda corpus: "another")
    (made / "first-001" / "table.json").rename(tmp_path / "table.json")
    assert main(["reproduce", "toy", "--out", str(made), "--seeds", "2", "--rows", "first"]) == 2
    assert "digest differs" in capsys.readouterr().err
    (tmp_path / "table.json").rename(made / "first-001" / "table.json")


def test_lists_and_refusals(refused, capsys, tmp_path):
    assert main(["reproduce", "--list"]) == 0
    head, _, *rows, _ = (line.split() for line in capsys.readouterr().out.splitlines() if line.strip())
    assert head == ["table", "paper", "data", "runs"]
    assert rows[0][:3] == ["toy", "a", "paper"]
    assert rows[0][-1] == "2"
    assert main(["reproduce", "toy", "--list"]) == 0
    out = capsys.readouterr().out
    assert "first" in out
    assert "next: counterpoint reproduce toy --out FOLDER" in out
    assert "did you mean 'toy'" in refused("reproduce", "tiy", "--list")
    out = ["--out", str(tmp_path / "made")]
    assert "did you mean 'toy'" in refused("reproduce", "tiy", *out)
    assert "there are: toy" in refused("reproduce", *out)
    assert "--out FOLDER" in refused("reproduce", "toy")
    assert "did you mean 'first'" in refused("reproduce", "toy", *out, "--rows", "fist")
    assert "--seeds is 0" in refused("reproduce", "toy", *out, "--seeds", "0")
    assert "leave out --quick or --page" in refused("reproduce", "toy", *out, "--quick", "--page", "x.md")
    assert not list(tmp_path.iterdir())


def test_a_table_that_contradicts_itself_is_refused():
    with pytest.raises(CounterpointError, match="no column 'x'"):
        dataclasses.replace(TOY, rows=(Row("a", {"x": "first"}),))
    with pytest.raises(CounterpointError, match="has no measure"):
        dataclasses.replace(TOY, rows=(Row("a", {"quoted": "first"}),))
    with pytest.raises(CounterpointError, match="need a source"):
        dataclasses.replace(TOY, rows=(Row("a", published={"bound": 1.0}),))


@pytest.mark.parametrize("name", REAL)
def test_every_measure_of_a_table_exists(name):
    for wanted in REAL[name].runs().values():
        for measure in wanted:
            measures.check(measure)


@pytest.mark.parametrize("name", REAL)
def test_every_recipe_of_a_table_exists(name, monkeypatch):
    monkeypatch.undo()
    assert set(REAL[name].runs()) <= set(recipes.recipes())


def test_the_slope_is_that_of_the_last_fifth():
    rows = [{"step": 100 * i, "valid": [-9.0, -9.0]} for i in range(40)]
    rows += [{"step": 4000 + 100 * i} for i in range(3)]  # epochs without a validation
    rows += [{"step": 5000 + 100 * i, "valid": [-8 + 0.1 * i, -8 + 0.3 * i]} for i in range(10)]
    assert record.slope(rows) == pytest.approx(2.0)
    assert record.slope(rows[:1]) is None
    assert record.slope([{"step": 1}]) is None


def test_a_run_is_complete_where_every_repeat_stopped_by_patience():
    assert record.complete(Progress(stalled=[3, 4]), 3)
    assert not record.complete(Progress(stalled=[3, 2]), 3)
    assert not record.complete(Progress(stalled=[3, 4]), 0)


def corpus():
    x = tuple(a.astype(np.uint8) for a in sequences(3, 0))
    still = (np.zeros((40, 5), np.uint8), *x[1:])
    group = lambda x, names=(): Sequences(x, None, names, "toy")
    return Corpus("toy", group(x), group(x), group(still, ("still", "b", "c")))


def test_a_measure_may_take_one_test_sequence_by_name(parts):
    given = corpus()
    pairing = parts["first"].build(parts["first"].facts(given), jax.random.key(0))
    value = lambda name: measures.measured([name], [pairing], given, jax.random.key(0))[name][0]
    assert value("copy_error:still") == 0 < value("copy_error")
    with pytest.raises(CounterpointError, match="did you mean 'still'"):
        value("copy_error:stil")
    with pytest.raises(CounterpointError, match="did you mean 'copy_error'"):
        value("copy_eror")


def test_what_a_report_has_is_what_would_be_measured_and_is_not_measured_again(run):
    opened = runs.open_run(run)
    its = opened.corpus()
    report = read_report(opened)
    measure = lambda name, *report: measures.measured([name], opened.best(its), its, opened.key(runs.EVALUATE), *report)
    for average in ("per_step", "per_sequence"):
        assert measure(f"elbo_{average}")[f"elbo_{average}"] == pytest.approx(report["ELBO", average], rel=1e-6)
    assert measure("elbo_per_step", {("ELBO", "per_step"): [7.0]}) == {"elbo_per_step": [7.0]}
    assert np.isfinite(measure("elbo_per_step", {("ELBO", "per_step"): [None]})["elbo_per_step"]).all()


def test_frames_after_the_first_may_be_scored_over_the_number_of_all():
    given, p = corpus(), Autoregressive(jnp.full((1, 5, 5), 0.3), jnp.full(5, -0.2), Family("bernoulli", (5,)))
    pairing = Pairing(p, Prior(), ELBO(), Pathwise())
    want = []
    for x in given.test.x:
        logits = 0.3 * x[:-1].sum(1, keepdims=True) - 0.2
        want.append((x[1:] * logits - np.log1p(np.exp(logits))).sum() / len(x))
    found = measures.measured(["later_frames_per_sequence"], [pairing], given, jax.random.key(0))
    assert found["later_frames_per_sequence"] == pytest.approx([np.mean(want)], rel=1e-5)


def test_a_cut_keeps_beginnings():
    cut = quick.cut(corpus())
    np.testing.assert_array_equal(cut.test.lengths, [32, 6, 6])
    assert cut.test.names == ("still", "b", "c")


def test_a_cut_keeps_the_year_that_is_to_be_predicted():
    many = Sequences((np.ones((50, 3)),))
    found = quick.cut(Corpus("mine", many, many, Sequences((np.ones((51, 3)),)), "real"))
    assert (found.train.lengths[0], found.test.lengths[0]) == (32, 33)


def test_what_could_not_be_measured_is_no_error_when_it_is_read_again(tmp_path):
    from counterpoint import runs

    run = runs.Run(tmp_path, Recipe("mine"), 0, 1, "mine", None, "")
    kept = record.Record([0], {"a": [float("nan")]}, 1, 1, 1.0, True, None, "a machine")
    run.write(record.FILE, dataclasses.asdict(kept))
    mean, plus = record.spread(record.read(run).measures["a"])
    assert np.isnan(mean)
    assert plus is None


def test_rows_of_baselines_have_their_own_measure_in_every_column():
    """Where one is forgotten, the column's own would put another model's number there."""
    for table in REAL.values():
        for row in table.rows:
            if row.measures:
                assert set(row.measures) == set(row.recipes), (table.name, row.title)
