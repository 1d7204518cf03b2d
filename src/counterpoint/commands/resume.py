"""counterpoint resume: continue a run that was stopped."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse


@dataclass(frozen=True)
class Options:
    """Continue a run from its last checkpoint, as if it had never stopped, and report.

    A run that has finished is only measured and drawn again; one that used all its epochs is trained further with more
    --epochs.
    """

    run: Annotated[Positional[str], tyro.conf.arg(metavar="RUN", help_behavior_hint="")]
    """the folder of a run"""
    data: Annotated[str | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """where its data are, if no longer where they were"""
    corpora: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None
    """where corpora are, if no longer where they were"""
    epochs: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """epochs in all, those before included; no fewer than it began with"""


def run(words: list[str]) -> int:
    options = parse(Options, words, "counterpoint resume", ["run"])
    from counterpoint.commands.execute import execute
    from counterpoint.commands.process import settle
    from counterpoint.runs import open_run

    settle()
    found = open_run(options.run, options.corpora, options.data)
    corpus = found.corpus()
    return execute(found if options.epochs is None else found.longer(options.epochs), corpus)
