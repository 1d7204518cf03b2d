import io

import numpy as np
import pytest
from rich.console import Console

from counterpoint.report import busy, duration, table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.97, "10 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.7, "1 h 00 min"),
        (11220, "3 h 07 min"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_where_nothing_can_turn_what_takes_a_while_is_a_line():
    console = Console(file=io.StringIO(), width=20)
    with busy(console, "measuring what takes a while"):
        assert console.file.getvalue() == "measuring what takes a while\n"


def test_a_table_fits_80_columns():
    rows = [
        {"model": "TSBN " * 20, "bound": np.float32(-7.5), "published": -7.48, "epochs": 40, "note": None},
        {"model": "VRNN", "bound": float("nan"), "epochs": np.int64(7)},
    ]
    console = Console(width=80, file=io.StringIO())
    console.print(table(rows, ["model", "bound", "published", "epochs", "note"], title="Music", caption="nats"))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert all(part in text for part in ("Music", "nats", "-7.50", "-7.48", "40"))
    (last,) = (line for line in lines if "VRNN" in line)
    assert last.split() == ["VRNN", "–", "–", "7", "–"]
