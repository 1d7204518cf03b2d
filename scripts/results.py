"""Joins runs of `counterpoint reproduce` into docs/results: python scripts/results.py FOLDER [FOLDER ...]

Every row that a folder has a measured run of is written anew; the others stay as they are on the page. Words, published
numbers and the order of rows are those of the code. A table of which no folder has a run is left alone. What is no
result is left out, by name: a run of other settings than the recipe has now, on other data, or from another seed.
"""

import sys
from pathlib import Path

from counterpoint.recipes import recipes
from counterpoint.report.markdown import bar
from counterpoint.runs import open_run, place
from counterpoint.tables import page, record, tables

PAGES = Path(__file__).resolve().parent.parent / "docs" / "results"
UNKNOWN = ("", "not run")


def records(folders: list[Path]) -> dict[str, record.Record]:
    """What was measured, by recipe; of two runs of a recipe the one in the later folder."""
    found, every = {}, recipes()
    for folder in folders:
        for made in sorted(path.parent for path in folder.glob(f"*/{record.FILE}")):
            run = open_run(made)
            now = every.get(run.recipe.name)
            if now and (run.recipe.json(), run.source, run.seed) == (now.json(), place(now.data), 0):
                found[run.recipe.name] = record.read(run)
            else:
                print(f"{made}: not what `counterpoint reproduce` runs now; left out")
    return found


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
            line = bar([b if a in UNKNOWN else a for a, b in zip(row, known)])
        out.append(line)
    if page.LIMITED not in out and any("†" in line for line in out):
        out[out.index("## Runs") : out.index("## Runs")] = [page.LIMITED, ""]
    return "\n".join(out) + "\n"


def main(folders: list[str]) -> int:
    if not folders or not all(Path(folder).is_dir() for folder in folders):
        print("usage: python scripts/results.py FOLDER [FOLDER ...], each the --out of a counterpoint reproduce")
        return 2
    found, pages = records([Path(folder) for folder in folders]), 0
    for name, shown in tables().items():
        ran = {recipe: found[recipe] for recipe in shown.runs() if recipe in found}
        many = {len(each.seeds) for each in ran.values()}
        if len(many) > 1:
            print(f"{name}: runs of {sorted(many)} seeds do not belong on one page; nothing is written")
        elif ran:
            target = PAGES / f"{name}.md"
            old = target.read_text(encoding="utf-8") if target.is_file() else ""
            target.write_text(join(page.markdown(shown, ran, many.pop(), False), old), encoding="utf-8")
            print(f"{target.name}: {', '.join(sorted(ran))}")
            pages += 1
    return 0 if pages else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
