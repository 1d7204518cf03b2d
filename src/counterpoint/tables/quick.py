"""A cut of a corpus and of a recipe: all the same parts and steps, in seconds."""

from dataclasses import replace

from counterpoint.data import Corpus
from counterpoint.recipes import Recipe

SEQUENCES, STEPS, EPOCHS = 8, 32, 2


def cut(corpus: Corpus) -> Corpus:
    """The first sequences of each split, and of those the first steps; what test has beyond train, as a year to be
    predicted, it keeps."""
    longer = max(0, int(corpus.test.lengths[0] - corpus.train.lengths[0])) if len(corpus.test) == 1 else 0
    train, valid = (part.first(SEQUENCES, STEPS) for part in (corpus.train, corpus.valid))
    return replace(corpus, train=train, valid=valid, test=corpus.test.first(SEQUENCES, STEPS + longer))


def shorten(recipe: Recipe, data: str) -> Recipe:
    """The recipe on other data, for a few epochs, and measured by the ELBO alone."""
    fit = recipe.fit
    fewer = replace(fit, epochs=EPOCHS, batch_size=min(fit.batch_size, SEQUENCES), buckets=1, validate=1)
    return replace(recipe, data=data, fit=fewer, particles=0)
