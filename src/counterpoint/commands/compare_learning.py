"""counterpoint compare estimators --updates: how a pair learns by each of them."""

from pathlib import Path

from counterpoint.evaluation import titled
from counterpoint.evaluation.learning import learning
from counterpoint.report import table
from counterpoint.report.learning import COLUMNS, about, lines, write


def learn(recipe, pairings, batch, key, options, title: str, command: str, console) -> list[Path]:
    """Print how the recipe's bound went by each estimator, and write it where a folder is named."""
    bound, rule = recipe.bound.build(), recipe.fit.optimiser
    what = f"{titled(bound, next(iter(pairings.values())).p)}, nats per step, higher is better"
    with console.status(f"learning by {', '.join(pairings)}"):
        found = learning(pairings, bound, batch, key, options.updates, rule)
    said = about(what, len(batch.valid), options.updates, f"{rule.name} at {rule.p:g}")
    console.print(table(lines(found), COLUMNS, "How each learned"))
    console.print(said)
    return write(options.out, title, said, found, what, command) if options.out is not None else []
