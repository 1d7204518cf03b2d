"""A user's `.npz`: each form is read as documented."""

import numpy as np
import pytest

from counterpoint.data import Corpus, Sequences, load, save_npz
from counterpoint.data.views import Notes

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((4, 5, 2))
LENGTHS = np.array([5, 2, 1, 3])
STACKED = np.concatenate([x[:n] for x, n in zip(REAL, LENGTHS)])


def three(x, **parts):
    return dict.fromkeys(("train", "valid", "test"), x) | {
        f"{s}_{k}": v for s in ("train", "valid", "test") for k, v in parts.items()
    }


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_padded_without_lengths(made):
    corpus = made(**three(REAL))
    same(corpus.test.x, REAL)
    assert (corpus.name, corpus.kind, corpus.view) == ("mine", "real", None)


def test_padded_with_lengths_drops_the_padding(made):
    padded = REAL.copy()
    padded[1, 2:] = np.nan  # what lies beyond the end is not looked at
    same(made(**three(padded, lengths=LENGTHS)).valid.x, [x[:n] for x, n in zip(REAL, LENGTHS)])


def test_stacked(made):
    same(made(**three(STACKED, lengths=LENGTHS)).valid.x, [x[:n] for x, n in zip(REAL, LENGTHS)])
    same(made(**three(STACKED[:, 0], lengths=LENGTHS)).valid.x, [x[:n, 0] for x, n in zip(REAL, LENGTHS)])


def test_packed(made, arrays, rolls):
    corpus = made(**arrays)
    same(corpus.train.x, rolls["train"])
    assert (corpus.kind, corpus.view.lowest) == ("binary", 21)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, bool, np.float32])
def test_dtypes_are_kept(made, dtype):
    same(made(**three(np.ones((2, 3), dtype))).train.x, np.ones((2, 3), dtype))


@pytest.mark.parametrize(
    ("shape", "layout", "lengths", "event"),
    [
        ((3, 4), None, [1] * 3, (4,)),  # stacked
        ((3, 4, 2), None, [1] * 3, (2,)),  # padded
        ((3, 4), "padded", [1] * 3, ()),
        ((3, 4, 2), "stacked", [1] * 3, (4, 2)),
    ],
)
def test_lengths_that_fit_both_layouts(made, shape, layout, lengths, event):
    extra = {} if layout is None else {"layout": np.array(layout)}
    corpus = made(**three(np.ones(shape), lengths=np.array(lengths)), **extra)
    assert corpus.train.event == event
    assert corpus.train.lengths.tolist() == lengths


@pytest.mark.parametrize("entries", [False, True])
@pytest.mark.parametrize("stacked", [False, True])
def test_observed_lies_as_the_array_does(made, entries, stacked):
    x = STACKED if stacked else REAL
    seen = RNG.random(x.shape if entries else x.shape[: 1 if stacked else 2]) < 0.6
    gaps = np.where(seen if entries else seen[..., None], x, np.nan)
    found = made(**three(gaps, lengths=LENGTHS, observed=seen.astype(np.int8))).train
    assert [m.shape for m in found.observed] == [(n, 2)[: 1 + entries] for n in LENGTHS]
    rows = seen if stacked else np.concatenate([m[:n] for m, n in zip(seen, LENGTHS)])
    np.testing.assert_array_equal(np.concatenate(found.observed), rows)


def test_x_is_split_once_and_for_all(made):
    x = np.arange(40.0)[:, None] * np.ones((40, 3))
    names = np.array([f"s{i}" for i in range(40)])
    one = made(x=x, lengths=np.full(40, 2), names=names)
    assert [len(s) for s in (one.train, one.valid, one.test)] == [32, 4, 4]
    first = [s.x[0][0] for s in (one.train, one.valid, one.test)]
    again = made(x=x, kind=np.array("real"))
    assert [s.x[0][0] for s in (again.train, again.valid, again.test)] == first
    ids = [int(a[0]) for s in (one.train, one.valid, one.test) for a in s.x]
    assert sorted(ids) == list(range(40))
    assert [n for s in (one.train, one.valid, one.test) for n in s.names] == [f"s{i}" for i in ids]
    assert one.test.lengths.tolist() == [2] * 4
    assert [len(s) for s in (lambda c: (c.train, c.valid, c.test))(made(x=x[:3, :, None]))] == [1, 1, 1]


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (np.array([[0.0, 1.0]]), "binary"),
        (np.array([[True, False]]), "binary"),
        (np.array([[0, 1, 2]]), "index"),
        (np.array([[[0], [1], [2]]]), "index"),
        (np.array([[[0, 1], [2, 3]]]), "count"),
        (np.array([[[0], [-1], [5]]]), "real"),
        (np.array([[[0.0], [1.0], [2.0]]]), "real"),
    ],
)
def test_kind_is_guessed(made, x, kind):
    assert made(**three(x)).kind == kind
    assert made(**three(x), kind=np.array("real")).kind == "real"


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("entries", [False, True])
def test_one_whole_number_a_frame_is_a_symbol(made, stacked, entries):
    x = RNG.integers(0, 4, (4, 5, 1))
    x[..., 0][:, 0] = 3
    seen = RNG.random(x.shape if entries else x.shape[:2]) < 0.6
    parts = {"observed": seen}
    if stacked:
        parts = {"observed": seen.reshape(-1, *seen.shape[2:]), "lengths": np.full(4, 5)}
    corpus = made(**three(x.reshape(20, 1) if stacked else x, **parts))
    assert (corpus.kind, corpus.train.event) == ("index", ())
    same(corpus.valid.x, x[..., 0])
    same(corpus.test.observed, seen.reshape(4, 5))
    words = {"words": np.array(["debt"])}
    for given in ({"kind": np.array("count")}, words):  # what says otherwise is believed
        corpus = made(**three(x), **given)
        assert (corpus.kind, corpus.train.event) == ("count", (1,))


def test_kind_looks_at_all_splits_and_only_at_what_was_seen(made):
    x = np.zeros((1, 3), int)
    assert made(**(three(x) | {"test": x + 2})).kind == "index"
    missing = np.array([[0, 1, np.nan]])
    assert made(**three(missing, observed=np.isfinite(missing))).kind == "binary"


@pytest.mark.parametrize("event", [(), (2,), (2, 3)])
@pytest.mark.parametrize("lengths", [(1, 1), (2, 4)])
def test_saved_and_read_is_the_same(tmp_path, event, lengths):
    xs = tuple(RNG.standard_normal((n, *event)) for n in lengths)
    masks = (np.ones(lengths[0], bool), np.ones(xs[1].shape, bool))
    s = Sequences(xs, masks, ("a", "b"))
    corpus = Corpus("mine", s, s, Sequences(xs), "real", "hour", Notes(7), 0.5, "note")
    save_npz(tmp_path / "one.npz", corpus)
    save_npz(tmp_path / "two.npz", corpus)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    back = load(tmp_path / "one.npz")
    same(back.train.x, xs)
    assert back.train.names == ("a", "b")
    assert all(m.all() for m in back.train.observed)
    assert back.test.observed is None
    for key in ("name", "kind", "step", "view", "seconds", "note"):
        assert getattr(back, key) == getattr(corpus, key)
