"""Draws points of a run of `swiss-roll-diffusion`, as q noises them and as p finds them: docs/images/swiss-roll.png.

    python scripts/swiss_roll.py RUN [FILE.png]

FILE is RUN/swiss-roll.png where none is named.

Above, points of the test set along one draw of the noising chain q(z_1 .. z_n | x); below, as many points along the
learned reversal p(z_n) p(z_n-1 | z_n) .. p(x | z_1), which begins at pure noise, at the right, and knows no data.
"""

import sys
from pathlib import Path

import jax
import numpy as np
from jax import random

from counterpoint.report.canvas import TRAIN, VALID, new_figure, save
from counterpoint.runs import open_run

COUNT, SHOWN, REACH = 1000, 4, 3.2  # points; moments after the first; half the width of a panel


def chains(pairing, x, key):
    """x = z_0, z_1 .. z_n of q, and of p: (points, n + 1, 2) each."""
    p, q = pairing.p, pairing.q

    def one(x, key):
        of_q, of_p, of_x = random.split(key, 3)
        noised = q.propose(p, p.initial(), x, x, of_q).distribution.sample(of_q)
        z = p.prior(p.initial()).sample(of_p)
        drawn = p.likelihood(p.initial(), z).sample(of_x)
        return jax.numpy.concatenate([x[None], noised]), jax.numpy.concatenate([drawn[None], z])

    return map(np.asarray, jax.jit(jax.vmap(one))(x, random.split(key, len(x))))


def draw(rows, path: Path) -> None:
    figure = new_figure(3.7)
    grid = figure.subplots(2, SHOWN + 1, sharex=True, sharey=True)
    for (title, colour, z), line in zip(rows, grid):
        moments = np.linspace(0, z.shape[1] - 1, SHOWN + 1).round().astype(int)
        for t, axes in zip(moments, line):
            axes.scatter(*z[:, t].T, s=1.5, color=colour, linewidths=0)
            axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", xticks=[], yticks=[])
            axes.set_title("x" if t == 0 else f"$z_{{{t}}}$", fontsize=9)
        line[0].set_ylabel(title, fontsize=8)
    save(figure, path)


def main() -> None:
    run = open_run(sys.argv[1], None)
    corpus = run.corpus()
    x = np.concatenate(corpus.test.x)[:COUNT]
    q, p = chains(run.best(corpus)[0], x, random.key(0))
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else run.folder / "swiss-roll.png"
    draw((("q, from data to noise →", VALID, q), ("← p, from noise to data", TRAIN, p)), path)
    far = lambda a: np.sqrt(((a[:, None] - x[None]) ** 2).sum(-1) + np.where(a is x, 9 * np.eye(len(x)), 0)).min(1)
    print(f"{path}: mean distance to the nearest point of the test set: of what p draws {far(p[:, 0]).mean():.3f}, of")
    print(f"the test set itself {far(x).mean():.3f}, of N(0, I) {far(p[:, -1]).mean():.3f}")


if __name__ == "__main__":
    main()
