"""What a run tells a table, kept in its folder as table.json: its numbers, how long it took, whether it was enough."""

import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.runs import Run
from counterpoint.training import Progress
from counterpoint.training.fit import selected

FILE = "table.json"
UNITS = {"bound": "nats per step", "prediction": "of squared error"}


@dataclass(frozen=True)
class Record:
    """measures  name -> a value for each repeat
    seconds   of training, wall time
    complete  every repeat stopped because its best validation was no longer bettered
    slope     what its validation still gained, by 1000 updates; None where it was measured once
    unit      of the slope
    """

    seeds: list[int]
    measures: dict[str, list[float]]
    epochs: int
    updates: int
    seconds: float
    complete: bool
    slope: float | None
    machine: str
    unit: str = "nats per step"

    @property
    def state(self) -> str:
        if self.complete:
            return "complete"
        if self.slope is None:
            return "budget-limited"
        return f"budget-limited, {self.slope:+.3g} {self.unit} per 1000 updates"


def spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and standard deviation where there are two or more."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def number(value: float, plus: float | None, digits: int) -> str:
    return f"{value:.{digits}f}" + ("" if plus is None else f" ± {plus:.{digits}f}")


def read(run: Run) -> Record | None:
    """None where the run was not measured yet. Raises CounterpointError where table.json is damaged."""
    if not (run.folder / FILE).is_file():
        return None
    try:
        values = run.read(FILE)
        # JSON has no NaN: what could not be measured is null there
        known = {name: [math.nan if v is None else v for v in each] for name, each in values["measures"].items()}
        return Record(**values | {"measures": known})
    except (TypeError, AttributeError, KeyError):
        raise CounterpointError(
            f"{run.folder / FILE}: damaged, or of another version; delete it and it is made anew"
        ) from None


def write(run: Run, measures: dict[str, list[float]]) -> Record:
    """Keep what was measured of a run that has finished, and what its checkpoint says."""
    progress = run.progress()
    record = Record(
        seeds=run.seeds,
        measures=measures,
        epochs=progress.epoch,
        updates=progress.step,
        seconds=progress.history[-1]["seconds"],
        complete=complete(progress, run.recipe.fit.patience),
        slope=slope(progress.history),
        machine=", ".join(part for part in (machine(), run.program) if part),
        unit=UNITS[run.recipe.fit.select],
    )
    run.write(FILE, asdict(record))
    return record


def complete(progress: Progress, patience: int) -> bool:
    """Whether every repeat stopped by patience."""
    return patience > 0 and all(stalled >= patience for stalled in progress.stalled)


def slope(history: Sequence[Mapping]) -> float | None:
    """Least-squares slope of what validations are judged by, mean over repeats, over the last fifth of them (two at
    least), by 1000 updates. None below two."""
    rows = [row for row in history if "valid" in row]
    last = rows[-max(2, math.ceil(len(rows) / 5)) :]
    if len(last) < 2:
        return None
    updates, values = ([f(row) for row in last] for f in (lambda r: r["step"] / 1000, lambda r: selected(r).mean()))
    return float(np.polyfit(updates, values, 1)[0])


def machine() -> str:
    """Cores or accelerator, and the version of JAX."""
    import jax

    device = jax.devices()[0]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = (
        f"{cores} core{'' if cores == 1 else 's'} of {platform.machine()}"
        if device.platform == "cpu"
        else device.device_kind
    )
    return f"{name}, JAX {jax.__version__}"
