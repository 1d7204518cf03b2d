"""Speech: the models of Marino et al. 2018, table 1, on free recordings."""

from counterpoint.tables.table import Column, Row, Table

CORPORA = {"speech": "TIMIT's sample", "digits": "Spoken digits"}
UNIT = "nats per step of 200 samples, higher is better"
MARINO = "Marino et al. 2018, table 1"


def row(title: str, model: str, paper: float | None = None) -> Row:
    """A model, and what the paper has of it on TIMIT."""
    ours = {f"{key}{which}": f"{key}-{model}" for key in CORPORA for which in ("", "_recording")}
    return Row(title, ours) if paper is None else Row(title, ours, {"paper": paper}, MARINO)


TABLE = Table(
    name="speech",
    title="Speech",
    about="""\
Lower bounds on the log-probability of the test recordings, whole, every step scored: samples of 16 bits in windows of
200, each a Gaussian's mass in its cell, so that a number is minus what an ideal code of the samples takes. The paper's
are on TIMIT (6300 recordings), which is not free, with far larger models, and stand in a column of their own: they
cannot be compared with ours. `timit-vrnn`, `timit-srnn` and their `-avf` are the full sizes, for those who have it.

Ours are on its sample in NLTK (16 speakers, split by region: 12 train, 2 validate, 2 test) and on the Free Spoken Digit
Dataset (6 speakers: 4, 1 and 1). With so few speakers a number tells of those who test as much as of a model; compare
within a column. The first two columns are means over all steps, the next two let every recording count alike. All
posteriors filter; the iterative ones have more parameters, cost more an update, and learn at a third of the rate, for
at that of the others one of three fell apart.""",
    columns=(
        *(Column(key, title, UNIT, "elbo_per_step", 1) for key, title in CORPORA.items()),
        *(
            Column(f"{key}_recording", f"{title}, by recording", "the same", "elbo_per_sequence", 1)
            for key, title in CORPORA.items()
        ),
        Column("paper", "TIMIT in the paper, not comparable", UNIT, digits=0),
    ),
    rows=(
        row("VRNN, direct filtering", "vrnn", -1082),
        row("VRNN, AVF, 1 iteration", "vrnn-avf", -1105),
        row("VRNN, AVF, 2 iterations", "vrnn-avf-2", -1071),
        row("SRNN, direct filtering", "srnn", -1026),
        row("SRNN, AVF, 1 iteration", "srnn-avf", -1024),
        row("SRNN, AVF, 2 iterations", "srnn-avf-2"),
        row("Linear regression on the last window", "ar"),
        row("Independent windows", "independent"),
    ),
)
