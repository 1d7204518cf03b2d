"""SIGINT and SIGTERM are noted when they come and obeyed between two pieces of work.

A handler that raises does so wherever Python happens to be: in a callback of jax's, say, which loses the exception or
does not survive it.
"""

import signal
import threading

CODES = {"SIGINT": 130, "SIGTERM": 143}  # what a shell gives


class Stopped(KeyboardInterrupt):
    """A signal was obeyed; `by` is its name."""

    def __init__(self, by: str):
        super().__init__(by)
        self.by = by


def signal_of(interrupt: KeyboardInterrupt) -> str:
    """The name of the signal behind an interrupt; Python's own is SIGINT."""
    return interrupt.by if isinstance(interrupt, Stopped) else "SIGINT"


class Stop:
    """`with Stop() as stop:` and `stop.asked` is None or the signal's name. A second SIGINT raises at once.

    raises  True: `heed` raises within, until another begins
    outer   the one that was there before it, if any
    """

    innermost: "Stop | None" = None

    def __init__(self, raises: bool = False):
        self.raises = raises
        self.asked: str | None = None
        self.outer: Stop | None = None
        self.before: dict = {}

    def _ask(self, number, frame):
        if self.asked == "SIGINT" and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = signal.Signals(number).name

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self.outer, Stop.innermost = Stop.innermost, self
            self.asked = self.outer and self.outer.asked
            self.before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error):
        if self.before:
            Stop.innermost = self.outer
        for number, handler in self.before.items():
            signal.signal(number, handler)


def heed() -> None:
    """Raise Stopped where a signal was noted: called where nothing would be lost."""
    stop = Stop.innermost
    if stop and stop.raises and stop.asked and threading.current_thread() is threading.main_thread():
        raise Stopped(stop.asked)
