"""Why an HMSBN predicts MIT's walks worse here than in print: errors of each test cut, of the cuts that were trained
on, and of test cuts drawn at random from all 39, as the supplement of Gan et al. (2015) says of theirs.

    python scripts/mit_cuts.py [--recipe mit-hmsbn] [--draws 3] [--corpora FOLDER]

Prints squared errors, summed over dimensions, mean over frames 2 to T, each a mean over 25 single samples of z; three
seeds. A random split takes 4 cuts to test, 3 to validate and 32 to train.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from jax import random

from counterpoint.commands.process import settle
from counterpoint.data import Corpus, Sequences, load
from counterpoint.evaluation import error, predict
from counterpoint.recipes import recipe
from counterpoint.training import fit

TEST, VALID, SAMPLES, SEEDS = 4, 3, 25, 3


def shuffled(corpus: Corpus, draw: int) -> Corpus:
    """The same 39 cuts, split at random."""
    cuts = [x for part in (corpus.train, corpus.valid, corpus.test) for x in part.x]
    mixed = [cuts[i] for i in np.random.default_rng(draw).permutation(len(cuts))]
    pack = lambda x, what: Sequences(tuple(x), what=f"{what}, split at random")
    test, valid, train = mixed[:TEST], mixed[TEST : TEST + VALID], mixed[TEST + VALID :]
    return replace(corpus, train=pack(train, "train"), valid=pack(valid, "valid"), test=pack(test, "test"))


def errors(name: str, corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Of each test cut, and of the training cuts together, (seeds, cuts) and (seeds,)."""
    chosen = recipe(name)
    known = chosen.facts(corpus)
    best = fit(lambda key: chosen.build(known, key), corpus.train, corpus.valid, chosen.fit, repeats=SEEDS).pairings

    def of(pairing, part: Sequences) -> float:
        return error(predict(pairing.p, pairing.q, part, random.key(1)), part).mean

    test = [[of(pairing, corpus.test.take([i] * SAMPLES)) for i in range(len(corpus.test))] for pairing in best]
    return np.array(test), np.array([of(pairing, corpus.train) for pairing in best])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="mit-hmsbn")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--corpora", type=Path)
    options = parser.parse_args()
    settle()
    corpus = load("mocap_mit", options.corpora)
    print("| split | test cuts | mean of them | training cuts |\n|---|---|---|---|")
    splits = {"the code's": corpus} | {f"random, {i}": shuffled(corpus, i) for i in range(options.draws)}
    for split, of in splits.items():
        test, train = errors(options.recipe, of)
        cuts = ", ".join(f"{a:.1f}" for a in test.mean(0))
        mean = test.mean(1)
        told = f"{mean.mean():.2f} ± {mean.std(ddof=1):.2f} | {train.mean():.2f} ± {train.std(ddof=1):.2f}"
        print(f"| {split} | {cuts} | {told} |", flush=True)


if __name__ == "__main__":
    main()
