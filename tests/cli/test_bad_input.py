"""Every kind of bad input: one line that says what to do, code 2, and nothing that was saved is lost."""

import json
import shutil

import numpy as np
import pytest

from cli.cases import SMALL, sequences, write
from counterpoint.cli import main
from counterpoint.commands.compare_estimators import Options
from counterpoint.commands.contenders import opened


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


LENGTHS = np.full(8, 6, np.int32)
ROLLS = np.concatenate(sequences(8, 0))


def nan(x):
    x = x.astype(np.float32)
    x[3, 1] = np.nan
    return x


BAD = {
    "wrong shape": ({"train": ROLLS[:, :3]}, "shape"),
    "wrong dtype": ({"train": ROLLS.astype("U1")}, "dtype"),
    "NaN not marked missing": ({"train": nan(ROLLS)}, "NaN"),
    "outside the support": ({"test": np.full((24, 5), 3, np.uint8), "kind": np.array("binary")}, "0 or 1"),
    "length zero": ({"train_lengths": np.array([0, 6, 6, 6, 6, 6, 6, 12], np.int32)}, "length"),
    "lengths that do not sum": ({"train_lengths": LENGTHS[:-1]}, "lengths"),
    "unknown array": ({"tran": ROLLS}, "'train'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays(case, refused, run, tmp_path, monkeypatch):
    change, says = BAD[case]
    monkeypatch.chdir(tmp_path)
    before = contents(run)
    assert says in refused("train", "--data", write(tmp_path / "bad.npz", **change), *SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.npz"]
    assert contents(run) == before


@pytest.mark.parametrize("bytes_", [b"", b"PK\x03\x04 cut short", b"\x80\x04not an archive"])
def test_bad_files(bytes_, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.npz").write_bytes(bytes_)
    assert "bad.npz" in refused("train", "--data", "bad.npz")
    assert "nowhere.npz" in refused("train", "--data", "nowhere.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.npz"]


@pytest.mark.parametrize(
    ("flag", "says"),
    [("--fit.epochs", "fit: epochs is -3"), ("--fit.optimiser.clip", "adam: clip is -3"), ("--p.width", "vrnn: width")],
)
def test_a_number_too_small_is_named_as_its_flag_is(flag, says, data, refused):
    assert says in refused("train", "--data", data, flag, "-3")


def test_pickles_are_refused(refused, tmp_path):
    path = tmp_path / "bad.npz"
    objects = {name: np.array([print], dtype=object) for name in ("train", "valid", "test")}
    np.savez(path, allow_pickle=True, **objects)
    assert "pickle" in refused("train", "--data", str(path))


@pytest.fixture
def copy(run, tmp_path):
    """A run that may be damaged."""
    return shutil.copytree(run, tmp_path / "runs" / run.name)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("verb", ["resume", "evaluate", "generate", "show", "train"])
def test_damaged_config(verb, copy, refused):
    cut(copy / "config.json")
    before = contents(copy)
    line = refused(verb, str(copy))
    assert "config.json" in line
    assert "damaged" in line
    assert contents(copy) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["recipe"]["p"].update(latnet=3), "did you mean 'latent'"),
        (lambda c: c["recipe"]["fit"].update(epoch=3), "did you mean 'epochs'"),
        (lambda c: c["recipe"].update(bond={}), "did you mean 'bound'"),
        (lambda c: c.update(sed=3), "did you mean 'seed'"),
        (lambda c: c["recipe"]["q"].update(name="filterin"), "did you mean 'filtering'"),
        (lambda c: c["recipe"]["p"].update(latent="two"), "expected int"),
        (lambda c: c.update(seed="one"), "config.json"),
        (lambda c: c.pop("data"), "config.json"),
    ],
)
def test_unknown_keys_and_types_in_a_config(change, says, copy, refused):
    path = copy / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))
    before = contents(copy)
    assert says in refused("resume", str(copy))
    assert contents(copy) == before


@pytest.mark.parametrize("verb", ["resume", "show"])
def test_truncated_checkpoint(verb, copy, refused):
    last = max((copy / "checkpoints").glob("step-*.npz"))
    cut(last)
    before = contents(copy)
    line = refused(verb, str(copy))
    assert last.name in line
    assert "damaged or cut short" in line
    assert contents(copy) == before


def test_truncated_best(copy, refused):
    cut(copy / "checkpoints" / "best.npz")
    before = contents(copy)
    for verb in ("evaluate", "generate"):
        assert "best.npz: damaged or cut short" in refused(verb, str(copy))
    assert contents(copy) == before


def test_evaluate_without_a_best_checkpoint_says_what_is_missing(copy, refused):
    (copy / "checkpoints" / "best.npz").unlink()
    assert "best.npz is missing" in refused("evaluate", str(copy))


def test_damaged_metrics(copy, refused):
    cut(copy / "metrics.json")
    assert "metrics.json: damaged" in refused("show", str(copy))


def test_a_checkpoint_of_another_model(copy, refused):
    path = copy / "config.json"
    config = json.loads(path.read_text())
    config["recipe"]["p"]["hidden"] = 5
    path.write_text(json.dumps(config))
    assert "another configuration" in refused("resume", str(copy))


def test_changed_data_are_noticed(tmp_path, refused, copy, data):
    path = copy / "config.json"
    config = json.loads(path.read_text())
    config["data"]["source"] = write(tmp_path / "other.npz", test=np.concatenate(sequences(4, 9)))
    path.write_text(json.dumps(config))
    for verb in ("resume", "evaluate", "generate", "train"):
        assert "digest differs" in refused(verb, str(copy))
    config["data"]["source"] = str(tmp_path / "gone.npz")
    path.write_text(json.dumps(config))
    for verb in ("resume", "evaluate", "generate", "predict", "train"):
        line = refused(verb, str(copy))
        assert "gone.npz, on which" in line
        assert "say with --data" in line


def test_data_that_have_moved_are_named_and_still_have_to_be_the_same(tmp_path, refused, copy, data, capsys):
    path = copy / "config.json"
    config = json.loads(path.read_text())
    config["data"]["source"] = str(tmp_path / "gone.npz")
    path.write_text(json.dumps(config))
    for words in (["resume"], ["generate", "--prefix", "2"], ["predict"], ["evaluate", "--particles", "0"]):
        assert main([words[0], str(copy), *words[1:], "--data", data]) == 0
    assert opened(Options(str(copy), data=data))[1].test.x  # as compare estimators does
    other = write(tmp_path / "other.npz", test=np.concatenate(sequences(4, 9)))
    for verb in ("resume", "generate", "predict"):
        assert "digest differs" in refused(verb, str(copy), "--data", other)
    assert "gone.npz, on which" in refused("evaluate", str(copy), "--data", other)


@pytest.mark.parametrize("there", [False, True])
def test_a_start_that_fails_before_its_first_checkpoint_leaves_no_folder(there, refused, tmp_path):
    out, still = tmp_path / "runs", np.full(24, 1, np.int32)
    if there:
        out.mkdir()
    lengths = {"train_lengths": np.full(48, 1, np.int32), "valid_lengths": still, "test_lengths": still}
    words = ["--data", write(tmp_path / "still.npz", **lengths), "--fit.select", "prediction", "--out", str(out)]
    assert "begins with the second frame" in refused("train", *words, *SMALL)
    assert out.exists() == there
    assert not there or not list(out.iterdir())


def test_evaluate_on_data_of_another_shape(run, refused, tmp_path):
    splits = {"train": 8, "valid": 4, "test": 4}
    wide = {name: np.concatenate(sequences(n, i, notes=6)) for i, (name, n) in enumerate(splits.items())}
    assert "frames have shape (6,)" in refused("evaluate", str(run), "--data", write(tmp_path / "wide.npz", **wide))


def test_a_folder_that_cannot_be_made(run, data, refused, tmp_path):
    (tmp_path / "file").write_text("")
    said = refused("train", "--data", data, "--out", str(run), *SMALL)
    assert f"{run} is a run; name a folder that runs go into, or counterpoint resume {run}" in said
    assert "is a file; give a folder" in refused("train", "--data", data, "--out", str(tmp_path / "file"), *SMALL)


def test_a_loss_that_is_not_finite_stops_and_keeps_what_was_good(data, tmp_path, refused):
    words = ["--fit.optimiser.p", "1e38", "--fit.optimiser.name", "sgd", "--fit.optimiser.clip", "0", *SMALL]
    line = refused("train", "--data", data, "--out", str(tmp_path), *words)
    assert "not finite" in line
    assert "seed 0" in line
    assert list((tmp_path / "tiny-001" / "checkpoints").glob("step-*.npz"))
    assert main(["show", str(tmp_path / "tiny-001")]) == 0
