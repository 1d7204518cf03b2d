"""Bouncing balls: Gan et al. 2015, table 1 of the supplement."""

from counterpoint.recipes.gan import LEARNING
from counterpoint.tables.table import Column, Row, Table

ERROR = "squared error summed over 900 pixels, lower is better"
GAN = "Gan et al. 2015, supplement, table 1"


def row(title: str, recipe: str, error: tuple[float, float], loss: tuple[float, float]) -> Row:
    """A model of the paper that we run."""
    return Row(title, dict.fromkeys(("error", "mean", "loss"), recipe), {"error": error, "loss": loss}, GAN)


def machine(title: str, recipe: str, error: tuple[float, float]) -> Row:
    """One whose likelihood has a Z of every frame."""
    return Row(title, dict.fromkeys(("error", "mean"), recipe), {"error": error}, GAN)


TABLE = Table(
    name="balls",
    title="Bouncing balls",
    about=f"""\
Videos of three balls, 100 frames of 30 x 30 pixels, drawn anew by the rules of Sutskever's generator. The paper trains
on 4000 and tests on 200, without validation; here 200 of the 4000 validate. Pixels are grey, between 0 and 1, so the
negative log-likelihood is a cross-entropy, a loss and not a likelihood: a bound's negative, the mean over frames and
videos, from one draw for each video in the paper and several here, which have the same expectation.

The prediction error is the mean over frames 2 to 100 and over test videos of the squared difference summed over pixels,
between a frame and what is expected of it given the frames before. The paper draws the hidden units of that expectation
once; the mean over 50 draws is smaller for that alone, and stands in a column of its own. The paper's code for order 1
gives its prediction the very frame that it predicts, which may make errors of order 1 smaller or larger; ours sees the
frames before only. Each draw of a Boltzmann machine is the end of a chain of two sweeps from the frame before, of which
it has learned by contrastive divergence; its likelihood is known up to a Z of every frame, and has no column. Its
checkpoint is the best by the first column, where that of a network is the best by its bound.

{LEARNING}""",
    columns=(
        Column("error", "Prediction error, one sample", ERROR, "prediction_error"),
        Column("mean", "Prediction error, mean of 50 samples", ERROR, "prediction_error_mean"),
        Column("loss", "Negative log-likelihood", "a loss: nats per frame, lower is better", "negative_elbo"),
    ),
    rows=(
        row("DTSBN-S, order 2, 100-100 units", "balls-dtsbn-s-2", (2.79, 0.39), (69.29, 1.52)),
        row("DTSBN-D, order 2, 100-100 units", "balls-dtsbn-d-2", (2.99, 0.42), (70.47, 1.52)),
        row("DTSBN-S, order 1, 100-100 units", "balls-dtsbn-s-1", (10.39, 0.38), (78.63, 0.92)),
        row("TSBN, order 4, 100 units", "balls-tsbn-4", (3.07, 0.40), (70.41, 1.55)),
        row("TSBN, order 2, 100 units", "balls-tsbn-2", (4.00, 0.45), (73.32, 1.75)),
        row("TSBN, order 1, 100 units", "balls-tsbn-1", (9.48, 0.38), (77.71, 0.83)),
        row("HMSBN, 100 units", "balls-hmsbn", (23.94, 0.41), (86.27, 0.80)),
        machine("RTRBM, 3750 units, ours 800", "balls-rtrbm", (3.88, 0.33)),
        machine("SRTRBM, 3750 units, ours 800", "balls-srtrbm", (3.31, 0.33)),
        row("Logistic regression on two frames", "balls-ar-2", (3.63, 0.42), (73.80, 1.46)),
        row("Logistic regression on the last frame", "balls-ar-1", (11.01, 0.24), (93.61, 0.67)),
        Row("Copy of the last frame", {"error": "balls-ar-1"}, measures={"error": "copy_error"}),
    ),
)
