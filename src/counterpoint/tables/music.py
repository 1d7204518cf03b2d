"""Polyphonic music: Gan et al. 2015, table 3, with an HMSBN of Krishnan et al. 2017 and SRNNs of Marino et al. 2018."""

from counterpoint.recipes.gan import LEARNING
from counterpoint.tables.table import Column, Row, Table

CORPORA = {"piano": "Piano-midi.de", "nottingham": "Nottingham", "muse": "MuseData", "jsb": "JSB chorales"}
GAN = "Gan et al. 2015, table 3"
MARINO = "Marino et al. 2018, table 3"
KRISHNAN = "Krishnan et al. 2017, table 3"


def ours(kind: str) -> dict[str, str]:
    """The recipes of one model."""
    return {key: f"{key}-{kind}" for key in CORPORA}


def numbers(*values: float) -> dict[str, float]:
    """In the order of CORPORA."""
    return dict(zip(CORPORA, values))


def srnn(title: str, recipes: dict[str, str], published: dict[str, float]) -> tuple[Row, ...]:
    """A row of whole sequences, one over steps, and one without their first frames."""
    later, steps = (dict.fromkeys(recipes, name) for name in ("later_frames_per_sequence", "elbo_per_step"))
    return (
        Row(title, recipes, published, MARINO),
        Row(f"{title}, over steps", recipes, measures=steps),
        Row(f"{title}, as their code scores", recipes, measures=later),
    )


def over_steps(title: str, kind: str, measure: str, published: dict[str, float], source: str = GAN) -> tuple[Row, Row]:
    """A row over steps, as others have published, and one of sequences, as the rest of the table has it."""
    sequences, steps = (dict.fromkeys(CORPORA, f"{measure}_per_{each}") for each in ("sequence", "step"))
    return (
        Row(f"{title}, over steps", ours(kind), published, source, steps),
        Row(title, ours(kind), measures=sequences),
    )


TABLE = Table(
    name="music",
    title="Polyphonic music",
    about=f"""\
Lower bounds on the log-likelihood of the test sequences in nats per step: higher is better. The grid of
Boulanger-Lewandowski et al. (2012), 88 notes, whole sequences, every step scored. The average is that of Gan et al.:
the mean over test sequences of nats by steps, so that every sequence counts alike. They draw one sample for each
sequence; ours is a mean of more draws, which has the same expectation. Each repeat is the one that was best on the
validation set by the bound it was trained on. RNN, LSTM, those with NADE and both baselines have no latent variables,
and the posterior of the HMM, which expectation maximisation learns, is exact: theirs is the log-likelihood itself.

RNN-NADE, RTRBM and RNN are quoted as Gan et al. print them. They are no bounds but log-likelihoods (the RTRBM's an
estimate), presumably means over steps, total nats by total steps, and so stand in rows of that average; their own
papers were not read. The two averages differ by up to 0.8 nats, so compare within a row. RNN-NADE on JSB is also
found as -5.19 (Fraccaro et al. 2016, Krishnan et al. 2017). Its authors train by Hessian-free optimisation; here it
is Adam. RNN-RBM is quoted at second hand, from papers that quote Boulanger-Lewandowski et al. (2012), which was not
read; whether theirs is an estimate that flatters is not known. The LSTM, whose notes are independent given the past,
is quoted from Bai et al. 2018, whose average is not stated. Elsewhere LSTMs have -5.87, -2.55, -5.19 and -6.48 as
means over frames, at second hand and said to be autoregressive, perhaps within a frame too.

RTRBM and RNN-RBM are known up to a Z of every step. Annealed importance sampling, with a chain of 500 temperatures at
each step, is on average above the log-likelihood, and the published number is of its kind; "from below" is the
log-probability of a model that generates by such chains, bounded from below by one that runs from the datum. How far
the two rows are apart says how well Z is known.

The deep Markov model is that of Krishnan et al. 2017, whose posterior smooths; they report both averages.

The SRNNs are those of Marino et al. 2018, whose posteriors see no future: direct filtering, and amortised variational
filtering with one and with five iterations a step, learned from random crops of 25 steps. The iterative network reads
the notes beside the gradients, which the paper found necessary. They average over sequences, too; their
public code scores all frames of a test sequence but the first and divides by the number of all, by which a number looks
better than it is by one step in each. Ours are given scored so, too ("as their code scores"). Whether the printed ones
came from that code is not known.

{LEARNING}""",
    columns=tuple(
        Column(key, title, "nats per step, higher is better", "elbo_per_sequence") for key, title in CORPORA.items()
    ),
    rows=(
        Row("TSBN, order 1, 100 units", ours("tsbn"), numbers(-7.98, -3.67, -6.81, -7.48), GAN),
        Row(
            "HMSBN, 100 units",
            ours("hmsbn"),
            numbers(-9.786, -5.1231, -8.9012, -7.9970),
            f"run by {KRISHNAN}, numbers in braces",
        ),
        *srnn("SRNN, direct filtering", ours("srnn"), numbers(-8.19, -3.19, -6.27, -6.92)),
        *srnn("SRNN, AVF, 1 iteration", ours("srnn-avf"), numbers(-8.12, -3.13, -5.99, -6.97)),
        *srnn("SRNN, AVF, 5 iterations", {"jsb": "jsb-srnn-avf-5"}, {"jsb": -6.77}),
        Row("DMM, smoothing", ours("dmm"), numbers(-8.246, -2.954, -6.203, -6.856), f"{KRISHNAN}, numbers in braces"),
        Row(
            "DMM, smoothing, over steps",
            ours("dmm"),
            numbers(-7.980, -2.964, -6.989, -6.926),
            f"{KRISHNAN}, numbers in brackets",
            dict.fromkeys(CORPORA, "elbo_per_step"),
        ),
        *over_steps("RNN-NADE", "rnn-nade", "elbo", numbers(-7.05, -2.31, -5.60, -5.56)),
        *over_steps("RTRBM, annealed importance sampling", "rtrbm", "ais", numbers(-7.36, -2.62, -6.35, -6.35)),
        *over_steps("RTRBM, from below", "rtrbm", "annealed", {}),
        *over_steps(
            "RNN-RBM, annealed importance sampling",
            "rnn-rbm",
            "ais",
            {"nottingham": -2.39, "jsb": -6.27},
            "Boulanger-Lewandowski et al. 2012, at second hand (JSB as quoted for Coconet)",
        ),
        *over_steps("RNN-RBM, from below", "rnn-rbm", "annealed", {}),
        *over_steps("RNN", "rnn", "elbo", numbers(-8.37, -4.46, -8.13, -8.71)),
        *over_steps("LSTM", "lstm", "elbo", {"nottingham": -3.29, "jsb": -8.45}, "Bai et al. 2018, table 1"),
        Row("HMM, 50 states", ours("hmm")),
        Row("Logistic regression on the last frame", ours("ar")),
        Row("Independent notes", ours("ar"), measures=dict.fromkeys(CORPORA, "marginal_per_sequence")),
    ),
)
