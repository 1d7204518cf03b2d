"""counterpoint generate: new sequences from a run, or continuations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError

DRAWN = 6  # more than that in one picture cannot be read


@dataclass(frozen=True)
class Options:
    """Let a run make new sequences: MIDI and a piano roll for notes, a GIF for images and motion, WAV and a
    spectrogram for sound, and arrays and a picture for all else.

    With --prefix it continues the beginning of a sequence of its data; a line in the picture follows what was given,
    and titles in a film say so.
    """

    run: Annotated[Positional[str], tyro.conf.arg(metavar="RUN", help_behavior_hint="")]
    """the folder of a run"""
    length: Annotated[
        int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: the median length of its data)")
    ] = None
    """how many steps to make"""
    count: int = 1
    """how many sequences"""
    seed: int = 0
    """seed of every random number"""
    prefix: int = 0
    """how many given steps of a sequence to continue; 0 for none"""
    sequence: Annotated[str | None, tyro.conf.arg(metavar="NAME|NUMBER", help_behavior_hint="(default: the first)")] = (
        None
    )
    """which sequence to continue"""
    split: Literal["train", "valid", "test"] = "test"
    """which part of the data that sequence is in"""
    mean: Annotated[bool, tyro.conf.arg(help_behavior_hint=""), tyro.conf.FlagCreatePairsOff] = False
    """give the expected frame at each step, without the noise of the likelihood"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE|FOLDER", help_behavior_hint="(default: RUN/generated)")] = (
        None
    )
    """a file or a folder to write to; a file ends in .npz, or in .mid, .gif or .wav for data that have it"""
    data: Annotated[str | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """where its data are, if no longer where they were"""
    corpora: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """where corpora are"""


def run(words: list[str]) -> None:
    options = parse(Options, words, "counterpoint generate", ["run"])
    for name, least in (("prefix", 0), ("seed", 0), ("length", 1), ("count", 1)):
        if (value := getattr(options, name)) is not None and value < least:
            raise CounterpointError(f"--{name} is {value}; give at least {least}")
    if options.sequence is not None and not options.prefix:
        raise CounterpointError(f"--sequence {options.sequence} is continued after its first steps; add --prefix STEPS")
    import numpy as np
    from jax import random

    from counterpoint.commands.pictures import draw, keep, look, titled
    from counterpoint.commands.process import settle
    from counterpoint.evaluation import generate
    from counterpoint.files import target
    from counterpoint.runs import open_run

    settle()
    found = open_run(options.run, options.corpora, options.data)
    corpus = found.corpus()
    kinds = tuple(dict.fromkeys((look(corpus).suffix, ".npz")))
    path = target(options.out or found.folder / "generated", title(options), kinds)
    pairing = found.best(corpus)[0]
    given = beginning(corpus, options) if options.prefix else None
    length = options.length if options.length is not None else int(np.median(corpus.train.lengths))
    how = {"particles": 16 if given else 1, "mean": options.mean}
    made = generate(pairing.p, random.key(options.seed), length, options.count, given, pairing.q, **how)
    for one in keep(corpus, titled(made), path, options.prefix):
        print(one)
    picture = path.with_suffix(".png")
    most = look(corpus).most or DRAWN
    titles = [f"generated {i + 1}" if len(made) > 1 else "generated" for i in range(len(made))][:most]
    if given is not None:
        titles = [f"{title}, after {options.prefix} given steps" for title in titles]
    draw(corpus, dict(zip(titles, made)), picture, options.prefix)
    print(picture)


def title(options: Options) -> str:
    """What a file is called that nobody named."""
    start = f"prefix{options.prefix}-" if options.prefix else ""
    start += f"{options.split}-{options.sequence}-" if options.sequence is not None else ""
    return f"{start}seed{options.seed}"


def beginning(corpus, options: Options):
    """The first steps of the sequence that is named, or of the first that goes on after them."""
    from counterpoint.data import Sequences

    group, steps = getattr(corpus, options.split), options.prefix
    chosen = [i for i, length in enumerate(group.lengths) if length > steps]
    if options.sequence is not None:
        chosen = [group.find(options.sequence)]
    if not chosen or group.lengths[chosen[0]] < steps:
        longest = int(group.lengths.max() if options.sequence is None else group.lengths[chosen[0]])
        which = f"no {options.split} sequence" if options.sequence is None else f"not {options.sequence}"
        raise CounterpointError(f"{which} is longer than {steps} steps; give a prefix below {longest}")
    i = chosen[0]
    observed = None if group.observed is None else (group.observed[i][:steps],)
    return Sequences((group.x[i][:steps],), observed, what=f"{group.what}, sequence {i}")
