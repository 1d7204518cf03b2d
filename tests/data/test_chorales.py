"""The chorales in the package are what CHORALES.md says, and no hymn tune is in two splits."""

import hashlib
import importlib.util
import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from counterpoint.data import chorales, load
from counterpoint.data.packed import digest, read_npz

ROOT = Path(__file__).parents[2]
FILE = ROOT / "src" / "counterpoint" / "data" / "chorales.npz"
SIZES = {"train": (256, 14033), "valid": (33, 1816), "test": (73, 3863)}


@pytest.fixture(scope="module")
def corpus():
    return chorales()


def test_sizes_are_those_of_the_document(corpus):
    text = FILE.with_name("CHORALES.md").read_text().replace(" ", "")
    for split, (n, frames) in SIZES.items():
        group = getattr(corpus, split)
        assert (len(group), group.lengths.sum()) == (n, frames)
        assert f"|{split}|{n}|{frames}|" in text


def test_file_is_the_one_of_the_document():
    text = FILE.with_name("CHORALES.md").read_text()
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() in text
    assert digest(read_npz(FILE)) in text
    assert FILE.stat().st_size < 200_000


def test_frames_are_one_to_four_voices_in_vocal_range(corpus):
    for split in SIZES:
        x = np.concatenate(getattr(corpus, split).x)
        assert x.dtype == np.uint8
        assert x.shape[1:] == (88,)
        assert set(np.unique(x)) == {0, 1}
        assert x.sum(1).max() == 4
        assert 3.7 < x.sum(1).mean() < 4
        notes = np.flatnonzero(x.any(0)) + corpus.view.lowest
        assert notes.min() >= 36
        assert notes.max() <= 81
    # Trimmed: something sounds in the first and the last frame of each.
    assert all(x[0].any() and x[-1].any() for x in corpus.train.x)


def test_a_chorale_known_by_heart(corpus):
    # BWV 269, Aus meines Herzens Grunde, begins on the upbeat with a chord of G major: G B d g.
    groups = [corpus.train, corpus.valid, corpus.test]
    (x,) = [x for g in groups for name, x in zip(g.names, g.x) if name == "bwv269"]
    assert (np.flatnonzero(x[0]) + corpus.view.lowest).tolist() == [43, 59, 62, 67]


def test_no_chorale_and_no_tune_is_in_two_splits(corpus):
    where: dict = {}
    for split in SIZES:
        group = getattr(corpus, split)
        assert len(group.names) == len(group)
        for name, x in zip(group.names, group.x):
            marks = [name.split("-")[0], x.tobytes()]
            # The top note is nearly always the soprano's: twelve of its intervals in a row make a tune.
            top = [int(np.flatnonzero(row)[-1]) for row in x if row.any()]
            steps = [b - a for a, b in itertools.pairwise(top) if a != b]
            marks += [tuple(steps[k : k + 12]) for k in range(len(steps) - 11)]
            for mark in marks:
                assert where.setdefault(mark, split) == split, name
    names = [n for s in SIZES for n in getattr(corpus, s).names]
    assert len(set(names)) == len(names) == 362
    assert all(re.fullmatch(r"bwv\d+(\.\d+)?(-\w+)?", n) for n in names)


def test_load_finds_it_without_a_folder_and_without_jax():
    assert load("chorales").kind == "binary"
    code = (
        "import sys; from counterpoint.data import load; load('chorales');"
        "print(sorted({'jax', 'matplotlib', 'scipy', 'music21'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("music21") is None, reason="needs music21: the extra `music`")
def test_the_script_makes_the_same_arrays(tmp_path):
    out = tmp_path / "chorales.npz"
    subprocess.run([sys.executable, ROOT / "scripts" / "make_chorales.py", "--out", out], check=True)
    assert digest(read_npz(out)) == digest(read_npz(FILE))
