"""counterpoint compare estimators --updates: how a pair learns by each of them."""

from counterpoint.evaluation import titled
from counterpoint.evaluation.learning import learning
from counterpoint.report.learning import Lesson, about


def lesson(recipe, pairings, batch, key, updates: int) -> Lesson:
    """How the recipe's bound goes by each estimator, in so many updates of its optimiser."""
    bound, rule = recipe.bound.build(), recipe.fit.optimiser
    what = f"{titled(bound, next(iter(pairings.values())).p)}, nats per step, higher is better"
    said = about(what, len(batch.valid), updates, f"{rule.name} at {rule.p:g}")
    return Lesson(what, said, learning(pairings, bound, batch, key, updates, rule))
