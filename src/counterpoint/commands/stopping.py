"""SIGINT and SIGTERM end a command when what was done is saved, with the exit codes that a shell gives them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CODES = {"SIGINT": 130, "SIGTERM": 143}


class Stopped(KeyboardInterrupt):
    """A signal was obeyed; `by` is its name."""

    def __init__(self, by: str):
        super().__init__(by)
        self.by = by


def signal_of(interrupt: KeyboardInterrupt) -> str:
    """The name of the signal behind an interrupt; Python's own is SIGINT."""
    return interrupt.by if isinstance(interrupt, Stopped) else "SIGINT"


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises Stopped, as SIGINT raises KeyboardInterrupt. `fit` watches over both by itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise Stopped(signal.Signals(number).name)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
