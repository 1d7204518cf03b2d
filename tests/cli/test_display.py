"""What a run shows while it trains."""

import time

import pytest
from rich.console import Console

from counterpoint.commands import display
from counterpoint.training import Progress


@pytest.mark.parametrize(
    ("epoch", "pace"), [(0, "1 steps/s  ≤ 1 min 32 s left"), (1, "0.5 steps/s  ≤ 3 min 04 s left")]
)
def test_the_pace_is_known_within_the_first_epoch_without_what_compiles(epoch, pace, monkeypatch):
    """A step a second, but for two that wait for their programs: they count once all shapes are known."""
    shown, ends = display.Display(Console(width=80)), iter([0.0, 1.0, 6.0, 7.0, 8.0, 12.0, 13.0, 14.0])
    shown.compiled = epoch > 0
    monkeypatch.setattr(time, "monotonic", lambda: next(ends))
    monkeypatch.setattr(display, "WINDOW", 100.0)
    for step in range(1, 9):
        shown(Progress(step, epoch, sums=[-1.0]), 25, 4)
    assert pace in shown.lines(Progress(8, epoch, sums=[-1.0]), 25, 4)[0]
