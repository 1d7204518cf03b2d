"""Polyphonic music: Gan et al. 2015, table 3, with the HMSBN of Krishnan et al. 2017."""

from counterpoint.tables.table import Column, Row, Table

CORPORA = {"piano": "Piano-midi.de", "nottingham": "Nottingham", "muse": "MuseData", "jsb": "JSB chorales"}
GAN = "Gan et al. 2015, table 3"


def ours(kind: str) -> dict[str, str]:
    """The recipes of one model."""
    return {key: f"{key}-{kind}" for key in CORPORA}


def numbers(*values: float) -> dict[str, float]:
    """In the order of CORPORA."""
    return dict(zip(CORPORA, values))


TABLE = Table(
    name="music",
    title="Polyphonic music",
    about="""\
Lower bounds on the log-likelihood of the test sequences in nats per step: higher is better. The grid of
Boulanger-Lewandowski et al. (2012), 88 notes, whole sequences, every step scored. The average is that of Gan et al.:
the mean over test sequences of nats by steps, so that every sequence counts alike. They draw one sample for each
sequence; ours is a mean of more draws, which has the same expectation. Each repeat is the one that was best on the
validation set by the bound it was trained on. Both baselines have no latent variables, so that theirs is the
log-likelihood itself.

RNN-NADE, RTRBM and RNN are quoted as Gan et al. print them. They are no bounds but log-likelihoods (the RTRBM's an
estimate), which their authors average over steps, so they stand here for orientation only. RNN-NADE on JSB is also
found as -5.19 (Fraccaro et al. 2016, Krishnan et al. 2017).""",
    columns=tuple(
        Column(key, title, "nats per step, higher is better", "elbo_per_sequence") for key, title in CORPORA.items()
    ),
    rows=(
        Row("TSBN, order 1, 100 units", ours("tsbn"), numbers(-7.98, -3.67, -6.81, -7.48), GAN),
        Row(
            "HMSBN, 100 units",
            ours("hmsbn"),
            numbers(-9.786, -5.1231, -8.9012, -7.9970),
            "run by Krishnan et al. 2017, table 3, numbers in braces",
        ),
        Row("RNN-NADE", published=numbers(-7.05, -2.31, -5.60, -5.56), source=GAN),
        Row("RTRBM", published=numbers(-7.36, -2.62, -6.35, -6.35), source=GAN),
        Row("RNN", published=numbers(-8.37, -4.46, -8.13, -8.71), source=GAN),
        Row("Logistic regression on the last frame", ours("ar")),
        Row("Independent notes", ours("ar"), measures=dict.fromkeys(CORPORA, "marginal_per_sequence")),
    ),
)
