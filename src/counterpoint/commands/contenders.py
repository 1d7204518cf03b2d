"""What `compare estimators` compares: pairings that differ in their estimator, bound or chain alone, on one batch."""

import dataclasses
from typing import Any

import numpy as np
from jax import random

from counterpoint.commands.compare_estimators import Options
from counterpoint.core import Pairing
from counterpoint.data import load
from counterpoint.data.batch import buckets, check_data, take
from counterpoint.data.normalising import in_units_of
from counterpoint.errors import CounterpointError, nearest
from counterpoint.evaluation import titled
from counterpoint.evaluation.gradients import gradients
from counterpoint.evaluation.learning import learning
from counterpoint.recipes import recipe as recipe_of
from counterpoint.registry import parts
from counterpoint.report.estimators import Compared
from counterpoint.report.learning import Lesson, about
from counterpoint.runs import is_run, open_run

OWN = "its own"


def opened(options: Options) -> tuple[Any, Any, Any]:
    """A recipe, its data, and a pairing: of a run the first repeat as it was best, of a recipe as it starts."""
    if not is_run(options.of):
        chosen = recipe_of(options.of)
        corpus = load(options.data or chosen.data, options.corpora)
        return chosen, corpus, chosen.build(chosen.facts(corpus), random.key(options.seed))
    found = open_run(options.of, options.corpora)
    other = load(options.data, options.corpora) if options.data else None
    home = found.corpus(other)
    return found.recipe, in_units_of(other, home) if other else home, found.best(home)[0]


def batch_of(p, corpus, options: Options):
    """The first steps of the first training sequences."""
    sequences = corpus.train.first(options.sequences, options.steps)
    check_data(p, sequences)
    (bucket,) = buckets(sequences, p, 1)
    return take(bucket, np.arange(len(sequences)))


def settings(recipe, corpus, member, options: Options) -> dict[str, tuple[dict[str, int], Any, Any]]:
    """(the numbers, a pairing, a bound) for each number of particles and of sweeps, by what a table calls it."""
    every = parts("bound")
    if options.bound is not None and options.bound not in every:
        raise CounterpointError(f"--bound {options.bound}: no bound is called so{nearest(options.bound, every)}")
    own = recipe.bound if options.bound is None else every[options.bound]()
    own.check(member.p)
    bounds: dict[str, tuple[dict[str, int], Any]] = {titled(own, member.p): ({}, own)}
    if options.particles:
        of = varied("bound", own, "particles", options.particles)
        bounds = {f"{own.name.upper()}-{k}": ({"particles": k}, bound) for k, bound in of.items()}
    if not options.sweeps:
        return {label: (at, member, bound.build()) for label, (at, bound) in bounds.items()}
    found, known = {}, recipe.facts(corpus)
    for k, config in varied("q", recipe.q, "sweeps", options.sweeps).items():
        q = config.build(member.p, known, random.key(options.seed))
        one = Pairing(member.p, q, member.bound, member.estimator)
        for label, (at, bound) in bounds.items():
            found[f"{label}, k = {k}"] = (at | {"sweeps": k}, one, bound.build())
    return found


def varied(role: str, config: Any, name: str, values: tuple[int, ...]) -> dict[int, Any]:
    """A part with each value of one setting. Raises CounterpointError where it has no such setting."""
    if name not in {f.name for f in dataclasses.fields(config) if f.init}:
        raise CounterpointError(f"--{name}: {role} {config.name} has none; leave it out")
    return {value: dataclasses.replace(config, **{name: value}) for value in values}


def applicable(recipe, corpus, member, bound, options: Options) -> tuple[dict[str, Any], dict[str, str]]:
    """A pairing for each estimator whose gradient exists, and for the recipe's own with what it has learned; and why
    not for other variants of these. Raises CounterpointError where none is left.
    """
    found, refused, known = {}, {}, recipe.facts(corpus)
    every: dict[str, tuple[str, Any]] = {OWN: ("", None)}
    for name, kind in parts("estimator").items():
        variants = getattr(kind, "variants", lambda name=name, kind=kind: {name: kind()})()
        every |= {label: (name, config) for label, config in variants.items() if name in (options.only or (name,))}
    for name in options.only:
        if name not in parts("estimator"):
            raise CounterpointError(f"--only {name}: no estimator is called so{nearest(name, parts('estimator'))}")
    for label, (_, config) in every.items():
        try:
            estimator = config.build(member.p, known, random.key(options.seed)) if config else member.estimator
            found[label] = Pairing(member.p, member.q, bound, estimator)
        except CounterpointError as reason:
            refused[label] = str(reason)
    if not found:
        raise CounterpointError(f"no estimator applies: {list(refused.values())[-1]}")
    kin = {every[label][0] for label in found}
    return found, {label: reason for label, reason in refused.items() if every[label][0] in kin}


def least_noisy(pairings, found) -> str | None:
    """The estimator of the smallest variance, both voices together, among those that are unbiased for the bound."""
    noise = lambda name: found[name].p.variance + (found[name].q.variance if found[name].q else 0.0)
    fair = (name for name, pairing in pairings.items() if pairing.estimator.unbiased(pairing.bound))
    return min(fair, key=noise, default=None)


def drawn(at, pairings, batch, key, options: Options) -> Compared:
    """Gradients by each, and many by the one that is held to be right."""
    found = gradients(pairings, batch, key, options.draws)
    reference, exact = least_noisy(pairings, found), None
    if reference:
        one = {reference: pairings[reference]}
        exact = gradients(one, batch, random.fold_in(key, 1), options.reference)[reference]
    return Compared(at, reference, exact, found)


def lesson(recipe, pairings, batch, key, updates: int) -> Lesson:
    """How the recipe's bound goes by each estimator, in so many updates of its optimiser."""
    bound, rule = recipe.bound.build(), recipe.fit.optimiser
    what = f"{titled(bound, next(iter(pairings.values())).p)}, nats per step, higher is better"
    said = about(what, len(batch.valid), updates, f"{rule.name} at {rule.p:g}")
    return Lesson(what, said, learning(pairings, bound, batch, key, updates, rule))
