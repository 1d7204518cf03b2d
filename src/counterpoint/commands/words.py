"""What a run on dated texts is worth: MP and PP, beside what needs no model."""

from collections.abc import Mapping

import numpy as np

from counterpoint.core import Pairing
from counterpoint.data import Corpus
from counterpoint.data.views import Words
from counterpoint.errors import CounterpointError
from counterpoint.evaluation import WordPrediction, held_out_words, word_baselines
from counterpoint.evaluation.words import K
from counterpoint.report import table

COLUMNS = ("predicted by", "MP", "PP")
CAPTION = (
    "Precision at {k}{why}: the share of the {k} words expected most often that are among the {k} most frequent"
    " held-out ones, higher is better. MP is its mean over the years that were trained on, PP that of the year after"
    " them, which takes a test set. ± is the standard deviation over draws."
)


def dated(corpus: Corpus) -> bool:
    """Whether words are held out of the years of one sequence: then there is no frame to tell from its past alone."""
    return isinstance(corpus.view, Words) and bool(corpus.view.times) and len(corpus.train) == 1


def places(corpus: Corpus) -> int:
    """k of the precision: 50, or half of the words where that is fewer, for among all of them are any."""
    return max(1, min(K, len(corpus.view.vocabulary) // 2))


def precision(pairing: Pairing, corpus: Corpus, split: str, key, samples: int) -> WordPrediction:
    """MP and PP of the held-out words of "valid" or "test".

    Raises CounterpointError for "train", and as `held_out_words` does.
    """
    return held_out_words(pairing.p, pairing.q, corpus.train, held(corpus, split), key, samples, places(corpus))


def held(corpus: Corpus, split: str) -> np.ndarray:
    if split == "train":
        raise CounterpointError(f"{corpus.name}: no words are held out of the training set; give --split test")
    return getattr(corpus, split).x[0]


def words_table(found: Mapping[str, WordPrediction], corpus: Corpus, split: str, samples: int, title: str):
    """A table of predictions by name, each as single draws and as their mean, and of the baselines."""
    rows, k, words = [], places(corpus), len(corpus.view.vocabulary)
    for name, guess in found.items():
        one = [
            cell(draws.mean(), draws.std(ddof=1) if samples > 1 else None) for draws in (guess.mp_draws, guess.pp_draws)
        ]
        rows.append(dict(zip(COLUMNS, (f"{name}, one draw", *one))))
        rows.append(dict(zip(COLUMNS, (f"{name}, mean of {samples}", cell(guess.mp), cell(guess.pp)))))
    for name, pair in word_baselines(corpus.train.x[0], held(corpus, split), k).items():
        rows.append(dict(zip(COLUMNS, (f"words of {name}", *map(cell, pair)))))
    return table(rows, COLUMNS, title, CAPTION.format(k=k, why=f", half of the {words} words" if k < K else ""))


def cell(value: float, plus: float | None = None) -> str | None:
    if np.isnan(value):
        return None
    return f"{value:.3f}" + ("" if plus is None else f" ± {plus:.3f}")
