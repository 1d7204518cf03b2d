"""counterpoint evaluate: a run measured on a split, alone or against another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError


@dataclass(frozen=True)
class Options:
    """Measure a run: ELBO, IWAE-K, FIVO-K, the bound it was trained with, and its error in predicting each frame; for
    dated texts, precision on held-out words (MP and PP) instead of that error.

    All are lower bounds on the log-likelihood unless marked otherwise, in nats per step, higher is better. There are
    two averages: total nats divided by total steps, and the mean over sequences of nats divided by steps.
    """

    run: Annotated[Positional[str], tyro.conf.arg(metavar="RUN", help_behavior_hint="")]
    """the folder of a run"""
    split: Literal["train", "valid", "test"] = "test"
    """which part of the data"""
    particles: int = 16
    """K of IWAE-K and FIVO-K; 0 for neither"""
    replicates: int = 4
    """measurements of each sequence, which give the Monte Carlo standard error"""
    parzen: int = 0
    """samples for a Parzen window estimate of single frames (old tables use 10000); 0 for none"""
    ais: int = 0
    """check the likelihood of so many single frames by annealed importance sampling, where p has a prior; 0 for none"""
    csv: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """write the bounds of each sequence to this file"""
    against: Annotated[str | None, tyro.conf.arg(metavar="RUN2", help_behavior_hint="")] = None
    """compare with this run, sequence by sequence"""
    data: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE", help_behavior_hint="")] = None
    """measure on these data instead of the run's own, or on its own where they have moved"""
    corpora: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """where corpora are"""


def run(words: list[str]) -> None:
    options = parse(Options, words, "counterpoint evaluate", ["run"])
    if min(options.particles, options.parzen, options.ais) < 0 or options.replicates < 1:
        raise CounterpointError(
            "give at least 0 particles, 1 replicate, 0 samples of Parzen windows and 0 frames for annealed importance"
            " sampling"
        )
    if options.csv and options.csv.is_dir():
        raise CounterpointError(f"--csv: {options.csv} is a folder; give a file")
    from rich.console import Console

    from counterpoint.commands.measure import COLUMNS, caption, measure, rows, spreads, summary
    from counterpoint.commands.process import settle
    from counterpoint.commands.words import dated
    from counterpoint.data import load
    from counterpoint.data.normalising import in_units_of, same_units
    from counterpoint.evaluation import check_ais, write_csv
    from counterpoint.files import make_room
    from counterpoint.report import busy, counted, table
    from counterpoint.runs import EVALUATE, digest, open_run

    settle()
    if options.csv:
        make_room(options.csv)
    console = Console(highlight=False, markup=False)
    first = open_run(options.run, options.corpora)
    other = load(options.data, options.corpora) if options.data else None
    own = first.corpus(other)
    corpus = in_units_of(other, own) if other else own
    sequences = getattr(corpus, options.split)

    def scores(found, home):
        if options.ais:  # before what takes long
            check_ais(found.best(home)[0].p, sequences)
        with busy(console, f"measuring {found.folder}"):
            pairings = found.best(home)
            return measure(pairings, sequences, options.particles, found.key(EVALUATE), options.replicates)

    others, home = [], own
    if options.against is not None:
        second = open_run(options.against, options.corpora)
        home = second.corpus(other)
        if not options.data and digest(home) != digest(own):
            raise CounterpointError(
                f"{first.folder} and {second.folder} were trained on different data; name one to compare them on"
                " with --data"
            )
        if not same_units(own, home):
            raise CounterpointError(
                f"{first.folder} and {second.folder} learned numbers in different units, so their densities are of"
                " different numbers; measure each by itself"
            )
        others = [(second, scores(second, home))]
    shown = [(first, scores(first, own)), *others]
    lines = []
    for found, members in shown:
        results = {bound: summary([member[bound] for member in members]) for bound in members[0]}
        lines += rows(str(found.folder), results)
    sides = {score.side for _, members in shown for member in members for score in member.values()}
    said = caption(first.recipe.facts(own), sides) + spreads(lines, any(found.repeats > 1 for found, _ in shown))
    sizes = f"{counted(len(sequences), 'sequence')}, {counted(int(sequences.lengths.sum()), 'step')}"
    title = f"{corpus.name}, {options.split}: {sizes}"
    console.print(table(lines, COLUMNS, title, said))
    if dated(corpus):
        homes = [(found, learned) for (found, _), learned in zip(shown, (own, home))]
        try:
            console.print(precisions(homes, corpus, options))
        except CounterpointError as reason:
            console.print(f"no prediction of held-out words: {reason}")
    for (found, _), learned in zip(shown, (own, home)):
        console.print(f"{found.folder}:", soft_wrap=True)
        for line in remarks(found, learned, corpus, options):
            console.print(line)
    if others:
        console.print(differences(shown[0][1], shown[1][1]))
    if options.csv:
        names = sequences.names or [str(i) for i in range(len(sequences))]
        write_csv(columns(shown), names, options.csv)
        console.print(f"{options.csv}: one row for each sequence", soft_wrap=True)


def remarks(found, home, corpus, options: Options):
    """Lines about a run, each when it is known; `home` is what it was trained on, `corpus` what it is measured on."""
    from counterpoint.commands.latents import lines as latents
    from counterpoint.commands.remarks import opinion, prediction, total, windows
    from counterpoint.commands.words import dated
    from counterpoint.runs import EVALUATE

    sequences = getattr(corpus, options.split)
    if not dated(corpus) and sequences.lengths.max() > 1:  # of a still there is nothing before
        yield prediction(found, home, sequences)
    yield from total(found, home, sequences)
    yield from latents(found.best(home)[0], sequences, found.key(EVALUATE))
    if options.ais:
        yield opinion(found, home, sequences, options.ais)
    if options.parzen:
        yield windows(found, home, corpus, options.split, options.parzen)


def precisions(homes: list, corpus, options: Options):
    """A table: MP and PP of the first member of each run, and of what needs no model."""
    from counterpoint.commands.remarks import SAMPLES
    from counterpoint.commands.words import precision, words_table
    from counterpoint.runs import EVALUATE

    guesses = {
        str(found.folder): precision(found.best(home)[0], corpus, options.split, found.key(EVALUATE), SAMPLES)
        for found, home in homes
    }
    return words_table(guesses, corpus, options.split, SAMPLES, f"{corpus.name}, {options.split}: held-out words")


def differences(a: list, b: list):
    """A table of paired differences in every bound that both were measured with; repeats count as replicates."""
    from counterpoint.evaluation import compare
    from counterpoint.report import table

    found = []
    for bound in a[0]:
        if bound in b[0]:
            c = compare(together(a, bound), together(b, bound))
            row = {"test bound": bound}
            for name, column in (("per_step", "per step"), ("per_sequence", "per sequence")):
                value, error, z = (getattr(c, f"{name}{suffix}") for suffix in ("", "_error", "_z"))
                row[column] = f"{value:+.3f} ± {error:.3f} (z {z:+.1f})"
            found.append(row)
    caption = "The first minus the second on the same sequences: positive where the first is better. ± is the paired"
    caption += " standard error over sequences, z the difference by it."
    return table(found, ("test bound", "per step", "per sequence"), "difference", caption)


def together(members: list, bound: str):
    """The scores of all repeats as one."""
    import numpy as np

    from counterpoint.evaluation import Score

    parts = [member[bound] for member in members]
    return Score(np.concatenate([part.values for part in parts]), parts[0].lengths, parts[0].side)


def columns(shown: list) -> dict:
    """A column for each bound of each member of each run."""
    found = {}
    for run, members in shown:
        for seed, member in zip(run.seeds, members):
            where = f"{run.folder} " if len(shown) > 1 else ""
            which = f" seed {seed}" if run.repeats > 1 else ""
            found |= {f"{where}{bound}{which}": score for bound, score in member.items()}
    return found
