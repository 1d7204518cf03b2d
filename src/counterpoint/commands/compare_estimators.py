"""counterpoint compare estimators: side by side, on one batch of a recipe or a run."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError, nearest

OWN = "its own"
RECIPES = "(default: as in the recipe or run)"


@dataclass(frozen=True)
class Options:
    """Compare every gradient estimator that applies, with the initial parameters of a recipe or the best ones of a run.

    All draw gradients of one bound on one batch, with the parameters held fixed. Variance is that of the whole
    gradient, the trace of its covariance. Bias is the distance of an estimator's mean from the gradient of the bound,
    as a share of that gradient's length; the bound's gradient is the mean of many draws of the least noisy estimator
    that is unbiased for it.

    Of an RBM, contrastive divergence of 1 and 10 sweeps with and without the term that it ignores, persistent chains
    and the exact gradient: bars-rbm --bound trajectory_kl --sweeps 1 10 --sequences 32 --updates 3000.
    """

    of: Annotated[Positional[str], tyro.conf.arg(metavar="RECIPE|RUN", help_behavior_hint="")]
    """the name of a recipe, or the folder of a run"""
    particles: Annotated[tuple[int, ...], tyro.conf.arg(help_behavior_hint=RECIPES)] = ()
    """numbers of particles of the bound"""
    bound: Annotated[str | None, tyro.conf.arg(metavar="BOUND", help_behavior_hint=RECIPES)] = None
    """the bound, such as trajectory_kl"""
    sweeps: Annotated[tuple[int, ...], tyro.conf.arg(help_behavior_hint=RECIPES)] = ()
    """numbers of sweeps of a chain q, the k of CD-k"""
    draws: int = 500
    """how many gradients of each estimator to draw"""
    reference: int = 5000
    """how many of the reference, from which bias is measured"""
    sequences: int = 8
    """how many training sequences are in the batch"""
    steps: int = 20
    """how many steps of each sequence"""
    updates: int = 0
    """learn by each as well, so many updates of the batch by the optimiser of the recipe or run, and show how its bound
    went"""
    only: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]],
        tyro.conf.arg(metavar="ESTIMATOR", help_behavior_hint="(repeatable)"),
    ] = ()
    """compare only this estimator, such as vimco, with the recipe's or the run's own"""
    data: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE", help_behavior_hint=RECIPES)] = None
    """draw the batch from these data, or from a run's own where they have moved"""
    corpora: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """where corpora are"""
    seed: int = 0
    """seed of a recipe's initial parameters, and of every draw"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """write estimators.json, estimators.md and estimators.png there, and learning.json, .md and .png with --updates"""


def run(words: list[str]) -> None:
    options = parse(Options, words, "counterpoint compare estimators", ["of"])
    check(options)
    from jax import random
    from rich.console import Console

    from counterpoint.commands.process import settle
    from counterpoint.evaluation.gradients import gradients
    from counterpoint.files import make_room
    from counterpoint.report import busy, table
    from counterpoint.report.estimators import COLUMNS, Compared, about, lines, write

    settle()
    if options.out:
        make_room(options.out / "estimators.json")
    console = Console(highlight=False, markup=False)
    recipe, corpus, member = opened(options)
    batch = batch_of(member.p, corpus, options)
    key, found, refused, every = random.fold_in(random.key(options.seed), 4), {}, {}, {}
    for label, (at, one, bound) in settings(recipe, corpus, member, options).items():
        pairings, without = applicable(recipe, corpus, one, bound, options)
        refused |= without
        every |= {", ".join([name, *(f"k = {k}" for k in at.values())]): one for name, one in pairings.items()}
        with busy(console, f"{label}: drawing from {'; '.join(pairings)}"):
            drawn = gradients(pairings, batch, key, options.draws)
            reference = least_noisy(pairings, drawn)
            exact = None
            if reference:
                one = {reference: pairings[reference]}
                exact = gradients(one, batch, random.fold_in(key, 1), options.reference)[reference]
        found[label] = Compared(at, reference, exact, drawn)
    rows = lines(found)
    title = f"{options.of}: p = {recipe.p.name}, q = {recipe.q.name}"
    said = about(found, options.draws, options.reference, batch)
    said += "".join(f" Left out is {name}: {reason}." for name, reason in refused.items())
    for voice, name in (("p", "gradient of p's parameters"), ("q", "gradient of q's parameters")):
        chosen = [row for row in rows if row["voice"] == voice]
        if chosen:
            console.print(table(chosen, COLUMNS, f"{title}\n{name}"))
    console.print(said)
    command = "counterpoint compare estimators " + " ".join(words)
    written = write(options.out, title, said, rows, command) if options.out is not None else []
    if options.updates:
        from counterpoint.commands.compare_learning import lesson
        from counterpoint.report import learning

        with busy(console, f"learning by {'; '.join(every)}"):
            learned = lesson(recipe, every, batch, key, options.updates)
        console.print(table(learning.lines(learned.learned), learning.COLUMNS, "How each learned"))
        console.print(learned.about)
        written += learning.write(options.out, title, learned, command) if options.out is not None else []
    for path in written:
        console.print(f"{path}", soft_wrap=True)


def check(options: Options) -> None:
    """Raise CounterpointError for numbers that nothing can be drawn with."""
    for name in ("draws", "reference", "sequences", "steps"):
        if getattr(options, name) < 1:
            raise CounterpointError(f"--{name} is {getattr(options, name)}; give at least 1")
    if options.updates < 0:
        raise CounterpointError(f"--updates is {options.updates}; give at least 0")
    for name in ("particles", "sweeps"):
        if any(k < 1 for k in getattr(options, name)):
            raise CounterpointError(f"--{name} are {getattr(options, name)}; give at least 1 each")
    if not 0 <= options.seed < 2**31:
        raise CounterpointError(f"--seed is {options.seed}; give at least 0, below 2^31")


def opened(options: Options) -> tuple[Any, Any, Any]:
    """A recipe, its data, and a pairing: of a run the first repeat as it was best, of a recipe as it starts."""
    from jax import random

    from counterpoint.data import load
    from counterpoint.data.normalising import in_units_of
    from counterpoint.recipes import recipe
    from counterpoint.runs import is_run, open_run

    if not is_run(options.of):
        chosen = recipe(options.of)
        corpus = load(options.data or chosen.data, options.corpora)
        return chosen, corpus, chosen.build(chosen.facts(corpus), random.key(options.seed))
    found = open_run(options.of, options.corpora)
    other = load(options.data, options.corpora) if options.data else None
    home = found.corpus(other)
    return found.recipe, in_units_of(other, home) if other else home, found.best(home)[0]


def batch_of(p, corpus, options: Options):
    """The first steps of the first training sequences."""
    import jax.numpy as jnp

    from counterpoint.data.batch import buckets, check_data, take

    sequences = corpus.train.first(options.sequences, options.steps)
    check_data(p, sequences)
    (bucket,) = buckets(sequences, p, 1)
    return take(bucket, jnp.arange(len(sequences)))


def settings(recipe, corpus, member, options: Options) -> dict[str, tuple[dict[str, int], Any, Any]]:
    """(the numbers, a pairing, a bound) for each number of particles and of sweeps, by what a table calls it."""
    from jax import random

    from counterpoint.core import Pairing
    from counterpoint.evaluation import titled
    from counterpoint.registry import parts

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
    from jax import random

    from counterpoint.core import Pairing
    from counterpoint.registry import parts

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


def least_noisy(pairings, drawn) -> str | None:
    """The estimator of the smallest variance, both voices together, among those that are unbiased for the bound."""
    noise = lambda name: drawn[name].p.variance + (drawn[name].q.variance if drawn[name].q else 0.0)
    fair = (name for name, pairing in pairings.items() if pairing.estimator.unbiased(pairing.bound))
    return min(fair, key=noise, default=None)
