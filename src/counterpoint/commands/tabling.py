"""The runs of a table one after the other, each in a folder where it is found again."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jax
from rich.console import Console

from counterpoint import runs
from counterpoint.commands.closing import close, read_report
from counterpoint.commands.execute import train
from counterpoint.data import Corpus, load, save_npz
from counterpoint.errors import CounterpointError
from counterpoint.files import replacing
from counterpoint.recipes import Recipe, recipe
from counterpoint.report import busy, counted, duration, table
from counterpoint.stopping import heed
from counterpoint.tables import Table, measures, page, quick, record
from counterpoint.tables.record import Record


@dataclass
class Tabling:
    """One table, and the folder it is made in."""

    table: Table
    out: Path
    corpora: Path | None
    repeats: int
    quick: bool
    page: Path | None
    console: Console
    loaded: dict[str, Corpus] = field(default_factory=dict)  # the last corpus, for its neighbours have the same
    missing: dict[str, str] = field(default_factory=dict)  # corpora that cannot be had: the first recipe that wanted it

    def __post_init__(self):
        if self.quick:
            self.out, self.repeats = self.out / "quick", 1

    def run(self, names: list[str]) -> int:
        """Do what is left of these recipes, and write the table after each; 2 where one could not be run.

        Raises KeyboardInterrupt where a signal stops it.
        """
        failed = []
        self.write()
        for number, name in enumerate(names, 1):
            heed()
            rows = dict.fromkeys(row.title for row, _, _ in self.table.uses(name))
            self.console.print(f"\n[{number}/{len(names)}] {name}: {'; '.join(rows)}", style="bold")
            try:
                self.tell(name, self.one(name))
            except CounterpointError as error:
                print(f"counterpoint: {name}: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
                failed.append(name)
            self.write()
        wanted, done = self.table.runs(), self.records()
        self.console.print(f"\n{self.path}: {len(done)} of {len(wanted)} runs are in it", soft_wrap=True)
        if failed:
            self.console.print(f"could not be run: {', '.join(failed)}", soft_wrap=True)
        return 2 if failed else 0

    def one(self, name: str) -> Record:
        """The record of a recipe's run, which is begun, continued or read, as its folder asks for."""
        wanted = self.table.runs()[name]
        for measure in wanted:
            measures.check(measure)
        chosen = self.prepare(name)
        found = self.find(chosen)
        known = record.read(found) if found else None
        if found and known and reported(found) and not set(wanted) - set(known.measures):
            self.console.print("done before")
            return known
        corpus = self.corpus(name)
        if found is None:
            chosen.build(chosen.facts(corpus), jax.random.key(0))  # what cannot work leaves no folder
            found = runs.create(self.out, chosen, 0, self.repeats, chosen.data, self.corpora, corpus)
        elif runs.digest(corpus) != found.digest:
            raise CounterpointError(
                f"the data are not those that {found.folder} was trained on (their digest differs); name another --out"
            )
        fitted = None if reported(found) else train(found, corpus, self.console)
        pairings = fitted.pairings if fitted else found.best(corpus)
        # first what no report has, for a report may take longer than all that the table asks for
        self.measure(found, [name for name in wanted if name not in measures.IN_REPORTS], pairings, corpus)
        if fitted:
            self.write()
            close(found, corpus, fitted, self.console)
        return self.measure(found, wanted, pairings, corpus, read_report(found))

    def measure(self, found: runs.Run, wanted: Sequence[str], pairings, corpus: Corpus, report=None) -> Record:
        """The record of a run, with these measures; what is not in it yet is measured."""
        known = record.read(found)
        have = known.measures if known else {}
        with busy(self.console, "measuring what the table asks for"):
            left = [name for name in wanted if name not in have]
            new = measures.measured(left, pairings, corpus, found.key(runs.EVALUATE), report)
        return record.write(found, have | new)

    def prepare(self, name: str) -> Recipe:
        """The recipe as it is run here. Raises CounterpointError for an unknown one."""
        chosen = recipe(name)
        return quick.shorten(chosen, str(self.cut(chosen))) if self.quick else chosen

    def cut(self, chosen: Recipe) -> Path:
        """Where the cut of a recipe's corpus is kept."""
        return self.out.absolute() / f"{Path(chosen.data).stem}.npz"

    def find(self, chosen: Recipe) -> runs.Run | None:
        """The run of this recipe, with these settings, repeats and data, where there is one."""
        for folder in sorted(self.out.glob(f"{chosen.name}-*")):
            number = folder.name.removeprefix(f"{chosen.name}-")
            if not re.fullmatch(r"\d+", number) or not (folder / "config.json").is_file():
                continue
            found = runs.open_run(folder)
            same = (found.recipe.json(), found.seed, found.repeats, found.source)
            if same == (chosen.json(), 0, self.repeats, runs.place(chosen.data)):
                return found
        return None

    def corpus(self, name: str) -> Corpus:
        """The data of a recipe, cut where all is to be quick. Raises what `load` raises, in full once a corpus."""
        chosen = recipe(name)
        if chosen.data in self.missing:
            raise CounterpointError(f"{chosen.data} cannot be had, as for {self.missing[chosen.data]}")
        if chosen.data not in self.loaded:
            try:
                corpus = load(chosen.data, self.corpora)
            except CounterpointError:
                self.missing[chosen.data] = name
                raise
            if self.quick:
                corpus = quick.cut(corpus)
                save_npz(self.cut(chosen), corpus)  # so that its runs are as complete as any
            self.loaded = {chosen.data: corpus}
        return self.loaded[chosen.data]

    def records(self) -> dict[str, Record]:
        """The runs that are done, by recipe."""
        found = {}
        for name in self.table.runs():
            try:
                run = self.find(self.prepare(name))
                kept = record.read(run) if run else None
            except CounterpointError:  # said where the run's turn comes
                continue
            if kept:
                found[name] = kept
        return found

    @property
    def path(self) -> Path:
        return self.out.parent / f"{self.table.name}-quick.md" if self.quick else self.out / f"{self.table.name}.md"

    def write(self) -> None:
        """The table with what is there so far. Raises CounterpointError where it cannot be written."""
        found = self.records()
        text = page.markdown(self.table, found, self.repeats, self.quick)
        data = json.dumps(runs.finite(page.numbers(self.table, found, self.repeats, self.quick)), indent=1) + "\n"
        pages = [(self.path, text), (self.path.with_suffix(".json"), data)]
        for path, content in [*pages, *([(self.page, text)] if self.page and found else [])]:
            with replacing(path) as file:
                file.write(content.encode())

    def tell(self, name: str, found: Record) -> None:
        """Our numbers of one run beside the published ones."""
        cells = self.table.uses(name)
        several = len({row.title for row, _, _ in cells}) > 1
        shown = [
            {
                "measured": f"{row.title}: {column.title}" if several else column.title,
                "ours": page.value(found, cell, column),
                "published": page.published(row, column) or None,
            }
            for row, column, cell in cells
        ]
        self.console.print(table(shown, ("measured", "ours", "published")))
        epochs, updates = counted(found.epochs, "epoch"), counted(found.updates, "update")
        self.console.print(f"{epochs}, {updates}, {duration(found.seconds)}")
        self.console.print(found.state)


def reported(run: runs.Run) -> bool:
    """Whether a run has been closed with its report."""
    return (run.folder / "results.json").is_file()
