"""Draws the examples of the documentation from the runs of the tables: counterpoint reproduce TABLE --out FOLDER first.

    python scripts/gallery.py FOLDER [NAME ...]

Each example is one call of `counterpoint generate`, printed before it is made; its picture, film or MIDI file goes into
docs/images or docs/music. A run that is not in FOLDER is named and left out. Names choose some of the examples.
"""

import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from counterpoint.cli import main as counterpoint

DOCS = Path(__file__).resolve().parent.parent / "docs"
CORPORA = ("piano", "nottingham", "muse", "jsb")
WALK, RUN = "35_29", "35_18"  # the test sequences of CMU's subject 35
MOTION = {  # the slides' three trajectories: what is given, and how it goes on
    "walk": f"--prefix 30 --sequence {WALK} --length 45 --mean",
    "run": f"--prefix 20 --sequence {RUN} --length 40 --mean",
}
CHANGE = f"--prefix 20 --sequence {RUN} --length 70"
# name -> run, what of it is wanted, options of generate
EXAMPLES = {
    **{name: ("cmu-dtsbn-d", (".gif",), options) for name, options in MOTION.items()},
    "run-walk": ("cmu-zero-dtsbn-d", (".gif",), CHANGE),
    **{f"{corpus}-tsbn": (f"{corpus}-tsbn", (".mid", ".png"), "--length 100 --seed 1") for corpus in CORPORA},
    "balls": ("balls-dtsbn-s-2", (".gif", ".png"), "--prefix 10 --length 60"),
}


def make(name: str, run: Path, kinds: tuple[str, ...], options: str) -> None:
    """Call generate, and keep its files under the name of the example."""
    words = ["generate", str(run), *shlex.split(options)]
    print("counterpoint", *words)
    with tempfile.TemporaryDirectory() as folder:
        if counterpoint([*words, "--out", folder]):
            sys.exit(1)
        for kind in kinds:
            (made,) = Path(folder).glob(f"*{kind}")
            place = DOCS / ("music" if kind == ".mid" else "images")
            place.mkdir(exist_ok=True)
            shutil.copyfile(made, place / f"{name}{kind}")


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    tables, chosen = Path(sys.argv[1]), sys.argv[2:] or list(EXAMPLES)
    for name in chosen:
        recipe, kinds, options = EXAMPLES[name]
        runs = sorted(path.parent for path in tables.glob(f"{recipe}-*/results.json"))
        if not runs:
            print(f"{name}: no finished run of {recipe} in {tables}")
            continue
        make(name, runs[-1], kinds, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
