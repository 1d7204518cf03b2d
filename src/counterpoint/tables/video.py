"""Video: SVG as in Marino et al. 2018, on videos that anyone can make."""

from counterpoint.tables.table import Column, Row, Table

MARINO = "Marino et al. 2018"


def row(title: str, recipe: str, paper: float) -> Row:
    """A posterior, and the paper's bound with it on KTH."""
    return Row(title, dict.fromkeys(("loss", "error"), recipe), {"paper": paper}, MARINO)


TABLE = Table(
    name="video",
    title="Video",
    about="""\
Moving MNIST, two digits in 64 x 64 pixels, drawn anew: 1000 videos to train with, 100 each to validate and to test, 20
frames each, of which every one is scored. Pixels are grey, between 0 and 1, so the first column is a cross-entropy, a
loss and not a likelihood: a bound's negative, the mean over frames and videos. The prediction error is the mean over
frames 2 to 20 and over test videos of the squared difference summed over pixels, between a frame and what is expected
of it given the frames before, with z drawn once. The network has an eighth of the published channels, for two cores.

The paper's numbers are free energies in nats a frame, of discretised Gaussians on the videos of KTH, and stand in a
column of their own: they cannot be compared with ours. `kth-svg` and `kth-svg-avf` are its sizes, for those who have
the videos and a GPU; the six videos of `kth_sample` show that they run, and nothing more. Both posteriors filter. The
iterative one reads no frame but by the gradient of its own free energy, and each of its updates costs several of the
other's; they are given the same videos and the same number of passes.""",
    columns=(
        Column("loss", "Negative bound", "a loss: nats per frame, lower is better", "negative_elbo", 1),
        Column("error", "Prediction error, one sample", "squared, lower is better", "prediction_error", 1),
        Column("paper", "KTH in the paper, not comparable", "nats per frame, lower is better", digits=0),
    ),
    rows=(
        row("SVG, direct filtering", "moving-mnist-svg", 15097),
        row("SVG, AVF, 1 iteration", "moving-mnist-svg-avf", 11714),
        Row("Copy of the last frame", {"error": "moving-mnist-svg"}, measures={"error": "copy_error"}),
    ),
)
