"""Tables and durations for the terminal."""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from numbers import Real
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table


def busy(console: Console, what: str) -> AbstractContextManager[Any]:
    """Says what takes a while: with a spinner while it lasts, or as a line where none can turn."""
    if console.is_terminal:
        return console.status(what)
    console.print(what, soft_wrap=True)
    return nullcontext()


def table(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    title: str | None = None,
    caption: str | None = None,
    whole: Sequence[str] = (),
) -> Table:
    """A table of `rows` (column -> value), in the order of `columns`, that reads well at 80 columns.

    Numbers stand to the right, floats with two decimals; give text for other formats. A missing value, None
    or NaN is a dash. Columns fold where the line is too short; numbers never do, nor columns named in `whole`.
    """
    rows = list(rows)
    result = Table(
        title=title,
        caption=caption,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        caption_style="dim",
        pad_edge=False,
    )
    for column in columns:
        present = [v for v in (row.get(column) for row in rows) if v is not None]
        number = bool(present) and all(isinstance(v, Real) and not isinstance(v, bool) for v in present)
        kept = number or column in whole
        result.add_column(column, justify="right" if number else "left", no_wrap=kept, overflow="fold")
    for row in rows:
        result.add_row(*(_cell(row.get(column)) for column in columns))
    return result


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, Real) and math.isnan(value)):
        return "–"
    # numpy's float32 is a Real but not a float
    if isinstance(value, Real) and not hasattr(value, "__index__"):
        return f"{float(value):.2f}"
    return str(value)


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `2 min 05 s`, `3 h 07 min`: two units at the most."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def counted(number: int, what: str) -> str:
    """`1 epoch`, `2 epochs`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
