"""How every benchmark here takes its times: sides that take turns, in one process."""

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from counterpoint.commands.process import keep_memory


def medians(sides: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median time of a call of each side, in ms, over rounds that go round the sides.

    In each round a side is called twice, and the second call counts: by then caches hold its arrays, and threads of
    another library, which go on in circles for a while after their work, have gone to sleep. Memory is kept as the
    command keeps it, for all sides.
    """
    keep_memory()
    times: dict[str, list[float]] = {name: [] for name in sides}
    for i in range(rounds + 2):
        for name, call in sides.items():
            jax.block_until_ready(call())
            start = time.perf_counter()
            jax.block_until_ready(call())
            times[name] += [1e3 * (time.perf_counter() - start)] if i >= 2 else []
    return {name: float(np.median(taken)) for name, taken in times.items()}


class Learning:
    """Calls of a compiled update (weights, state, number of the call) -> (weights, state), which takes its arguments
    over."""

    def __init__(self, update, weights, state):
        self.update, self.held, self.calls = update, (weights, state), 0

    def __call__(self):
        self.calls += 1
        self.held = self.update(*self.held, self.calls)
        return self.held
