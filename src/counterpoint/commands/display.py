"""What a run shows while it trains: a live display on a terminal, now and then a line elsewhere."""

import time
from collections import deque
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from counterpoint.report import duration

if TYPE_CHECKING:
    from counterpoint.training import Progress

EVERY = 10.0  # seconds between lines where no terminal is
WINDOW = 10.0  # seconds that updates per second are taken over
LEAST = 4  # steps that it takes to know how long one is


class Display:
    """`with Display(console) as display: fit(..., watch=display)`."""

    def __init__(self, console: Console):
        self.console = console
        self.live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self.clock: deque[float] = deque()  # when each of the last steps ended
        self.shown = time.monotonic()
        self.step = 0

    def __enter__(self) -> "Display":
        if self.live:
            self.live.start()
            self.live.update(Text("compiling"), refresh=True)
        return self

    def __exit__(self, *error) -> None:
        if self.live:
            self.live.stop()

    def __call__(self, progress: "Progress", per_epoch: int, epochs: int) -> None:
        now = time.monotonic()
        if progress.step != self.step:  # the end of an epoch shows as well
            self.step = progress.step
            self.clock.append(now)
        while len(self.clock) > LEAST + 1 and now - self.clock[0] > WINDOW:
            self.clock.popleft()
        if now - self.shown < (0.25 if self.live else EVERY):
            return
        self.shown = now
        pace, bounds = self.lines(progress, per_epoch, epochs)
        if self.live:
            bar = ProgressBar(total=per_epoch * epochs, completed=progress.step)
            self.live.update(Group(bar, Text(pace), Text(f"nats per step: {bounds}")), refresh=True)
        else:
            self.console.print(f"{pace}  {bounds}", soft_wrap=True, highlight=False)

    def lines(self, progress: "Progress", per_epoch: int, epochs: int) -> tuple[str, str]:
        """Epoch, speed, time left; bounds: within 80 columns even side by side."""
        each = [b - a for a, b in pairwise(self.clock)]
        left = "compiling"
        if len(each) >= LEAST:
            usual = sorted(each)[: -max(2, len(each) // 10)]  # without those that compiled or waited for a validation
            step = max(fmean(usual), 1e-9)
            left = f"{1 / step:.3g} updates/s  {duration((per_epoch * epochs - progress.step) * step)} left"
        done = progress.step - progress.epoch * per_epoch
        rows = progress.history
        train = [a / done for a in progress.sums] if done else rows[-1]["train"] if rows else []
        last = next((row for row in reversed(rows) if "valid" in row), {"valid": []})
        error = f"  error {mean(last['error'])}" if "error" in last else ""
        epoch = min(progress.epoch + 1, epochs)
        what = f" ({progress.reports})" if progress.reports else ""
        return (
            f"epoch {epoch}/{epochs}  {left}",
            f"training {mean(train)}{what}  validation {mean(last['valid'])}{error}",
        )


def mean(values: list[float]) -> str:
    return f"{sum(values) / len(values):.2f}" if values else "–"
