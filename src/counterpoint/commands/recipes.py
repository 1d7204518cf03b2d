"""counterpoint recipes: what can be trained by name."""

from dataclasses import dataclass
from typing import Annotated

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError

FIRST = "chorales"  # what train takes where nothing is named


@dataclass(frozen=True)
class Options:
    """List the recipes by their data; a star marks data that are not in the package.

    With words, list the recipes that match all of them, and what each does: counterpoint recipes mocap order.
    """

    words: Annotated[Positional[tuple[str, ...]], tyro.conf.arg(metavar="[WORD ...]", help_behavior_hint="")] = ()
    """a word in the name, the data or the description of a recipe"""


def run(words: list[str]) -> None:
    options = parse(Options, words, "counterpoint recipes", ["words"])
    from rich.console import Console

    from counterpoint.data import READY
    from counterpoint.recipes import recipes
    from counterpoint.report import table

    order = sorted(recipes().values(), key=lambda r: (r.name != FIRST, r.data != FIRST, r.data))
    rows: list[dict[str, str]] = [
        {"recipe": r.name, "data": r.data + ("" if r.data in READY else "*"), "about": r.about} for r in order
    ]
    chosen = [row for row in rows if all(word.lower() in " ".join(row.values()).lower() for word in options.words)]
    if not chosen:
        raise CounterpointError(f"no recipe has {' and '.join(options.words)}; counterpoint recipes lists all")
    console = Console(highlight=False, markup=False)
    if options.words:
        console.print(table(chosen, ("recipe", "data", "about"), whole=("recipe", "data")))
    else:
        grouped: dict[str, list[str]] = {}
        for row in chosen:
            grouped.setdefault(row["data"], []).append(row["recipe"])
        console.print(
            table([{"data": data, "recipes": " ".join(names)} for data, names in grouped.items()], ("data", "recipes"))
        )
    console.print("* needs files: docs/data.md says where they come from", soft_wrap=True)
    if not options.words:
        console.print("what each of them does: counterpoint recipes WORD", soft_wrap=True)
    console.print("next: counterpoint show RECIPE, or counterpoint train RECIPE", soft_wrap=True)
