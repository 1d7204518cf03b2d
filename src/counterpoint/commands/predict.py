"""counterpoint predict: each frame from those before it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError


@dataclass(frozen=True)
class Options:
    """Predict each frame from those before it. Shows the error of one draw and of the mean of many, beside two
    baselines, and writes one sequence as arrays and as a picture.

    The error is the squared difference, summed over a frame, averaged over steps 2 to T and over sequences; ± is the
    standard error over sequences.

    Videos and motion are written as a GIF as well: 1 is the data, 2 the prediction.

    For dated texts, the held-out words are predicted, and those of the year after: precision MP and PP at 50, or at
    half of the vocabulary where that is fewer.
    """

    run: Annotated[Positional[str], tyro.conf.arg(metavar="RUN", help_behavior_hint="")]
    """the folder of a run"""
    samples: int = 50
    """draws of the hidden variables that a prediction averages over"""
    sequence: Annotated[str, tyro.conf.arg(metavar="NAME|NUMBER", help_behavior_hint="(default: the first)")] = "0"
    """which sequence to write and draw"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE|FOLDER", help_behavior_hint="(default: RUN/predicted)")] = (
        None
    )
    """an .npz file or a folder to write to"""
    split: Literal["train", "valid", "test"] = "test"
    """which part of the data"""
    seed: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: the run's)")] = None
    """seed of every random number"""
    data: Annotated[str | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """where its data are, if no longer where they were"""
    corpora: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """where corpora are"""


def run(words: list[str]) -> None:
    options = parse(Options, words, "counterpoint predict", ["run"])
    if options.samples < 1:
        raise CounterpointError(f"--samples is {options.samples}; give at least 1")
    if options.seed is not None and not 0 <= options.seed < 2**31:
        raise CounterpointError(f"--seed is {options.seed}; give at least 0, below 2^31")
    import numpy as np
    from rich.console import Console

    from counterpoint.commands.measure import FIRST, first
    from counterpoint.commands.pictures import draw, keep, look, values
    from counterpoint.commands.process import settle
    from counterpoint.commands.words import dated, precision, words_table
    from counterpoint.data.normalising import units
    from counterpoint.evaluation import error, predict
    from counterpoint.evaluation.baselines import last_frames
    from counterpoint.evaluation.prediction import check_lengths
    from counterpoint.files import replacing, target
    from counterpoint.report import busy, counted, table
    from counterpoint.runs import EVALUATE, open_run

    settle()
    console = Console(highlight=False, markup=False)
    found = open_run(options.run, options.corpora, options.data)
    corpus = found.corpus()
    key = (found if options.seed is None else replace(found, seed=options.seed)).key(EVALUATE)
    sequences = getattr(corpus, options.split)
    drawn = sequences.find(options.sequence)
    path = target(options.out or found.folder / "predicted", f"{options.split}{drawn}", (".npz",))
    pairing, name = found.best(corpus)[0], f"{found.recipe.p.name} + {found.recipe.q.name}"
    which = f", seed {found.seed}" if found.repeats > 1 else ""
    if dated(corpus):
        with busy(console, "predicting"):
            words_found = precision(pairing, corpus, options.split, key, options.samples)
        title = f"{corpus.name}, {options.split}: {len(corpus.train.x[0])} years{which}"
        console.print(words_table({name: words_found}, corpus, options.split, options.samples, title))
        view = corpus.view
        with replacing(path) as file:
            arrays = {"data": sequences.x[0], "prediction": words_found.shares}
            np.savez(file, words=np.array(view.vocabulary), times=np.array(view.times[: len(sequences.x[0])]), **arrays)
        console.print(str(path), soft_wrap=True)
        return
    check_lengths(sequences)  # before what takes long
    with busy(console, "predicting"):
        guesses = {
            f"{name}, one sample": predict(pairing.p, pairing.q, sequences, key),
            f"{name}, mean of {options.samples}": predict(pairing.p, pairing.q, sequences, key, options.samples),
        }
    with busy(console, "training the first-order baseline"):
        baseline = first(found.recipe, corpus)
        if baseline is not None:
            guesses[FIRST] = predict(baseline.p, baseline.q, sequences, key)
    guesses["copy of the last frame"] = last_frames(sequences, corpus.kind)
    rows = []
    for title, guess in guesses.items():
        score = error(guess, sequences)
        plus = f" ± {score.spread:.3f}" if score.spread == score.spread else ""
        rows.append({"predicted by": title, "error": f"{score.mean:.3f}{plus}"})
    normalised = ", of normalised numbers" if units(corpus) else ""
    caption = (
        f"Squared{normalised}, summed over a frame, mean over steps 2 .. T and over sequences. ± is the standard error"
        " over them."
    )
    title = f"{corpus.name}, {options.split}: {counted(len(sequences), 'sequence')}{which}"
    console.print(table(rows, ("predicted by", "error"), title, caption))

    one, mean = (list(guesses.values())[i].frames[drawn] for i in (0, 1))
    data = sequences.x[drawn]
    with replacing(path) as file:
        arrays = {"data": data, "prediction": mean, "one_sample": one}
        np.savez(file, **{name: values(corpus, a) for name, a in arrays.items()})  # pyright: ignore[reportArgumentType]
    console.print(str(path), soft_wrap=True)
    picture = path.with_suffix(".png")
    draw(corpus, {"data": data, f"prediction, mean of {options.samples}": mean}, picture)
    console.print(str(picture), soft_wrap=True)
    if look(corpus).suffix == ".gif":
        for film in keep(corpus, {"data": data, "prediction": mean}, path.with_suffix(".gif")):
            console.print(str(film), soft_wrap=True)
