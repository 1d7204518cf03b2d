"""State of the Union addresses: Gan et al. 2015."""

from counterpoint.recipes.gan import LEARNING
from counterpoint.tables.table import Column, Row, Table

GAN = "Gan et al. 2015"
Pair = tuple[float, float]


def numbers(mean: Pair, last: Pair) -> dict[str, float | Pair]:
    return {"mean": mean, "last": last}


def ours(model: str) -> dict[str, str]:
    return dict.fromkeys(("mean", "last", "mean_many", "last_many"), f"sotu-{model}")


def baseline(title: str, name: str, *measures: str) -> Row:
    """A row that no model is needed for."""
    pairs = dict(zip(("mean", "last"), measures))
    return Row(title, dict.fromkeys(pairs, "sotu-hmsbn"), measures={key: f"{m} of {name}" for key, m in pairs.items()})


TABLE = Table(
    name="sotu",
    title="State of the Union",
    about=f"""\
Words of the addresses from 1790 to 2014, one document a year. Precision is the share of the 50 words that are expected
most often among the 50 that occur most often. MP is its mean over the training years, of which a fifth of the words was
held out; PP is that of the last year, all of which was. The paper's counts cannot be had: ours are rebuilt from the
texts by its filter, so the vocabulary differs: 2095 words where the paper has 2375, in 223 years (with the
three that NLTK's collection has and the package `sotu` has not). A tenth of the words
that are not held out validates, and is not trained on.

What the units of one such HMSBN speak of, and when: [topics](sotu-topics.md). Every run writes its own, topics.md and
topics.png.

One draw of the hidden units makes each prediction, as in the paper, and the numbers are means over 20 draws; in the
last two columns the prediction itself is the mean of 20. The baselines expect words as often as they occurred in all
training years, in the training words of the same year, or in those of the year before.

{LEARNING}""",
    columns=(
        Column("mean", "MP", "precision at 50, higher is better", "mean_precision", 3),
        Column("last", "PP", "precision at 50, higher is better", "predictive_precision", 3),
        Column("mean_many", "MP, mean of 20 draws", "the same", "mean_precision_mean", 3),
        Column("last_many", "PP, mean of 20 draws", "the same", "predictive_precision_mean", 3),
    ),
    rows=(
        Row("HMSBN, 25 units", ours("hmsbn"), numbers((0.327, 0.002), (0.353, 0.070)), GAN),
        Row("DHMSBN-S, 25-25 units", ours("dhmsbn-s"), numbers((0.299, 0.001), (0.378, 0.006)), GAN),
        Row("Softmax regression on the year before", ours("ar")),
        Row("GP-DPFA, 100 units", published=numbers((0.223, 0.001), (0.189, 0.003)), source=GAN),
        Row("DRFM, 25 units", published=numbers((0.217, 0.003), (0.177, 0.010)), source=GAN),
        baseline("Words of all years", "all years", "mean_precision", "predictive_precision"),
        baseline("Words of the year itself", "the year itself", "mean_precision"),
        baseline("Words of the year before", "the year before", "mean_precision", "predictive_precision"),
    ),
)
