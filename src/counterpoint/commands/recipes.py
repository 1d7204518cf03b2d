"""counterpoint recipes: what can be trained by name."""

from dataclasses import dataclass

from counterpoint.commands.flags import parse


@dataclass(frozen=True)
class Options:
    """List the recipes: name, data, and what each does."""


def run(words: list[str]) -> None:
    parse(Options, words, "counterpoint recipes")
    from rich.console import Console

    from counterpoint.recipes import recipes
    from counterpoint.report import table

    rows = [{"recipe": r.name, "data": r.data, "about": r.about} for r in recipes().values()]
    console = Console(highlight=False, markup=False)
    console.print(table(rows, ("recipe", "data", "about")))
    console.print("next: counterpoint show RECIPE, or counterpoint train RECIPE", soft_wrap=True)
