"""Stopping when asked: SIGINT and SIGTERM set a flag that the training loop reads after each step."""

import signal
import threading


class Stop:
    """`with Stop() as stop:` then read `stop.asked`: None or the signal's name. A second SIGINT stops at once."""

    def __init__(self):
        self.asked: str | None = None
        self.before: dict = {}

    def _ask(self, number, frame):
        if self.asked == "SIGINT" and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = signal.Signals(number).name

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error):
        for number, handler in self.before.items():
            signal.signal(number, handler)
