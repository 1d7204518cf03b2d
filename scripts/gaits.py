"""Whether motion changes its gait: continuations of a run and of a walk of CMU's subject 35, sorted by gait.

    python scripts/gaits.py RUN [RUN ...] [--corpora FOLDER]

Each RUN is a folder that `counterpoint train cmu-...` or `counterpoint reproduce mocap` made. A linear discriminant,
fitted to the training frames, says of every ten frames in a row which gait they are; a change is a continuation that
ends in another one than it was given. What is listed by seed is what `counterpoint generate RUN --prefix 20 --sequence
NAME --length 100 --seed SEED` makes, with the frame from which on it is all of the other gait. rms says how far the
numbers are from the mean frame: the data have 0.9 to 1.1, and more means that the motion has come apart.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np

from counterpoint.evaluation import generate
from counterpoint.runs import open_run

RUNNING = range(17, 27)  # trials of subject 35 that are runs; the others are walks
GIVEN, LENGTH, COUNT, WINDOW, ENDS = 20, 200, 100, 10, 25
SHOWN, SEEDS = 100, 20  # of the list
RIDGE = 1e-2


def discriminant(walks: np.ndarray, runs: np.ndarray):
    """Fisher's: above 0 is a run."""
    spread = np.cov(np.concatenate([walks - walks.mean(0), runs - runs.mean(0)]).T)
    normal = np.linalg.solve(spread + RIDGE * np.eye(len(spread)), runs.mean(0) - walks.mean(0))
    middle = normal @ (runs.mean(0) + walks.mean(0)) / 2
    return lambda frames: frames @ normal - middle


def smooth(frames: np.ndarray, score) -> np.ndarray:
    return np.convolve(score(frames), np.ones(WINDOW) / WINDOW, "valid")


def changes(pairing, given, score, fast: bool) -> str:
    """For each seed the frame from which on the other gait goes through to the end."""
    found = []
    for seed in range(SEEDS):
        (made,) = generate(pairing.p, jax.random.key(seed), SHOWN, 1, given, pairing.q, particles=16)
        same = np.flatnonzero((smooth(made, score) > 0) == fast)
        last = same[-1] + WINDOW if len(same) else 0
        if last < len(made):
            found.append(f"{seed} from {last}")
    return ", ".join(found) or "none"


def report(folder: str, corpora: str | None) -> None:
    run = open_run(folder, corpora and Path(corpora))
    corpus = run.corpus()
    pairing, train = run.best(corpus)[0], corpus.train
    runs = [int(name.rpartition("_")[2]) in RUNNING for name in train.names]
    gaits = [np.concatenate([x for x, fast in zip(train.x, runs) if fast == which]) for which in (False, True)]
    score = discriminant(*gaits)
    right = np.mean(np.concatenate([score(gaits[0]) < 0, score(gaits[1]) > 0]))
    print(f"{run.recipe.name}: {100 * right:.1f} % of the training frames are told apart")
    for i, x in enumerate(corpus.test.x):
        test = corpus.test.take([i])
        given = replace(test, x=tuple(a[:GIVEN] for a in test.x))
        for mean in (True, False):
            key = jax.random.key(0)
            made = generate(pairing.p, key, LENGTH, COUNT, given, pairing.q, particles=10, mean=mean)
            frames = np.stack(made)
            over = np.stack([smooth(one, score) for one in frames])
            fast = score(x).mean() > 0
            case = f"{'run' if fast else 'walk'}, {'means' if mean else 'draws'}"
            changed = np.sum((over[:, -ENDS:].mean(1) > 0) != fast)
            rms = np.sqrt((frames**2).mean((0, 2)))[[GIVEN - 1, GIVEN + LENGTH // 2 - 1, -1]]
            print(
                f"  {case}: {changed} of {COUNT} change their gait;"
                f" rms where it begins, in the middle and at the end: {rms[0]:.1f}, {rms[1]:.1f}, {rms[2]:.1f}"
            )
        print(f"  {corpus.test.names[i]} changes with seed: {changes(pairing, given, score, fast)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="+", help="folders of runs on mocap_cmu35")
    parser.add_argument("--corpora", help="where corpora are, if not where they were")
    options = parser.parse_args()
    for folder in options.run:
        report(folder, options.corpora)
