"""A cut of a corpus and of a recipe: all the same parts and steps, in seconds."""

from dataclasses import replace

from counterpoint.data import Corpus, Sequences
from counterpoint.recipes import Recipe

SEQUENCES, STEPS, EPOCHS = 8, 32, 2


def cut(corpus: Corpus) -> Corpus:
    """The first sequences of each split, and of those the first steps."""

    def begin(group: Sequences) -> Sequences:
        few = group.take(range(min(SEQUENCES, len(group))))
        seen = None if few.observed is None else tuple(a[:STEPS] for a in few.observed)
        return replace(few, x=tuple(a[:STEPS] for a in few.x), observed=seen)

    return replace(corpus, train=begin(corpus.train), valid=begin(corpus.valid), test=begin(corpus.test))


def shorten(recipe: Recipe, data: str) -> Recipe:
    """The recipe on other data, for a few epochs, and measured by the ELBO alone."""
    fit = recipe.fit
    fewer = replace(fit, epochs=EPOCHS, batch_size=min(fit.batch_size, SEQUENCES), buckets=1, validate=1)
    return replace(recipe, data=data, fit=fewer, particles=0)
