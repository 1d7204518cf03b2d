"""Draws the examples of the documentation from the runs of the tables: counterpoint reproduce TABLE --out FOLDER first.

    python scripts/gallery.py FOLDER [NAME ...]

Each example is one call of `counterpoint generate`, or a file that training has left in the run. What is called is
said, and how many epochs the run has learned. Pictures and films go into docs/images, MIDI into docs/music, tables into
docs/results. A run that is not in FOLDER is named and left out; one that was stopped does. Names choose some examples.
"""

import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from counterpoint.cli import main as counterpoint
from counterpoint.runs import open_run

DOCS = Path(__file__).resolve().parent.parent / "docs"
PLACES = {".gif": "images", ".png": "images", ".mid": "music", ".md": "results"}
WALK, RUN = "35_29", "35_18"  # the test sequences of CMU's subject 35
MOTION = {  # what is given, and how it goes on
    "walk": f"--prefix 30 --sequence {WALK} --length 45 --mean",
    "run": f"--prefix 20 --sequence {RUN} --length 40 --mean",
}
# a run that becomes a walk, at once or some strides later: of a net trained anew, scripts/gaits.py says by which seeds
CHANGES = {
    name: f"--prefix 20 --sequence {RUN} --length 100 --seed {seed}"
    for name, seed in (("run-walk", 12), ("run-run-walk", 18))
}
MUSIC = {"piano-tsbn": 1, "nottingham-tsbn": 1, "muse-tsbn": 5, "jsb-tsbn": 1}  # by seed: half of Muse's pile up notes
# name -> run, what of it is wanted, options of generate; without, files that the run has from training
EXAMPLES = {
    **{name: ("cmu-dtsbn-d", (".gif",), options) for name, options in MOTION.items()},
    **{name: ("cmu-zero-dtsbn-d", (".gif",), options) for name, options in CHANGES.items()},
    **{name: (name, (".mid", ".png"), f"--length 100 --seed {seed}") for name, seed in MUSIC.items()},
    "sotu-topics": ("sotu-hmsbn", ("topics.png", "topics.md"), ""),
    "balls": ("balls-dtsbn-s-2", (".gif",), "--prefix 10 --length 60"),
    "balls-dictionary": ("balls-dtsbn-s-2", ("dictionary.png",), ""),
    "moving-mnist": ("moving-mnist-svg", (".png",), "--prefix 10 --length 10 --mean"),
    "jsb-tsbn-curves": ("jsb-tsbn", ("curves.png",), ""),
    "jsb-tsbn-rolls": ("jsb-tsbn", ("sequences.png",), ""),
}


def make(name: str, run: Path, kinds: tuple[str, ...], options: str) -> None:
    """Call generate, where there are options, and keep the files under the name of the example."""
    opened = open_run(run)
    print(f"{name}: {opened.recipe.name}, learned for {opened.progress().epoch} epochs")
    with tempfile.TemporaryDirectory() as folder:
        if options:
            words = ["generate", str(run), *shlex.split(options)]
            print("counterpoint", *words)
            if counterpoint([*words, "--out", folder]):
                sys.exit(1)
        for kind in kinds:
            (made,) = (Path(folder) if options else run).glob(f"*{kind}")
            place = DOCS / PLACES[made.suffix]
            place.mkdir(exist_ok=True)
            shutil.copyfile(made, place / f"{name}{made.suffix}")


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    tables, chosen = Path(sys.argv[1]), sys.argv[2:] or list(EXAMPLES)
    for name in chosen:
        recipe, kinds, options = EXAMPLES[name]
        runs = sorted(path.parents[1] for path in tables.glob(f"{recipe}-*/checkpoints/best.npz"))
        if not runs:
            print(f"{name}: no run of {recipe} in {tables}")
            continue
        make(name, runs[-1], kinds, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
