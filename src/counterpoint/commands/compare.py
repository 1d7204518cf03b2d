"""counterpoint compare: estimators on one batch, or runs by how they learned."""

import importlib

from counterpoint.errors import CounterpointError

HELP = """usage: counterpoint compare estimators RECIPE|RUN [--OPTION ...]
       counterpoint compare runs RUN RUN2 ... [--OPTION ...]

estimators  noise and bias of every gradient estimator that applies, on one
            batch, with the parameters held fixed
runs        how they learned: validation against updates and against time

Settings:   counterpoint compare estimators --help,
            counterpoint compare runs --help
"""

WHAT = ("estimators", "runs")


def run(words: list[str]) -> None:
    if not words or words[0] in ("-h", "--help"):
        print(HELP, end="")
        return
    if words[0] not in WHAT:
        raise CounterpointError(f"compare is given {words[0]!r}, expected 'estimators' or 'runs'")
    importlib.import_module(f"counterpoint.commands.compare_{words[0]}").run(words[1:])
