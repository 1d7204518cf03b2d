"""Joins runs of `counterpoint reproduce` into docs/results: python scripts/results.py FOLDER [FOLDER ...]

Every row that a folder has a measured run of is written anew; the others stay as they are on the page. Words, published
numbers and the order of rows are those of the code. A table of which no folder has a run is left alone.
"""

import sys
from pathlib import Path

from counterpoint.runs import open_run
from counterpoint.tables import page, record, tables

PAGES = Path(__file__).resolve().parent.parent / "docs" / "results"
UNKNOWN = ("", "not run")


def records(folders: list[Path]) -> dict[str, record.Record]:
    """What was measured, by recipe; of two runs of a recipe the one in the later folder."""
    made = [run for folder in folders for run in sorted(folder.iterdir()) if (run / record.FILE).is_file()]
    return {run.recipe.name: record.read(run) for run in map(open_run, made)}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def key(row: list[str]) -> tuple[str, ...]:
    """A run has its recipe, a row of numbers its model and whose they are."""
    return tuple(row[:1] if row[0].startswith("`") else row[:2])


def join(new: str, old: str) -> str:
    """The new page, with the cells of the old one where nothing is known now."""
    before = {key(row): row for line in old.splitlines() if line.startswith("|") for row in [cells(line)]}
    out = []
    for line in new.splitlines():
        row = cells(line)
        known = before.get(key(row), []) if line.startswith("|") else []
        if len(known) == len(row):
            line = page.bar([b if a in UNKNOWN else a for a, b in zip(row, known)])
        out.append(line)
    if page.LIMITED not in out and any("†" in line for line in out):
        out[out.index("## Runs") : out.index("## Runs")] = [page.LIMITED, ""]
    return "\n".join(out) + "\n"


def main(folders: list[str]) -> None:
    found = records([Path(folder) for folder in folders])
    for name, shown in tables().items():
        ran = {recipe: found[recipe] for recipe in shown.runs() if recipe in found}
        if ran:
            target = PAGES / f"{name}.md"
            repeats = max(len(each.seeds) for each in ran.values())
            old = target.read_text(encoding="utf-8") if target.is_file() else ""
            target.write_text(join(page.markdown(shown, ran, repeats, False), old), encoding="utf-8")
            print(f"{target.name}: {', '.join(sorted(ran))}")


if __name__ == "__main__":
    main(sys.argv[1:])
