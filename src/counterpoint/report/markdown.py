"""Tables in Markdown."""

from collections.abc import Iterable

RULES = {"l": "---", "r": "---:"}


def bar(cells: Iterable[str]) -> str:
    """A row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def markdown_table(head: Iterable[str], rows: Iterable[Iterable[str]], align: str) -> str:
    """A head and rows; `align` has an l or r for each column."""
    return "\n".join(bar(row) for row in (head, [RULES[side] for side in align], *rows))
