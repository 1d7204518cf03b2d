"""What a recurrent Boltzmann machine is worth after the pass that validation kept, and after the last, by each log Z.

    python scripts/kept_pass.py RUN [--corpora FOLDER]

Prints log-likelihoods in nats per step, over the first 150 steps of 24 test sequences, one line for each member of the
run and each of the two: from above by annealed importance sampling, and from below, by chains of 500 temperatures; and
the norm of W. Where the two sides part as W grows, the higher number is the flattery of a log Z that is too small.
"""

import argparse
from pathlib import Path

import jax.numpy as jnp
from jax import random

from counterpoint.bounds import Annealed
from counterpoint.evaluation import evaluate
from counterpoint.runs import open_run
from counterpoint.training import checkpoint

SIDES = {"above": Annealed(500, conservative=False), "below": Annealed(500)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--corpora", type=Path)
    options = parser.parse_args()
    run = open_run(options.run, options.corpora)
    corpus = run.corpus()
    few = corpus.test.first(24, 150)
    for title, path in (("kept", run.checkpoints / "best.npz"), ("last", checkpoint.numbered(run.checkpoints)[-1])):
        for seed, pairing in zip(run.seeds, run.members(corpus, path)):
            scores = evaluate(pairing.p, pairing.q, few, SIDES, random.key(0), 1)
            said = "  ".join(f"{side} {scores[side].per_step:.2f}" for side in SIDES)
            print(
                f"{title}  seed {seed}  {said}  |W| {jnp.linalg.norm(pairing.p.machine.weights):.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
