"""counterpoint data save: what can be chosen of a source, by the flags of its own."""

import numpy as np

from counterpoint.cli import main
from counterpoint.data import CORPORA, bouncing_balls, load

BALLS = {"train": 3, "valid": 1, "test": 1, "length": 5, "balls": 2, "resolution": 12, "seed": 4}
EACH = {"radius": (2.0, 1.0), "mass": (4.0, 1.0)}


def test_corpora_by_name_are_listed(capsys):
    assert main(["data"]) == 0
    out = capsys.readouterr().out
    assert set(CORPORA) < set(out.replace(",", "").split())
    assert max(map(len, out.splitlines())) <= 80


def test_balls_of_other_number_size_and_resolution(tmp_path, capsys):
    file = tmp_path / "two.npz"
    flags = [word for name, value in BALLS.items() for word in (f"--{name}", str(value))]
    flags += [word for name, values in EACH.items() for word in (f"--{name}", *map(str, values))]
    assert main(["data", "save", "bouncing_balls", str(file), *flags]) == 0
    assert capsys.readouterr().out == (
        f"{file}: 3 train, 1 valid, 1 test sequences of 5 steps; a frame is 144 grey values\n"
        f"next: counterpoint train --data {file}\n"
    )
    made, want = load(file), bouncing_balls(**BALLS, **EACH)
    for split in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(made, split).x, getattr(want, split).x)
    assert made.view == want.view


def test_texts_filtered_otherwise_keep_their_words(tmp_path):
    (tmp_path / "texts").mkdir()
    for year in range(1990, 1994):
        (tmp_path / "texts" / f"{year}.txt").write_text("corn corn debt debt debt bank")
    file = tmp_path / "few.npz"
    assert main(["data", "save", str(tmp_path / "texts"), str(file), "--total", "8", "--peak", "3"]) == 0
    assert load(file).view.vocabulary == ("debt",)
    assert load(file).view.times == ("1990", "1991", "1992", "1993")


def test_what_a_source_does_not_have_is_refused(tmp_path, refused):
    file = str(tmp_path / "x.npz")
    assert "did you mean '--balls'" in refused("data", "save", "bouncing_balls", file, "--bals", "2")
    assert "takes no --balls" in refused("data", "save", "chorales", file, "--balls", "2")
    assert "--balls is 'two', expected a whole number" in refused("data", "save", "bouncing_balls", file, "--balls=two")
    assert "did you mean 'bouncing_balls'" in refused("data", "save", "bouncing_bals", file)
    (tmp_path / "there.npz").write_text("precious")
    assert "exists; give another name" in refused("data", "save", "chorales", str(tmp_path / "there.npz"))
    assert (tmp_path / "there.npz").read_text() == "precious"
    assert "give a name in .npz" in refused("data", "save", "chorales", str(tmp_path / "x.txt"))
    assert "FILE is missing" in refused("data", "save", "chorales")
