"""A spiral in the plane: points that a model has to find the shape of, and that can be looked at."""

import numpy as np

from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.errors import CounterpointError

TURN, NOISE = 1.5 * np.pi, 0.5  # angle and radius at the inner end; deviation across, before scaling


def swiss_roll(train: int = 5000, valid: int = 1000, test: int = 1000, seed: int = 0) -> Corpus:
    """Points a (cos a, sin a) + N(0, NOISE^2 I) with a uniform on TURN (1 .. 3), less their mean and divided by their
    deviation, those of the distribution itself: sequences (1, 2) of one step, float32, of variance about 1.

    Raises CounterpointError for less than one point.
    """
    rng, splits = np.random.default_rng(seed), {}
    angles = TURN * (1 + 2 * (np.arange(100_000) + 0.5) / 100_000)
    spiral = lambda a: np.stack([a * np.cos(a), a * np.sin(a)], -1)
    centre = spiral(angles).mean(0)
    deviation = np.sqrt(((spiral(angles) - centre) ** 2).mean() + NOISE**2)
    for split, count in (("train", train), ("valid", valid), ("test", test)):
        if count < 1:
            raise CounterpointError(f"swiss_roll: {split} is {count}; give at least 1")
        points = spiral(TURN * (1 + 2 * rng.random(count))) + NOISE * rng.normal(size=(count, 2))
        scaled = ((points - centre) / deviation).astype(np.float32)
        splits[split] = Sequences(tuple(scaled[:, None]), what=f"swiss_roll, {split}")
    return Corpus("swiss_roll", **splits, kind="real", step="point", note=f"drawn with seed {seed}")
