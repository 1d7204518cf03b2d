"""counterpoint data: corpora."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from counterpoint.commands.flags import parse
from counterpoint.errors import CounterpointError, nearest

HELP = """usage: counterpoint data prepare NAME FILE [FILE2] [--corpora FOLDER]

Make a corpus from the file or files that are public, check it, and put it
where train finds it. See counterpoint data prepare --help.
"""


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
        print(HELP, end="")
        return
    if words[0] != "prepare":
        raise CounterpointError(f"data has no verb {words[0]!r}{nearest(words[0], ['prepare'])}")
    options = parse(Prepare, words[1:], "counterpoint data prepare", ["name", "file", "second"])
    from counterpoint.data.prepare import prepare

    files = [file for file in (options.file, options.second) if file]
    made = prepare(options.name, files, options.corpora)
    where = f" --corpora {options.corpora}" if options.corpora else ""
    print(f"{made}\nnext: counterpoint train --data {options.name}{where}")
