"""The command: a verb, then what `commands/VERB.py` makes of the rest. Nothing heavy is imported for help."""

import importlib
import os
import sys
from collections.abc import Sequence

from counterpoint.errors import CounterpointError, nearest

VERBS = {
    "train": "fit a recipe to data, then measure and draw what it has learned",
    "resume": "continue a run that was stopped",
    "evaluate": "measure a run on its test set, or compare two runs",
    "predict": "predict each frame of a sequence from those before it",
    "generate": "let a run make new sequences, or continue given ones",
    "compare": "compare gradient estimators on one batch, or how runs learned",
    "reproduce": "run a published table, row by row",
    "recipes": "list the recipes",
    "show": "show the four parts of a recipe or a run, and every setting",
    "data": "prepare a corpus, or keep data with chosen settings in one file",
}

HELP = f"""Counterpoint learns deep generative models of sequences: a generative model p
and an approximate posterior q, trained together by maximising a bound.

usage: counterpoint VERB ...

{chr(10).join(f"  {verb:<10} {what}" for verb, what in VERBS.items())}

To begin:  counterpoint train                  chorales, two to three minutes
Then:      counterpoint generate runs/chorales-001
More:      counterpoint VERB --help            what a verb takes
           counterpoint train RECIPE --help    every setting of a recipe
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for a mistake of the user's, 130 or 143 where it was stopped."""
    words = list(sys.argv[1:] if argv is None else argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what XLA has to say of slow compiling
    try:
        return run(words)
    except CounterpointError as error:
        print(f"counterpoint: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("counterpoint: stopped by SIGINT", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough; keep Python's own flush quiet, too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def run(words: list[str]) -> int:
    """Raises CounterpointError for an unknown verb, and whatever the verb raises."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"counterpoint {version('counterpoint')}")
        return 0
    verb, *rest = words
    if verb not in VERBS:
        if verb.startswith("-"):
            raise CounterpointError(f"{verb!r} is no option{nearest(verb, ['--help', '--version'])}")
        raise CounterpointError(f"{verb!r} is no verb{nearest(verb, VERBS)}")
    return importlib.import_module(f"counterpoint.commands.{verb}").run(rest) or 0
