"""State of the Union addresses: Gan et al. 2015."""

from counterpoint.tables.table import Column, Row, Table

GAN = "Gan et al. 2015"
Pair = tuple[float, float]


def numbers(mean: Pair, last: Pair) -> dict[str, float | Pair]:
    return {"mean": mean, "last": last}


def ours(model: str) -> dict[str, str]:
    return dict.fromkeys(("mean", "last"), f"sotu-{model}")


TABLE = Table(
    name="sotu",
    title="State of the Union",
    about="""\
Words of the addresses from 1790 to 2014, one document a year. Precision is the share of the 50 words that are expected
most often among the 50 that occur most often. MP is its mean over the training years, of which a fifth of the words was
held out; PP is that of the last year, all of which was. The paper's counts cannot be had: ours are rebuilt from the
texts by its filter, so the vocabulary differs.""",
    columns=(
        Column("mean", "MP", "precision at 50, higher is better", "mean_precision", 3),
        Column("last", "PP", "precision at 50, higher is better", "predictive_precision", 3),
    ),
    rows=(
        Row("HMSBN, 25 units", ours("hmsbn"), numbers((0.327, 0.002), (0.353, 0.070)), GAN),
        Row("DHMSBN-S, 25-25 units", ours("dhmsbn-s"), numbers((0.299, 0.001), (0.378, 0.006)), GAN),
        Row("GP-DPFA, 100 units", published=numbers((0.223, 0.001), (0.189, 0.003)), source=GAN),
        Row("DRFM, 25 units", published=numbers((0.217, 0.003), (0.177, 0.010)), source=GAN),
    ),
)
