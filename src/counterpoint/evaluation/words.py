"""Prediction of held-out words: the topic experiment of Gan et al. 2015 (sec. 5.4), on counts of words by year.

    precision(y, x) = |top50(y) ∩ top50(x)| / 50,   y predicted probabilities, x true counts
    MP = mean_t precision(E[x_t | h_t], held-out words of year t),      h_t ~ q(. | training words), t = 1 .. T
    PP = precision(E[x_T+1 | h_T+1], words of year T + 1),              h_T ~ q, h_T+1 ~ p(. | h_T)

The held-out counts of a year have many ties at the 50th place, and fewer than 50 words where they are few; the
paper's code then takes what its sort puts first. Here words tied at the last place share what places are left: with 3
places for 12 words each is in by 1/4, on either side. That is the paper's formula averaged over the order of tied
words, so it depends on no order. A word that does not occur is never among the true ones; where fewer than 50 occur,
not even a perfect prediction reaches 1, for the paper divides by 50 all the same.
"""

from dataclasses import dataclass

import numpy as np
from jax import random

from counterpoint.core import AbstractDirected, AbstractPosterior
from counterpoint.data.sequences import Sequences
from counterpoint.errors import CounterpointError
from counterpoint.evaluation.generation import reconstruct
from counterpoint.evaluation.prediction import predict

K = 50


@dataclass(frozen=True)
class WordPrediction:
    """MP and PP, of the prediction averaged over S draws and of each draw alone. PP is NaN without a year to predict.

    The paper takes one draw: compare its numbers with the mean of `mp_draws` and `pp_draws`, whose spread is that
    of the draws. Averaging predicts better for that alone.

    shares (T, M), or (T + 1, M) with the year to predict: of each word, as predicted, averaged over draws.
    """

    mp: float
    pp: float
    mp_draws: np.ndarray  # (S,)
    pp_draws: np.ndarray  # (S,)
    shares: np.ndarray


def held_out_words(
    p: AbstractDirected,
    q: AbstractPosterior,
    train: Sequences,
    held: np.ndarray,
    key,
    samples: int = 20,
    k: int = K,
) -> WordPrediction:
    """MP and PP of a pair trained on one sequence of counts, `train.x[0]` (T, M).

    held  (T, M) counts of words held out of the same years, or (T + 1, M) with the year to predict as the last row:
          `valid.x[0]` and `test.x[0]` of a corpus of texts

    Predictions are likelihood means by year, each divided by its sum, averaged over the S = `samples` draws.

    Raises CounterpointError for other shapes, where nothing is held out, where p's likelihood cannot give the counts,
    and for a q that looks ahead where there is a year to predict.
    """
    if len(train) != 1:
        raise CounterpointError(f"{train.what}: held-out words are predicted from one sequence; this has {len(train)}")
    x = train.x[0]
    _check(x, held)
    if samples < 1:
        raise CounterpointError(f"held-out words: {samples} samples; give at least 1")
    ahead = len(held) > len(x)
    longer = Sequences((np.concatenate([x, x[-1:]]),), what=train.what)  # what the frame to predict holds is not used
    years, last = np.zeros(x.shape), np.zeros(x.shape[1])
    mp, pp = np.full(samples, np.nan), np.full(samples, np.nan)
    for i, draw in enumerate(random.split(key, samples)):
        of_years, of_last = random.split(draw)
        guess = _normalised(reconstruct(p, q, train, of_years)[0])
        mp[i] = mean_precision(guess, held[: len(x)], k)
        years += guess / samples
        if ahead:
            guess = _normalised(predict(p, q, longer, of_last).frames[0][-1])
            pp[i] = precision(guess, held[-1], k)
            last += guess / samples
    whole = precision(last, held[-1], k) if ahead else float("nan")
    shares = np.concatenate([years, last[None]]) if ahead else years
    return WordPrediction(mean_precision(years, held[: len(x)], k), whole, mp, pp, shares)


def word_baselines(train: np.ndarray, held: np.ndarray, k: int = K) -> dict[str, tuple[float, float]]:
    """(MP, PP) of what needs no model, to stand beside every model: counts as in `held_out_words`, NaN where none.

    "all years"         the training words of all years together
    "the year itself"   the other words of the same year; for PP there are none
    "the year before"   the training words of the year before; MP from the second year on

    Raises CounterpointError for other shapes, and where nothing is held out.
    """
    _check(train, held)
    within, nan = held[: len(train)], float("nan")
    total = train.sum(0)
    following = len(held) > len(train)
    return {
        "all years": (
            mean_precision(np.broadcast_to(total, train.shape), within, k),
            precision(total, held[-1], k) if following else nan,
        ),
        "the year itself": (mean_precision(train, within, k), nan),
        "the year before": (
            mean_precision(train[:-1], within[1:], k) if within[1:].any() else nan,
            precision(train[-1], held[-1], k) if following else nan,
        ),
    }


def mean_precision(probabilities: np.ndarray, counts: np.ndarray, k: int = K) -> float:
    """mean_t precision(probabilities_t, counts_t), over the years of (T, M) in which a word is held out.

    Raises CounterpointError where there is none, and for differing shapes or fewer than k words.
    """
    if probabilities.shape != counts.shape:
        raise CounterpointError(
            f"predictions of shape {probabilities.shape} for counts of shape {counts.shape}; give a row for each year"
        )
    rows = [precision(guess, true, k) for guess, true in zip(probabilities, counts) if true.any()]
    if not rows:
        raise CounterpointError("no year has a held-out word; hold out more of them")
    return float(np.mean(rows))


def precision(probabilities: np.ndarray, counts: np.ndarray, k: int = K) -> float:
    """|topk(probabilities) ∩ topk(counts)| / k over M words, both (M,), ties as told above.

    Raises CounterpointError for fewer than k words.
    """
    return float((_top(probabilities, k) * _top(counts, k) * (counts > 0)).sum() / k)


def _top(scores: np.ndarray, k: int) -> np.ndarray:
    """(M,) by how much each word is among the k highest: 1, 0, or a share of the places that tied words compete for."""
    if not 1 <= k <= len(scores):
        raise CounterpointError(
            f"precision at {k} of {len(scores)} words: it is for 1 to as many as there are; give texts with more"
        )
    bar = np.partition(scores, -k)[-k]  # what is at place k
    above, tied = scores > bar, scores == bar
    return above + tied * (k - above.sum()) / tied.sum()


def _normalised(mean: np.ndarray) -> np.ndarray:
    mean = np.asarray(mean, float)
    return mean / mean.sum(-1, keepdims=True)


def _check(train: np.ndarray, held: np.ndarray) -> None:
    fits = train.ndim == held.ndim == 2 and train.shape[1] == held.shape[1] and len(held) - len(train) in (0, 1)
    if not fits:
        raise CounterpointError(
            f"training counts of shape {train.shape} and held-out counts of shape {held.shape}; give (T, M) and"
            " (T, M), or (T + 1, M) where the last year is to be predicted"
        )
