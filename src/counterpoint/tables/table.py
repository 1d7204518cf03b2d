"""A published table: columns that are measured, rows that are models, and what was published."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from counterpoint.errors import CounterpointError


@dataclass(frozen=True)
class Column:
    """One quantity.

    key      what rows call it
    title    what stands above it
    unit     unit, average, and which way is better
    measure  a name of `measures.MEASURES`; "" for a column that only quotes what was published
    digits   decimals
    """

    key: str
    title: str
    unit: str
    measure: str = ""
    digits: int = 2


@dataclass(frozen=True)
class Row:
    """One model.

    recipes    column -> recipe whose run fills it; one run may fill several
    published  column -> number, or (number, its ±), as printed
    source     where those stand
    measures   column -> measure in place of the column's own, such as a baseline's
    """

    title: str
    recipes: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, float | tuple[float, float]] = field(default_factory=dict)
    source: str = ""
    measures: Mapping[str, str] = field(default_factory=dict)


class Cell(NamedTuple):
    """What fills one cell."""

    recipe: str
    measure: str


@dataclass(frozen=True)
class Table:
    """`about` is the protocol, in Markdown.

    Raises CounterpointError where a row names a column that does not exist, has a run in a column without a measure,
    or quotes numbers without a source.
    """

    name: str
    title: str
    about: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def __post_init__(self):
        known = {column.key for column in self.columns}
        for row in self.rows:
            for key in {*row.recipes, *row.published, *row.measures} - known:
                raise CounterpointError(
                    f"table {self.name}, row {row.title}: no column {key!r}; there are {', '.join(sorted(known))}"
                )
            if row.published and not row.source:
                raise CounterpointError(f"table {self.name}, row {row.title}: published numbers need a source")
            for column in self.columns:
                if (cell := self.cell(row, column)) and not cell.measure:
                    raise CounterpointError(
                        f"table {self.name}, row {row.title}: column {column.key} has no measure for {cell.recipe}"
                    )

    def cell(self, row: Row, column: Column) -> Cell | None:
        """What we run there, if anything."""
        if column.key not in row.recipes:
            return None
        return Cell(row.recipes[column.key], row.measures.get(column.key, column.measure))

    def firsts(self) -> list[str]:
        """The first recipe of each row: every model once, whatever the columns."""
        return list(dict.fromkeys(next(iter(row.recipes.values())) for row in self.rows if row.recipes))

    def runs(self) -> dict[str, list[str]]:
        """Every recipe in the order of the rows, with what its run is measured by."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            for column in self.columns:
                if cell := self.cell(row, column):
                    measures = found.setdefault(cell.recipe, [])
                    measures += [cell.measure] if cell.measure not in measures else []
        return found

    def uses(self, recipe: str) -> list[tuple[Row, Column, Cell]]:
        """The cells that a recipe's run fills."""
        cells = [(row, column, self.cell(row, column)) for row in self.rows for column in self.columns]
        return [(row, column, cell) for row, column, cell in cells if cell and cell.recipe == recipe]
