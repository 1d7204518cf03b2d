"""Every bad sequence is one line that names it."""

import numpy as np
import pytest

from counterpoint.data import Corpus, Sequences, load
from counterpoint.errors import CounterpointError

X = np.ones((3, 2))
NAN = np.array([[1, np.nan], [0, 0], [1, 1]])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (((),), "no sequences"),
        (((X, X[:0]),), "sequence 1 has length zero"),
        (((np.array(1.0),),), "sequence 0 has length zero"),
        (((X, X[:, :1]),), r"sequence 1 has frames of shape \(1,\) and dtype float64, sequence 0 has \(2,\)"),
        (((X, X.astype(int)),), "dtype int64, sequence 0 has"),
        (((np.array(["a"]),),), "dtype <U1; give numbers"),
        (((X.astype(complex),),), "dtype complex128; give numbers"),
        (((np.array([{}]),),), "dtype object; give numbers"),
        (((X, NAN),), "sequence 1 has NaN or infinity at step 0"),
        (((np.array([1.0, np.inf]),),), "NaN or infinity at step 1"),
        (((NAN,), (np.array([True, False, False]),)), "NaN or infinity at step 0"),
        (((X, X), (np.ones(3, bool),)), "1 masks of what is observed for 2 sequences"),
        (((X,), (np.ones(2, bool),)), r"the mask of what is observed has shape \(2,\)"),
        (((X,), (np.ones(3),)), "dtype float64; give bool"),
        (((X, X), None, ("a",)), "1 names for 2 sequences"),
        (((X, X[:0]), None, ("a", "b")), "sequence b has length zero"),
    ],
)
def test_refused(arguments, text):
    with pytest.raises(CounterpointError, match=text) as caught:
        Sequences(*arguments, what="set")
    assert str(caught.value).startswith("set")
    assert "\n" not in str(caught.value)


def test_nan_is_allowed_where_it_is_marked():
    Sequences((NAN,), (np.array([False, True, True]),))
    Sequences((NAN,), (np.isfinite(NAN),))


def test_take_keeps_masks_and_names_together():
    s = Sequences((X, 2 * X, 3 * X), (np.ones(3, bool), np.zeros(3, bool), np.ones(3, bool)), ("a", "b", "c"), "set")
    t = s.take([2, 1])
    assert t.names == ("c", "b")
    assert t.x[0][0, 0] == 3
    assert [m.all() for m in t.observed] == [True, False]
    assert t.what == "set"
    assert s.event == (2,)
    assert s.lengths.tolist() == [3, 3, 3]


def test_a_corpus_checks_kind_and_frames():
    s = Sequences((X,))
    with pytest.raises(CounterpointError, match="unknown kind 'binry'; did you mean 'binary'"):
        Corpus("c", s, s, s, kind="binry")
    with pytest.raises(CounterpointError, match=r"c: frames of test have shape \(\), those of train \(2,\)"):
        Corpus("c", s, s, Sequences((X[:, 0],)))
    corpus = Corpus("c", s, s, s)
    assert load(corpus) is corpus


@pytest.mark.parametrize(
    ("frames", "kind", "said"),
    [
        (np.zeros((3, 88)), "binary", "88 binary numbers"),
        (np.zeros((3, 1)), "real", "1 real number"),
        (np.zeros(3), "real", "1 real number"),
        (np.zeros((3, 4, 5)), "grey", "4 x 5 grey values"),
        (np.zeros((3, 7), int), "count", "7 counts"),
        (np.array([0, 4, 2]), "index", "1 of 5 categories"),
    ],
)
def test_how_data_were_read_is_said(frames, kind, said):
    one, many = Sequences((frames,)), Sequences((frames, frames[:1]))
    assert Corpus("c", many, one, one, kind).summary == (
        f"2 train, 1 valid, 1 test sequences of 1 to 3 steps; a frame is {said}"
    )
    assert f"of 3 steps; a frame is {said}" in Corpus("c", one, one, one, kind).summary
    still = Sequences((frames[:1],))
    assert "sequences of 1 step; " in Corpus("c", still, still, still, kind).summary


def test_at_a_prompt_data_are_told_and_not_printed():
    many = Sequences((X, X[:1]), what="walks")
    assert repr(many) == f"Sequences(walks: 2 of 1 to {len(X)} steps, frames (2,) of {X.dtype})"
    assert repr(Corpus("c", many, many, many)).startswith("Corpus(c: 2 train, 2 valid, 2 test sequences of 1 to ")


def test_missing_values_are_no_categories():
    s = Sequences((np.array([0, 9, 2]),), (np.array([True, False, True]),))
    assert Corpus("c", s, s, s, "index").frame == "1 of 3 categories"


def test_a_sequence_is_found_by_name_or_number():
    group = Sequences((X, X, X), names=("b", "a", "0"), what="mine, test")
    assert [group.find(which) for which in ("a", "1", "0", "2")] == [1, 1, 2, 2]
    for which in ("3", "-1", "c", "\u00b2"):
        with pytest.raises(CounterpointError, match=r"mine, test has no sequence .*; give 0 to 2"):
            group.find(which)
