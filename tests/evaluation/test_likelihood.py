import csv

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.bounds import ELBO, FIVO, IWAE, Warmup
from counterpoint.core import Pairing
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import Family
from counterpoint.errors import CounterpointError
from counterpoint.estimators import EM, ScoreFunction
from counterpoint.evaluation import Score, compare, evaluate, passes, standard_bounds, write_csv
from counterpoint.evaluation.likelihood import run
from counterpoint.inference import ForwardBackward, Kalman, Prior
from counterpoint.models import HMM, LDS

FRAMES = np.array([[0.5], [-0.3], [1.2], [0.7]])
SYMBOLS = np.array([0, 1, 1])


def lds():
    """A scalar LDS whose log-likelihood is known in closed form."""
    one = jnp.ones((1, 1))
    return LDS.of(0.9 * one, 0.5 * one, one, 0.8 * one, jnp.zeros(1), one)


def hmm(start=(0.6, 0.4), move=((0.7, 0.3), (0.2, 0.8)), say=((0.9, 0.1), (0.2, 0.8))):
    """An HMM whose log-likelihood is known by hand."""
    logs = (jnp.log(jnp.asarray(a)) for a in (start, move, say))
    return HMM(*logs, Family("categorical", (2,)))


def forward(x):
    """log p(x) of that HMM by the forward recursion."""
    move, say = np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([[0.9, 0.1], [0.2, 0.8]])
    alpha = np.array([0.6, 0.4]) * say[:, x[0]]
    for symbol in x[1:]:
        alpha = (alpha @ move) * say[:, symbol]
    return np.log(alpha.sum())


def ragged():
    rng = np.random.default_rng(0)
    return Sequences(tuple(rng.integers(0, 2, n) for n in (7, 1, 4, 9, 1, 3, 6, 2, 7)))


def test_where_q_is_exact_more_particles_say_nothing_new():
    of = lambda q, estimator: list(standard_bounds(Pairing(hmm(), q, ELBO(), estimator), 4))
    assert of(ForwardBackward(), EM()) == ["ELBO"]
    assert of(Prior(), ScoreFunction(None)) == ["ELBO", "IWAE-4", "FIVO-4"]


def test_the_exact_values_without_noise(x64):
    # a closed-form KL is not what the drawn path pays: right on average, but not without noise, so none is taken
    bounds = {"elbo": ELBO(closed_form=True), "iwae": IWAE(3), "fivo": FIVO(3)}
    cases = [
        (lds(), Kalman(), FRAMES, -5.3458706416),
        (hmm(), ForwardBackward(), SYMBOLS, -2.0284290867),
    ]
    for p, q, x, exact in cases:
        for score in evaluate(p, q, Sequences((x,)), bounds, random.key(0), replicates=3).values():
            np.testing.assert_allclose(score.values, exact, atol=1e-8)
            np.testing.assert_allclose([score.per_step, score.per_sequence], exact / len(x), atol=1e-9)
            assert max(score.per_step_error, score.per_sequence_error) < 1e-9


@pytest.mark.slow
def test_every_sequence_keeps_its_place(x64, monkeypatch):
    data = ragged()
    want = [forward(x) for x in data.x]
    for batch_size, rows in ((2, 2**18), (32, 2)):
        monkeypatch.setattr(passes, "ROWS", rows)
        score = evaluate(hmm(), ForwardBackward(), data, {"b": IWAE(1)}, random.key(0), 2, batch_size)["b"]
        np.testing.assert_allclose(score.values, [want, want], atol=1e-10)
        np.testing.assert_array_equal(score.lengths, data.lengths)


@pytest.mark.slow
def test_memory_is_bounded_and_the_noise_does_not_depend_on_it(monkeypatch):
    data = Sequences(tuple(SYMBOLS for _ in range(5)))
    sizes, scores = [], []

    def spy(p, q, bound, batch, keys, together, defer):
        sizes.append((len(batch.valid), together, defer))
        return run(p, q, bound, batch, keys, together, defer)

    monkeypatch.setattr("counterpoint.evaluation.likelihood.run", spy)
    for rows in (2**18, 8, 3):
        monkeypatch.setattr(passes, "ROWS", rows)
        scores.append(evaluate(hmm(), Prior(), data, {"b": IWAE(4)}, random.key(0), 4, batch_size=1)["b"].values)
    assert sizes[::5] == [(1, 4, True), (1, 2, False), (1, 1, False)]
    np.testing.assert_allclose(scores, [scores[0]] * 3, atol=1e-5)
    monkeypatch.setattr(passes, "ROWS", 8)
    evaluate(hmm(), Prior(), data, {"b": IWAE(4)}, random.key(0), 4)
    assert sizes[-1] == (2, 1, False)


def test_both_averages_by_hand():
    score = Score(np.array([[-2.0, -9.0], [-4.0, -12.0]]), np.array([2, 6]))
    assert score.per_step == pytest.approx((-11 - 16) / 2 / 8)
    assert score.per_sequence == pytest.approx(np.mean([-1.0, -1.5, -2.0, -2.0]))
    assert score.per_step_error == pytest.approx(abs(-11 / 8 + 16 / 8) / 2)  # two values: half their distance
    assert score.per_sequence_error == pytest.approx(abs(-1.25 + 2.0) / 2)
    assert score.per_sequence_spread == pytest.approx(abs(-1.5 + 1.75) / 2)
    alone = Score(score.values[:1, :1], score.lengths[:1])
    assert np.isnan([alone.per_step_error, alone.per_step_spread, alone.per_sequence_spread]).all()


def test_the_spread_of_a_ratio_is_what_resampling_sequences_gives():
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 40, 200)
    totals = -lengths * rng.normal(1.0, 0.2, 200) - 3
    boot = rng.integers(0, 200, (4000, 200))
    want = (totals[boot].sum(1) / lengths[boot].sum(1)).std()
    score = Score(totals[None], lengths)
    assert score.per_step_spread == pytest.approx(want, rel=0.05)
    same = Score(totals[None], np.full(200, 20))
    assert same.per_step_spread == pytest.approx(same.per_sequence_spread)


def test_bounds_are_ordered_below_the_truth():
    data = Sequences(tuple(SYMBOLS for _ in range(64)))
    bounds = {"elbo": ELBO(), "iwae": IWAE(8)}
    low, high = evaluate(hmm(), Prior(), data, bounds, random.key(1), 8, batch_size=16).values()
    exact = -2.0284290867 / 3
    assert low.per_step + 3 * low.per_step_error < high.per_step < exact
    assert 0 < high.per_step_error < low.per_step_error
    pieces = low.values.reshape(8, 4, 16)  # neither batches nor replicates share their noise
    assert len(np.unique(pieces.reshape(32, 16), axis=0)) == 32


def test_a_warmup_does_not_count_and_a_score_stands_alone():
    data = Sequences((SYMBOLS,))
    warm = {"warm": ELBO(kl_weight=Warmup(100)), "elbo": ELBO()}
    warm, cold = evaluate(hmm(), Prior(), data, warm, random.key(0)).values()
    np.testing.assert_array_equal(warm.values, cold.values)


def test_missing_steps_count_as_steps(x64):
    x = np.array([0, 1, 1, 0])
    data = Sequences((x,), (np.array([True, True, True, False]),))
    score = evaluate(hmm(), ForwardBackward(), data, {"b": IWAE(1)}, random.key(0))["b"]
    np.testing.assert_allclose(score.values, forward(x[:3]), atol=1e-8)
    assert score.per_step == pytest.approx(forward(x[:3]) / 4)


def test_compare_by_hand():
    lengths = np.array([2, 4, 6])
    a = Score(np.array([[-1.0, -4.0, -9.0], [-3.0, -4.0, -9.0]]), lengths)
    b = Score(np.array([[-4.0, -6.0, -9.0]]), lengths)
    found = compare(a, b)  # differences 2, 2, 0
    assert found.per_step == pytest.approx(4 / 12)
    residues = np.array([2 - 2 / 3, 2 - 4 / 3, 0 - 2])
    assert found.per_step_error == pytest.approx(np.sqrt((residues**2).sum() / 2 / 3) / 4)
    assert found.per_sequence == pytest.approx(0.5)
    assert found.per_sequence_error == pytest.approx(np.std([1, 0.5, 0], ddof=1) / 3**0.5)
    assert found.per_sequence_z == pytest.approx(0.5 / found.per_sequence_error)
    assert found.per_step_z == pytest.approx((4 / 12) / found.per_step_error)
    assert compare(b, a).per_step_z == -found.per_step_z
    assert np.isnan(compare(a, a).per_step_z)
    with pytest.raises(CounterpointError, match="same sequences"):
        compare(a, Score(b.values, lengths[::-1]))


def test_the_table_comes_back(tmp_path):
    scores = {"elbo": Score(np.array([[-2.0, -9.1], [-4.0, -12.0]]), np.array([2, 6]))}
    scores["iwae, 8"] = Score(np.array([[-1 / 3, -7.0]]), np.array([2, 6]))
    write_csv(scores, ("a, b", "c"), tmp_path / "new" / "table.csv")
    with (tmp_path / "new" / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["steps"]) for row in rows] == [("a, b", "2"), ("c", "6")]
    assert [float(row["elbo nats"]) for row in rows] == [-3.0, (-9.1 - 12.0) / 2]
    assert [float(row["iwae, 8 nats per step"]) for row in rows] == [-1 / 3 / 2, -7 / 6]
    with pytest.raises(CounterpointError, match="3 names"):
        write_csv(scores, ("a", "b", "c"), tmp_path / "table.csv")
    with pytest.raises(CounterpointError, match="cannot write"):
        write_csv(scores, (), tmp_path / "new")


def test_one_program_per_bucket_shape(monkeypatch):
    traced = []

    class Counted(Prior):
        def propose(self, p, carry, context, x, key):
            traced.append(1)
            return super().propose(p, carry, context, x, key)

    data = Sequences(tuple(SYMBOLS for _ in range(9)))
    evaluate(hmm(), Counted(), data, {"b": ELBO()}, random.key(0), batch_size=2)
    once = len(traced)
    evaluate(jax.tree.map(lambda a: a * 2, hmm()), Counted(), data, {"b": ELBO()}, random.key(5), batch_size=2)
    assert len(traced) == once
