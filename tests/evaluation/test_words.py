"""Precision at k by hand, ties included, and MP and PP of a model whose predictions are known."""

import itertools
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array, random

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import Bernoulli, Family
from counterpoint.errors import CounterpointError
from counterpoint.evaluation.words import held_out_words, mean_precision, precision, word_baselines


class Topic(AbstractDirected):
    """h_t+1 = not h_t, surely; words from one of two topics: logits (2, M)."""

    logits: Array

    def initial(self):
        return jnp.zeros(1)

    def advance(self, carry, z, e):
        return z

    def prior(self, carry):
        return Bernoulli(200.0 * (0.5 - carry))

    def likelihood(self, carry, z):
        return Family("counts", (self.logits.shape[1],), 10)(self.logits[0] + z[0] * (self.logits[1] - self.logits[0]))


class Reader(AbstractPosterior):
    """q(h_t = 1) = s(gain (x_t4 - 1/2)): the last of four words gives the topic away, the surer the higher the gain."""

    gain: float = 200.0
    sees_future: bool = False
    fills_gaps: ClassVar[bool] = False

    def propose(self, p, carry, context, x, key):
        return direct(Bernoulli(self.gain * (x[3:] - 0.5)))


P = Topic(jnp.array([[3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0]]))  # topic 0: words 0, 1; topic 1: words 3, 2
TRAIN = Sequences((np.array([[4, 1, 0, 0], [0, 0, 2, 1], [5, 0, 0, 1]], np.int32),))  # topics 0, 1, 1
HELD = np.array([[2, 1, 0, 0], [0, 0, 1, 1], [2, 1, 0, 0], [3, 1, 0, 0]])  # topics 0, 1, 0, and 0 in the last year


def test_without_ties():
    scores, counts = np.array([0.1, 0.4, 0.2, 0.3]), np.array([4, 3, 2, 1])
    assert [precision(scores, counts, k) for k in (1, 2, 3, 4)] == pytest.approx([0, 1 / 2, 2 / 3, 1])


def test_ties_are_averaged_over_their_orders():
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores, counts = rng.integers(0, 3, 5), rng.integers(0, 3, 5)
        found = []
        for first, second in itertools.product(itertools.permutations(range(5)), repeat=2):
            top = sorted(range(5), key=lambda m: (-scores[m], first[m]))[:3]
            true = sorted(range(5), key=lambda m: (-counts[m], second[m]))[:3]
            found.append(len(set(top) & {m for m in true if counts[m] > 0}) / 3)
        assert precision(scores, counts, 3) == pytest.approx(np.mean(found))


def test_a_word_that_does_not_occur_is_never_right():
    counts = np.array([3, 1, 0, 0])
    assert precision(np.array([0.4, 0.3, 0.2, 0.1]), counts, 3) == pytest.approx(2 / 3)  # the best there is
    assert precision(np.array([0.1, 0.2, 0.3, 0.4]), counts, 2) == 0


def test_the_order_of_the_vocabulary_does_not_matter():
    rng = np.random.default_rng(1)
    scores, counts = rng.integers(0, 9, 200), rng.poisson(1.0, 200)
    order = rng.permutation(200)
    assert precision(scores, counts) == pytest.approx(precision(scores[order], counts[order]))


def test_a_year_without_held_out_words_is_left_out():
    counts = np.array([[1, 0], [0, 0], [0, 1]])
    assert mean_precision(np.array([[0.9, 0.1]] * 3), counts, 1) == 0.5
    with pytest.raises(CounterpointError, match="no year has a held-out word"):
        mean_precision(np.ones((1, 2)), np.zeros((1, 2)), 1)


def test_a_model_by_hand():
    found = held_out_words(P, Reader(), TRAIN, HELD, random.key(0), samples=3, k=2)
    assert found.mp == pytest.approx(2 / 3)  # the third year's training words mislead
    assert found.pp == 1  # h_4 = not h_3 = 0; from q it would be 1 again
    np.testing.assert_allclose(found.mp_draws, 2 / 3)
    np.testing.assert_allclose(found.pp_draws, 1)


def test_many_draws_are_averaged_before_they_are_ranked():
    """q at 1/2: a draw is right or wrong by chance, the mean of the two topics ranks words 0 and 3 first."""
    p = Topic(jnp.array([[5.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 4.9]]))
    held = np.array([[3, 0, 0, 2]] * 3)
    found = held_out_words(p, Reader(0.0), TRAIN, held, random.key(1), samples=16, k=2)
    assert found.mp == 1
    np.testing.assert_allclose(found.mp_draws, 1 / 2)  # words 0 and 1, or 3 and 2
    assert np.isnan(found.pp)
    assert np.isnan(found.pp_draws).all()


def test_draws_differ_and_a_key_repeats_them():
    held = np.array([[1, 0, 0, 0]] * 3)
    a, b, c = (held_out_words(P, Reader(0.0), TRAIN, held, random.key(i), samples=8, k=1).mp_draws for i in (0, 0, 1))
    assert len(set(a)) > 1
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_baselines_by_hand():
    found = word_baselines(TRAIN.x[0], HELD, k=2)
    # all years: 9, 1, 2, 2: word 0, and words 2 and 3 by halves
    assert found["all years"] == pytest.approx(((1 / 2 + 1 / 2 + 1 / 2) / 3, 1 / 2))
    # year 1: words 0, 1; year 2: words 2, 3; year 3: words 0, 3
    assert found["the year itself"][0] == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert np.isnan(found["the year itself"][1])
    # year 2 by words 0, 1; year 3 by words 2, 3; year 4 by words 0, 3
    assert found["the year before"] == pytest.approx((0, 1 / 2))
    assert all(np.isnan(pp) for _, pp in word_baselines(TRAIN.x[0], HELD[:3], k=2).values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"held": HELD[:2]}, r"\(2, 4\); give \(T, M\)"),
        ({"held": HELD[:, :3]}, "give"),
        ({"k": 5}, "precision at 5 of 4 words"),
        ({"k": 0}, "precision at 0 of 4 words"),
        ({"samples": 0}, "give at least 1"),
        ({"held": 0 * HELD}, "no year has a held-out word"),
        ({"train": Sequences(TRAIN.x * 2)}, "from one sequence; this has 2"),
        ({"train": Sequences((np.full((3, 4), 0.5),))}, "counts"),
        ({"q": Reader(sees_future=True)}, "looks ahead"),
    ],
)
def test_what_cannot_be_asked(change, message):
    given = {"q": Reader(), "train": TRAIN, "held": HELD, "key": random.key(0), "samples": 1, "k": 2} | change
    with pytest.raises(CounterpointError, match=message):
        held_out_words(P, **given)


def test_a_q_that_looks_ahead_tells_years_but_no_future():
    found = held_out_words(P, Reader(sees_future=True), TRAIN, HELD[:3], random.key(0), samples=1, k=2)
    assert found.mp == pytest.approx(2 / 3)
