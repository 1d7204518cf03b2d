"""What a run shows while it trains."""

import time

from rich.console import Console

from counterpoint.commands import display
from counterpoint.training import Progress


def test_the_pace_is_known_within_the_first_epoch_without_what_compiles(monkeypatch):
    """A step a second, but for two that wait for their programs."""
    shown, ends = display.Display(Console(width=80)), iter([0.0, 1.0, 6.0, 7.0, 8.0, 12.0, 13.0, 14.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(ends))
    monkeypatch.setattr(display, "WINDOW", 100.0)
    for step in range(1, 9):
        shown(Progress(step, 0, sums=[-1.0]), 25, 4)
    assert shown.lines(Progress(8, 0, sums=[-1.0]), 25, 4)[0] == "epoch 1/4  1 updates/s  1 min 32 s left"
