"""Polyphonic music on the grid of Fraccaro et al. 2016."""

from counterpoint.tables.table import Column, Row, Table

CORPORA = {"piano": "Piano-midi.de", "nottingham": "Nottingham", "muse": "MuseData", "jsb": "JSB chorales"}
UNIT = "nats per step, higher is better"

TABLE = Table(
    name="srnn-music",
    title="Polyphonic music, the SRNN's own grid",
    about="""\
Lower bounds on the log-likelihood of the test pieces, whole, every step scored. Their grid has other frames than that
of the table "music" (a chorale of T frames there has 2 T - 1 here), so no number of one stands beside one of the other.
It is where the 8.20, 6.28, 4.74 and 2.94 come from that Marino et al. 2018 quote as their baseline: of a posterior that
smooths, which has heard the rest of the piece.

Training takes 16 streams of pieces joined end to end, in crops of 100 steps that hand their state on, and validation
takes such streams whole. The model is not told the frame before the first, which the paper's is. The paper averages
over crops of 100 steps, nearly the mean over all steps of all pieces, which stands in the first columns; in the others
every piece counts alike.""",
    columns=(
        *(Column(key, title, UNIT, "elbo_per_step") for key, title in CORPORA.items()),
        *(
            Column(f"{key}_piece", f"{title}, by piece", "the same", "elbo_per_sequence")
            for key, title in CORPORA.items()
        ),
    ),
    rows=(
        Row(
            "SRNN, smoothing, Res_q",
            {f"{key}{which}": f"{key}-srnn-smoothing" for key in CORPORA for which in ("", "_piece")},
            dict(zip(CORPORA, (-8.20, -2.94, -6.28, -4.74))),
            "Fraccaro et al. 2016, table 2",
        ),
    ),
)
