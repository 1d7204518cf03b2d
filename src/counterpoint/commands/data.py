"""counterpoint data: corpora."""

import dataclasses
import inspect
import re
import textwrap
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError, nearest

HELP = """usage: counterpoint data save SOURCE FILE.npz [--corpora FOLDER] [--OPTION ...]
       counterpoint data prepare NAME FILE [FILE2] [--corpora FOLDER]

save     read data as train does, with settings of your choice, and keep them
         in one file: counterpoint data save SOURCE FILE.npz --help
prepare  make a corpus from the public file or files, check it, and put it
         where train finds it: counterpoint data prepare --help

Corpora by name, of which docs/data.md says more:
"""


@dataclass(frozen=True)
class Save:
    """Read SOURCE as train does, with settings other than the usual ones, and keep it in one FILE for train --data.

    For example:

    counterpoint data save bouncing_balls two.npz --balls 2 --resolution 20

    The settings depend on the source: counterpoint data save SOURCE FILE --help lists them.
    """

    source: Annotated[Positional[str], tyro.conf.arg(metavar="SOURCE", help_behavior_hint="")]
    """a corpus by name, a folder or a file, as for train --data"""
    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
    """the .npz to write"""
    corpora: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """where corpora are, if not in COUNTERPOINT_DATA or the user's cache"""


@dataclass(frozen=True)
class Prepare:
    """Make the corpus NAME from the MATLAB files that were published, and check it. It goes into the folder of
    corpora, where train finds it by its name.

    NAME is piano_midi, nottingham, musedata or jsb_chorales, each from one FILE; mocap_mit, from mit_mocap.mat; or
    mocap_cmu35, from cmu35WalkJog.mat and, as FILE2, cmu35TaylorScaleBias.mat.
    """

    name: Annotated[Positional[str], tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
    """the name of the corpus, such as jsb_chorales"""
    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
    """the published file"""
    second: Annotated[Positional[Path | None], tyro.conf.arg(metavar="[FILE2]", help_behavior_hint="")] = None
    """the second published file, of mocap_cmu35 alone"""
    corpora: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """where it goes, if not into COUNTERPOINT_DATA or the user's cache"""


def run(words: list[str]) -> None:
    if not words or words[0] in ("-h", "--help"):
        from counterpoint.data import CORPORA

        print(HELP + textwrap.fill(", ".join(CORPORA), 79, break_on_hyphens=False))
        return
    verbs = {"prepare": prepare, "save": save}
    if words[0] not in verbs:
        raise CounterpointError(f"data has no verb {words[0]!r}{nearest(words[0], verbs)}")
    verbs[words[0]](words[1:])


def prepare(words: list[str]) -> None:
    options = parse(Prepare, words, "counterpoint data prepare", ["name", "file", "second"])
    from counterpoint.data.prepare import prepare

    files = [file for file in (options.file, options.second) if file]
    made = prepare(options.name, files, options.corpora)
    where = f" --corpora {options.corpora}" if options.corpora else ""
    print(f"{made}\nnext: counterpoint train --data {options.name}{where}")


def save(words: list[str]) -> None:
    prog, places = "counterpoint data save", ["source", "file"]
    if not words or words[0].startswith("-"):
        parse(Save, words, prog, places)
    from counterpoint.data import reader, save_npz

    kind = choices(reader(words[0]))
    # in help a line of its own for what is chosen: tyro shortens it where there is much, and one or two are too long
    asked = "-h" in words or "--help" in words
    options = parse(kind, words, f"{prog}\n      " if asked else prog, places)
    if options.file.suffix != ".npz":
        raise CounterpointError(f"cannot write {options.file}: give a name in .npz")
    if options.file.exists():
        raise CounterpointError(f"{options.file} exists; give another name, or remove it first")
    chosen = {f.name: getattr(options, f.name) for f in dataclasses.fields(kind) if f.name not in (*places, "corpora")}
    corpus = reader(options.source, options.corpora)(**chosen)
    save_npz(options.file, corpus)
    print(f"{options.file}: {corpus.summary}\nnext: counterpoint train --data {options.file}")


def choices(read: Callable[..., Any]) -> type:
    """`Save` with the parameters of a reader that are not given yet, each by its name and as it is by default."""
    hints = typing.get_type_hints(getattr(read, "func", read))
    left = [p for p in inspect.signature(read).parameters.values() if p.kind is not p.VAR_POSITIONAL]
    fields = [(p.name, hints[p.name], dataclasses.field(default=p.default)) for p in left]
    kind = dataclasses.make_dataclass("Choices", fields, bases=(Save,), frozen=True)
    about = inspect.getdoc(getattr(read, "func", read)) or ""
    kind.__doc__ = re.split(r"\s+Raises\s", about)[0]
    return kind
