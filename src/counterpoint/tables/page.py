"""A table as Markdown and as JSON, with whatever of it was run."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from counterpoint.report import duration
from counterpoint.report.markdown import markdown_table
from counterpoint.tables.measures import untrained
from counterpoint.tables.record import Record, number, spread
from counterpoint.tables.table import Cell, Column, Row, Table

QUICK = "**A quick run on a cut of the data, to see that all of it works. Nothing here is a result.**"
LIMITED = "† budget-limited: trained until its epochs ended, not until validation got no better; see the runs."


def command(name: str, repeats: int) -> str:
    """What repeats one run exactly."""
    return f"counterpoint train {name} --seed 0 --repeats {repeats}"


def markdown(table: Table, records: Mapping[str, Record], repeats: int, quick: bool) -> str:
    """The page. `records` holds the runs that are done, by recipe."""
    again = f"counterpoint reproduce {table.name} --out FOLDER" + (" --quick" if quick else f" --seeds {repeats}")
    over = f"± in our rows is the standard deviation over {repeats} seeds (0 to {repeats - 1}), trained as one program;"
    over += " ± in published rows is as printed."
    parts = [f"# {table.title}", QUICK if quick else "", table.about, over if repeats > 1 else "", f"    {again}"]
    parts.append(rows(table, records))
    if any(not record.complete for record in records.values()):
        parts.append(LIMITED)
    parts += ["## Runs", runs(table, records, repeats, quick)]
    return "\n\n".join(part for part in parts if part) + "\n"


def rows(table: Table, records: Mapping[str, Record]) -> str:
    """What was published, and under it ours."""
    head = ["model", "source", *(f"{column.title} ({column.unit})" for column in table.columns)]
    found = []
    for row in table.rows:
        if row.published:
            found.append([row.title, row.source, *(published(row, column) for column in table.columns)])
        if row.recipes:
            cells = [ours(table, row, column, records) for column in table.columns]
            found.append([row.title, "**ours**", *cells])
    return markdown_table(head, found, "ll" + "r" * len(table.columns))


def published(row: Row, column: Column) -> str:
    """A published number, or nothing."""
    printed = row.published.get(column.key)
    if printed is None:
        return ""
    return number(*(printed if isinstance(printed, tuple) else (printed, None)), column.digits)


def ours(table: Table, row: Row, column: Column, records: Mapping[str, Record]) -> str:
    """Our number, "not run", or nothing where nothing is to be run."""
    cell = table.cell(row, column)
    if cell is None:
        return ""
    record = records.get(cell.recipe)
    if record is None or cell.measure not in record.measures:
        return "not run"
    return f"**{value(record, cell, column)}**" + ("" if record.complete or untrained(cell.measure) else " †")


def value(record: Record, cell: Cell, column: Column) -> str:
    """Mean over repeats, ± their standard deviation where repeats can differ."""
    mean, plus = spread(record.measures[cell.measure])
    return number(mean, None if untrained(cell.measure) else plus, column.digits)


def runs(table: Table, records: Mapping[str, Record], repeats: int, quick: bool) -> str:
    """How each run went, and what repeats it."""
    head = ["recipe", "validation", "epochs", "updates", "wall time", "machine", "to repeat it"]
    found = []
    for name in table.runs():
        short = f"counterpoint reproduce {table.name} --out FOLDER --quick --rows {name}"
        how = f"`{short if quick else command(name, repeats)}`"
        if name not in records:
            found.append([f"`{name}`", "not run", "", "", "", "", how])
            continue
        r = records[name]
        done = [r.state, str(r.epochs), str(r.updates), duration(r.seconds), r.machine, how]
        found.append([f"`{name}`", *done])
    return markdown_table(head, found, "llrrrll")


def numbers(table: Table, records: Mapping[str, Record], repeats: int, quick: bool) -> dict[str, Any]:
    """All of it for a program: every value of every repeat."""
    rows = []
    for row in table.rows:
        cells: dict[str, Any] = {}
        for column in table.columns:
            if column.key in row.published:
                printed = row.published[column.key]
                mean, plus = printed if isinstance(printed, tuple) else (printed, None)
                cells.setdefault(column.key, {})["published"] = {"value": mean, "spread": plus, "source": row.source}
            if cell := table.cell(row, column):
                values = records[cell.recipe].measures.get(cell.measure) if cell.recipe in records else None
                found: dict[str, Any] = {"recipe": cell.recipe, "measure": cell.measure, "values": values}
                if values:
                    found |= dict(zip(("mean", "spread"), spread(values)))
                cells.setdefault(column.key, {})["ours"] = found
        rows.append({"model": row.title, "cells": cells})
    return {
        "table": table.name,
        "quick": quick,
        "columns": [asdict(column) for column in table.columns],
        "rows": rows,
        "runs": {
            name: asdict(record) | ({} if quick else {"command": command(name, repeats)})
            for name, record in records.items()
        },
    }
