"""Folders and zips of CSV files."""

import zipfile

import numpy as np
import pytest

from counterpoint.data import csv_folder, load
from counterpoint.errors import CounterpointError


def folder(tmp_path, texts, suffix=".csv"):
    for i, text in enumerate(texts):
        (tmp_path / f"take{i}{suffix}").write_text(text)
    return tmp_path


def everything(corpus):
    return {
        name: x
        for part in (corpus.train, corpus.valid, corpus.test)
        for name, x in zip(part.names, part.x, strict=True)
    }


def test_real_columns_are_normalised_and_turned_back(tmp_path):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(3.0, 2.0, size=(n, 2)).round(3) for n in (4, 6, 5, 7)]
    corpus = load(folder(tmp_path, ["a,b\n" + "\n".join(f"{u},{v}" for u, v in a) + "\n" for a in arrays]))
    assert (corpus.kind, corpus.train.event, len(corpus.train)) == ("real", (2,), 2)
    for name, x in everything(corpus).items():
        np.testing.assert_allclose(corpus.view.values(x), arrays[int(name[4])], atol=1e-5)
    np.testing.assert_allclose(np.concatenate(corpus.train.x).mean(0), 0.0, atol=1e-6)


@pytest.mark.parametrize(
    ("texts", "kind", "event"),
    [
        (["0,1\n1,1\n", "1,0\n", "0,0\n"], "binary", (2,)),
        (["0\n3\n1\n", "2\n", "1\n"], "index", ()),
        (["0,3\n1,4\n", "2,2\n", "1,7\n"], "count", (2,)),
        (["0.5,3\n", "2,2\n", "1,7\n"], "real", (2,)),
    ],
)
def test_what_numbers_are_follows_from_their_values(tmp_path, texts, kind, event):
    corpus = csv_folder(folder(tmp_path, texts))
    assert (corpus.kind, corpus.train.event) == (kind, event)


def test_an_empty_cell_is_missing(tmp_path):
    corpus = csv_folder(folder(tmp_path, ["1.5\t\nnan\t2\n"] * 3, ".tsv"))
    assert [mask.tolist() for mask in corpus.test.observed] == [[[True, False], [False, True]]]


def test_a_zip_is_read_alike(tmp_path):
    inside = folder(tmp_path / "in" if (tmp_path / "in").mkdir() is None else tmp_path, ["0.5,1\n", "1,2\n", "2,3\n"])
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for file in inside.iterdir():
            archive.write(file, file.name)
    ours, theirs = everything(load(inside)), everything(load(tmp_path / "in.zip"))
    assert ours.keys() == theirs.keys()
    for name, x in ours.items():
        np.testing.assert_array_equal(x, theirs[name])


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["1,2\n", "1,2\n"], "2 CSV files; give 3 or more"),
        (["1,2\n", "1,2\n", "1,2,3\n"], "take1.csv has 2 columns and take2.csv 3"),
        (["1,2\n3\n", "1,2\n", "1,2\n"], "row 2 has 1 cells, the first 2"),
        (["a,b\n1,x\n", "1,2\n", "1,2\n"], "'x' in row 1 is no number"),
        (["a,b\n", "1,2\n", "1,2\n"], "take0.csv has no row of numbers"),
        (["1,inf\n", "1,2\n", "1,2\n"], "'inf' in row 1 is no number"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, texts, said):
    with pytest.raises(CounterpointError, match=said):
        csv_folder(folder(tmp_path, texts))


def test_one_file_says_that_a_folder_is_wanted(tmp_path):
    file = tmp_path / "one.csv"
    file.write_text("1,2\n")
    with pytest.raises(CounterpointError, match="give a folder of three or more"):
        load(file)
