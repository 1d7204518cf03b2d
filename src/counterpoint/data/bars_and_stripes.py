"""Bars and stripes: pictures that are few enough to sum over, and far apart for a chain."""

import itertools

import numpy as np

from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Images
from counterpoint.errors import CounterpointError


def bars_and_stripes(side: int = 4) -> Corpus:
    """side x side pixels, each row all 0 or all 1 with probability 1/2, or each column (MacKay 2003): 2 (2^side)
    pictures, equally likely, of which two are all 0 and two all 1. Each of them once, in each of the three sets.

    Sequences (1, side^2) of one step, float32. Raises CounterpointError for a side below 1 or above 10.
    """
    if not 1 <= side <= 10:
        raise CounterpointError(f"bars_and_stripes: side is {side}; give 1 to 10, for the pictures double with each")
    lines = np.array(list(itertools.product([0, 1], repeat=side)), np.float32)
    bars = np.repeat(lines[:, :, None], side, 2)
    x = np.concatenate([bars, bars.swapaxes(1, 2)]).reshape(-1, 1, side * side)
    train, valid, test = (Sequences(tuple(x), what=f"bars_and_stripes, {s}") for s in ("train", "valid", "test"))
    note = "all pictures, as often as they are likely, to learn from, to validate and to test"
    view = Images(side, side)
    return Corpus("bars_and_stripes", train, valid, test, kind="binary", step="image", view=view, note=note)
