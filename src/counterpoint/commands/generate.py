"""counterpoint generate: new sequences from a run, or continuations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError

DRAWN = 6  # more than that in one picture cannot be read


@dataclass(frozen=True)
class Options:
    """Let a run make new sequences: MIDI files and a piano roll for notes, else arrays and a picture.

    With a prefix, it continues the beginning of a test sequence.
    """

    run: Annotated[Positional[str], tyro.conf.arg(metavar="RUN", help_behavior_hint="")]
    """the folder of a run"""
    length: Annotated[int | None, tyro.conf.arg(help_behavior_hint="(default: a usual length of its data)")] = None
    """how many steps to make"""
    count: int = 1
    """how many sequences"""
    seed: int = 0
    """all chance comes from it"""
    prefix: int = 0
    """continue this many steps of a test sequence"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE|FOLDER", help_behavior_hint="(default: RUN/generated)")] = (
        None
    )
    """a .mid or .npz file, or a folder"""


def run(words: list[str]) -> None:
    options = parse(Options, words, "counterpoint generate", ["run"])
    if options.prefix < 0 or options.seed < 0:
        raise CounterpointError(f"prefix {options.prefix} and seed {options.seed}: both must be at least 0")
    import numpy as np
    from jax import random

    from counterpoint.commands.cache import keep_compiled
    from counterpoint.commands.pictures import draw, is_music, keep
    from counterpoint.evaluation import generate
    from counterpoint.runs import open_run

    keep_compiled()
    found = open_run(options.run)
    corpus = found.corpus()
    path = target(options, found.folder / "generated", is_music(corpus))
    pairing = found.best(corpus)[0]
    given = beginning(corpus, options.prefix) if options.prefix else None
    length = options.length if options.length is not None else int(np.median(corpus.train.lengths))
    made = generate(pairing.p, random.key(options.seed), length, options.count, given, pairing.q, 16 if given else 1)
    files = keep(corpus, made, path)
    picture = path.with_suffix(".png")
    titles = [f"generated {i + 1}" if len(made) > 1 else "generated" for i in range(len(made))][:DRAWN]
    if given is not None:
        titles = [f"{title}, after {options.prefix} given steps" for title in titles]
    draw(corpus, dict(zip(titles, made)), picture)
    for one in (*files, picture):
        print(one)


def target(options: Options, folder: Path, music: bool) -> Path:
    """The file to write. Raises CounterpointError for a kind of file that these data do not have."""
    default = ".mid" if music else ".npz"
    kinds = (".mid", ".npz") if music else (".npz",)
    out = folder if options.out is None else options.out
    if out.suffix in kinds and not out.is_dir():
        return out
    if out.suffix and not out.is_dir():
        raise CounterpointError(f"cannot write {out}: give a folder or a name in {' or '.join(kinds)}")
    start = f"prefix{options.prefix}-" if options.prefix else ""
    return out / f"{start}seed{options.seed}{default}"


def beginning(corpus, steps: int):
    """The first steps of the first test sequence that goes on after them."""
    from counterpoint.data import Sequences

    test = corpus.test
    for i, length in enumerate(test.lengths):
        if length > steps:
            observed = None if test.observed is None else (test.observed[i][:steps],)
            return Sequences((test.x[i][:steps],), observed, what=f"{test.what}, sequence {i}")
    raise CounterpointError(
        f"no test sequence is longer than {steps} steps; give a prefix below {int(test.lengths.max())}"
    )
