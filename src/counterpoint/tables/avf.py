"""Amortised variational filtering, one change at a time, after the claims of Marino et al. 2018."""

from counterpoint.recipes.ablations import RECIPES
from counterpoint.tables.table import Column, Row, Table

UNIT = "nats per step, higher is better"
COLUMNS = (
    Column("sequence", "ELBO", UNIT, "elbo_per_sequence", 3),
    Column("step", "ELBO, mean over steps", UNIT, "elbo_per_step", 3),
    Column("iwae", "IWAE-16", UNIT, "iwae_per_sequence", 3),
)


def row(name: str, about: str) -> Row:
    """A recipe, titled by what sets it apart."""
    title = about.removeprefix("A small SRNN, ")
    return Row(title[0].upper() + title[1:], {column.key: name for column in COLUMNS})


TABLE = Table(
    name="avf",
    title="Amortised variational filtering, one change at a time",
    about="""\
JSB chorales on the 2012 grid, a small SRNN (32 latent, 96 recurrent units): lower bounds on the log-likelihood of the
test chorales, whole, every step scored; the mean over sequences of nats by steps, and over all steps. One setting
changes from row to row; what is compared is posteriors and how they learn, and no number of print has this size. The
gap between IWAE-16 and ELBO shows how much of a bound is lost to the posterior.

Claims of Marino et al. 2018 that this looks at: that an SRNN wants the observation encoded beside gradients (appendix
B.1; elsewhere gradients do), that the mean is better layer-normalised, that the KL has to be warmed up, that more
iterations and more samples are better.

The p of all have 120 248 weights; q has 36 256 where it filters directly and 82 560 where it refines from gradients
alone, 129 664 with the notes (`counterpoint train RECIPE --dry-run` counts them), so that one row gives the direct
posterior as many.

Samples of q, by which a free energy and its gradient are told, lie two by two at either side of its mean here. Learning
q through time, so that it may serve the steps to come, is not in the paper, nor is teaching both voices by the pathwise
gradient, in which p learns through z as well.""",
    columns=COLUMNS,
    rows=tuple(row(recipe.name, recipe.about) for recipe in RECIPES),
)
