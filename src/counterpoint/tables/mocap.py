"""Motion capture: Gan et al. 2015."""

from counterpoint.recipes.gan import LEARNING
from counterpoint.tables.table import Column, Row, Table

WALK, RUN = "35_29", "35_18"  # the two test sequences of CMU's subject 35
OURS = "59 features, squared error, lower is better"
PAPER = "58 features of another scale, squared error"
MIT = "squared error, lower is better"
GAN = "Gan et al. 2015"
Pair = tuple[float, float]
MITS = ("mit", "mit_many")


def ours(model: str) -> dict[str, str]:
    """The recipes of one model."""
    return {"walk": f"cmu-{model}", "run": f"cmu-{model}", **dict.fromkeys(MITS, f"mit-{model}")}


def zero(title: str, model: str) -> Row:
    """One of CMU's as the paper starts it."""
    return Row(f"{title}, started at W4 = 0", dict.fromkeys(("walk", "run"), f"cmu-zero-{model}"))


def numbers(walk: Pair, run: Pair, mit: Pair | None = None) -> dict[str, float | Pair]:
    found: dict[str, float | Pair] = {"walk_paper": walk, "run_paper": run}
    return found if mit is None else found | {"mit": mit}


TABLE = Table(
    name="mocap",
    title="Motion capture",
    about=f"""\
The error of predicting each frame from those before it: squared difference summed over dimensions, mean over frames 2
to T of a sequence. The hidden units are drawn once for each prediction, as in the paper, and the error is the mean over
100 such draws of a sequence, or of 25 for each of MIT's four. The linear dynamical system and the HMM, learned by
expectation maximisation, draw nothing: their prediction is E[x_t | x_<t] itself. A draw of a Boltzmann machine is one
sweep of its chain from the frame before, by which it has learned; its deviations, which print keeps at 1, are learned.

CMU: subject 35, one walk and one run to test. Of the 31 other sequences, on which the paper trains, one run and two
walks validate here. The paper's 58 features cannot be had. Ours are the 59 of Taylor et al., each scaled to variance
one over those 31. So the paper's numbers are on another scale, stand in columns of their own, and cannot be compared
with ours; compare ours with regression and the copy. Our networks there, but the HMSBN, and regression add what they
say to the last frame, W4 = I + what is learned, and weight decay draws them towards its copy: subject 35 has few runs,
and started at W4 = 0, as in the paper, of the networks the DTSBN-D alone learned to copy one, not with every seed;
regression, whose scales do not move with the frame before, learns more than a copy from there. RTRBMs begin at no copy:
the frame before speaks to them through their hidden units alone. The scale of a Gaussian is the softplus of its number
here; print has the logarithm of a variance or a deviation.

MIT: features and split as in the code of the paper, which scales over training and test frames together; the last three
of its 35 training sequences validate here. The error is the mean over the four test sequences; in the last column the
prediction is the mean of 50 draws, which is better for that alone.

Each repeat is the one that predicts the validation sequences best, by the same error. The bound is no guide here: where
data are few it falls as soon as p is too sure of what it says, while what it says still gets better. Those started at
W4 = 0 alone were chosen by the bound.

{LEARNING}""",
    columns=(
        Column("walk", "CMU walk", OURS, f"prediction_error:{WALK}"),
        Column("run", "CMU run", OURS, f"prediction_error:{RUN}"),
        Column("walk_paper", "CMU walk in the paper, not comparable", PAPER),
        Column("run_paper", "CMU run in the paper, not comparable", PAPER),
        Column("mit", "MIT", MIT, "prediction_error"),
        Column("mit_many", "MIT, mean of 50 draws", MIT, "prediction_error_mean"),
    ),
    rows=(
        Row("DTSBN-S", ours("dtsbn-s"), numbers((4.40, 0.28), (2.56, 0.40), (3.71, 0.03)), GAN),
        Row("DTSBN-D", ours("dtsbn-d"), numbers((4.62, 0.01), (2.84, 0.01), (4.19, 0.01)), GAN),
        Row("TSBN", ours("tsbn"), numbers((5.12, 0.50), (4.85, 1.26), (3.86, 0.02)), GAN),
        Row("HMSBN", ours("hmsbn"), numbers((10.77, 1.15), (7.39, 0.47), (17.49, 0.20)), GAN),
        Row("ss-SRTRBM", ours("ss-srtrbm"), numbers((8.13, 0.06), (5.88, 0.05)), source=GAN),
        Row("G-RTRBM", ours("rtrbm"), numbers((14.41, 0.38), (10.91, 0.27)), GAN),
        Row("Conditional RBM, 3 lags", ours("crbm")),
        Row("Factored conditional RBM, 3 lags, 4 styles", ours("fcrbm")),
        Row("Linear dynamical system, 40 dimensions", ours("lds")),
        Row("HMM, 25 states", ours("hmm")),
        Row("Linear regression on the last frame", ours("ar")),
        zero("DTSBN-S", "dtsbn-s"),
        zero("DTSBN-D", "dtsbn-d"),
        zero("TSBN", "tsbn"),
        zero("Linear regression on the last frame", "ar"),
        Row(
            "Copy of the last frame",
            ours("ar"),
            measures={"walk": f"copy_error:{WALK}", "run": f"copy_error:{RUN}", **dict.fromkeys(MITS, "copy_error")},
        ),
    ),
)
