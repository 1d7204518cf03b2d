"""A cut of a corpus and of a recipe: all the same parts and steps, in seconds."""

from dataclasses import replace

from counterpoint.data import Corpus, Sequences
from counterpoint.recipes import Recipe

SEQUENCES, STEPS, EPOCHS = 8, 32, 2


def cut(corpus: Corpus) -> Corpus:
    """The first sequences of each split, and of those the first steps; what test has beyond train, as a year to be
    predicted, it keeps."""
    longer = max(0, int(corpus.test.lengths[0] - corpus.train.lengths[0])) if len(corpus.test) == 1 else 0

    def begin(group: Sequences, steps: int = STEPS) -> Sequences:
        few = group.take(range(min(SEQUENCES, len(group))))
        seen = None if few.observed is None else tuple(a[:steps] for a in few.observed)
        return replace(few, x=tuple(a[:steps] for a in few.x), observed=seen)

    parts = {"train": begin(corpus.train), "valid": begin(corpus.valid), "test": begin(corpus.test, STEPS + longer)}
    return replace(corpus, **parts)


def shorten(recipe: Recipe, data: str) -> Recipe:
    """The recipe on other data, for a few epochs, and measured by the ELBO alone."""
    fit = recipe.fit
    fewer = replace(fit, epochs=EPOCHS, batch_size=min(fit.batch_size, SEQUENCES), buckets=1, validate=1)
    return replace(recipe, data=data, fit=fewer, particles=0)
