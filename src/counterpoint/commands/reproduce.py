"""counterpoint reproduce: a published table, run by run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError, nearest

if TYPE_CHECKING:
    from rich.console import Console

    from counterpoint.tables import Table


@dataclass(frozen=True)
class Options:
    """Run the recipes of a published table, measure each by the published protocol, and write the table.

    Every run keeps its folder in FOLDER, where it is found again: stop whenever you like, and the same command
    continues. FOLDER/TABLE.md and FOLDER/TABLE.json are written anew after each run.
    """

    table: Annotated[Positional[str | None], tyro.conf.arg(metavar="[TABLE]", help_behavior_hint="")] = None
    """the name of a table; --list lists them"""
    out: Annotated[
        Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="(required, except with --list)")
    ] = None
    """where the runs and the table are kept"""
    corpora: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """where corpora are, if not in COUNTERPOINT_DATA or the user's cache"""
    seeds: int = 3
    """how many times to train each recipe, with seeds 0, 1, ... in one program"""
    rows: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="RECIPE", help_behavior_hint="(repeatable)")
    ] = ()
    """run only this recipe"""
    quick: Annotated[bool, tyro.conf.arg(help_behavior_hint=""), tyro.conf.FlagCreatePairsOff] = False
    """one short run for each row, on a part of the data, to see that it works"""
    page: Annotated[Path | None, tyro.conf.arg(metavar="FILE.md", help_behavior_hint="")] = None
    """write the table to this file as well"""
    list: Annotated[bool, tyro.conf.arg(help_behavior_hint=""), tyro.conf.FlagCreatePairsOff] = False
    """list the tables, or the recipes of TABLE"""


def run(words: list[str]) -> int:
    options = parse(Options, words, "counterpoint reproduce", ["table"])
    from rich.console import Console

    from counterpoint.tables import table, tables

    console = Console(highlight=False, markup=False)
    if options.list:
        listed(list(tables().values()) if options.table is None else table(options.table), console)
        return 0
    if options.table is None:
        raise CounterpointError(f"which table{nearest('', tables())}; counterpoint reproduce --list describes them")
    chosen = table(options.table)
    check(options, list(chosen.runs()))

    from counterpoint.commands.process import settle
    from counterpoint.commands.tabling import Tabling
    from counterpoint.stopping import CODES, Stop, signal_of

    settle()
    assert options.out is not None
    every = chosen.firsts() if options.quick and not options.rows else chosen.runs()
    names = [name for name in every if name in options.rows or not options.rows]
    work = Tabling(chosen, options.out, options.corpora, options.seeds, options.quick, options.page, console)
    try:
        with Stop(raises=True):
            return work.run(names)
    except KeyboardInterrupt as interrupt:
        by = signal_of(interrupt)
        console.print(f"stopped by {by}; all is saved, and the same command continues", soft_wrap=True)
        return CODES[by]


def listed(what: "list[Table] | Table", console: "Console") -> None:
    """Print what tables there are, or what one runs."""
    from counterpoint.recipes import recipe
    from counterpoint.report import table as show

    unique = lambda words: ", ".join(dict.fromkeys(words))
    if isinstance(what, list):
        rows = [
            {
                "table": t.name,
                "paper": unique(row.source.partition(",")[0] for row in t.rows if row.source) or t.title,
                "data": unique(recipe(name).data for name in t.runs()),
                "runs": len(t.runs()),
            }
            for t in what
        ]
        console.print(show(rows, ("table", "paper", "data", "runs")))
        console.print("next: counterpoint reproduce TABLE, with --list or with --out FOLDER", soft_wrap=True)
        return
    rows = [{"recipe": r.name, "data": r.data, "about": r.about} for r in map(recipe, what.runs())]
    console.print(show(rows, ("recipe", "data", "about"), what.title))
    console.print(f"next: counterpoint reproduce {what.name} --out FOLDER", soft_wrap=True)


def check(options: Options, recipes: list[str]) -> None:
    """Raise CounterpointError where options are missing or do not go together."""
    if options.out is None:
        raise CounterpointError("reproduce needs a folder for the runs and the table: give --out FOLDER")
    if not 1 <= options.seeds < 2**31:
        raise CounterpointError(f"--seeds is {options.seeds}; give at least 1, below 2^31")
    if options.quick and options.page:
        raise CounterpointError("--page is for results, and a quick run has none; leave out --quick or --page")
    for name in options.rows:
        if name not in recipes:
            raise CounterpointError(f"table {options.table} runs no recipe {name!r}{nearest(name, recipes)}")
