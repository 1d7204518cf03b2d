"""counterpoint data: corpora."""

import dataclasses
import inspect
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

save     read data as train would, with what can be chosen of them, and keep
         them as one file: counterpoint data save SOURCE FILE.npz --help
prepare  make a corpus from the file or files that are public, check it, and
         put it where train finds it: counterpoint data prepare --help

Corpora by name, of which docs/data.md says more:
"""


@dataclass(frozen=True)
class Save:
    """Read SOURCE as train would, with other choices than the usual, and keep it as one FILE for train --data.

    counterpoint data save bouncing_balls two.npz --balls 2 --resolution 20

    What can be chosen depends on the source: counterpoint data save SOURCE FILE --help lists it.
    """

    source: Annotated[Positional[str], tyro.conf.arg(metavar="SOURCE", help_behavior_hint="")]
    """a corpus by name, a folder or a file, as for train --data"""
    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
    """an .npz"""
    corpora: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """where corpora are, if not in COUNTERPOINT_DATA or the user's cache"""


@dataclass(frozen=True)
class Prepare:
    """Make the corpus NAME from the MATLAB files of its release, and check it. It goes into the folder of corpora,
    where train finds it by its name.

    NAME is piano_midi, nottingham, musedata or jsb_chorales; mocap_cmu35, from cmu35WalkJog.mat and
    cmu35TaylorScaleBias.mat; or mocap_mit, from mit_mocap.mat.
    """

    name: Annotated[Positional[str], tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
    """what train will know it by, such as jsb_chorales"""
    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
    """the public file"""
    second: Annotated[Positional[Path | None], tyro.conf.arg(metavar="FILE2", help_behavior_hint="")] = None
    """the other, where there are two"""
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
    options = parse(kind, words, prog, places)
    if options.file.suffix != ".npz":
        raise CounterpointError(f"cannot write {options.file}: give a name in .npz")
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
    kind.__doc__ = "\n\n".join(part for part in about.split("\n\n") if not part.startswith("Raises "))
    return kind
