"""counterpoint compare estimators: side by side, on one batch of a recipe or a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError

PROG = "counterpoint compare estimators"
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
    options = parse(Options, words, PROG, ["of"])
    check(options)
    from jax import random
    from rich.console import Console

    from counterpoint.commands import contenders
    from counterpoint.commands.process import settle
    from counterpoint.files import make_room
    from counterpoint.report import busy, estimators, learning, table

    settle()
    if options.out:
        make_room(options.out / "estimators.json")
    console = Console(highlight=False, markup=False)
    recipe, corpus, member = contenders.opened(options)
    batch = contenders.batch_of(member.p, corpus, options)
    key = random.fold_in(random.key(options.seed), 4)
    found, refused, every = {}, {}, {}
    for label, (at, one, bound) in contenders.settings(recipe, corpus, member, options).items():
        pairings, without = contenders.applicable(recipe, corpus, one, bound, options)
        refused |= without
        every |= {", ".join([name, *(f"k = {k}" for k in at.values())]): one for name, one in pairings.items()}
        with busy(console, f"{label}: drawing from {'; '.join(pairings)}"):
            found[label] = contenders.drawn(at, pairings, batch, key, options)
    rows = estimators.lines(found)
    title, command = f"{options.of}: p = {recipe.p.name}, q = {recipe.q.name}", " ".join([PROG, *words])
    said = estimators.about(found, options.draws, options.reference, batch)
    said += "".join(f" Left out is {name}: {reason}." for name, reason in refused.items())
    for voice in dict.fromkeys(row["voice"] for row in rows):
        chosen = [row for row in rows if row["voice"] == voice]
        console.print(table(chosen, estimators.COLUMNS, f"{title}\ngradient of {voice}'s parameters"))
    console.print(said)
    written = estimators.write(options.out, title, said, rows, command) if options.out else []
    if options.updates:
        with busy(console, f"learning by {'; '.join(every)}"):
            learned = contenders.lesson(recipe, every, batch, key, options.updates)
        console.print(table(learning.lines(learned.learned), learning.COLUMNS, "How each learned"))
        console.print(learned.about)
        written += learning.write(options.out, title, learned, command) if options.out else []
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
