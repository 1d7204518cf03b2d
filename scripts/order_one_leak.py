"""What a slip of the published code is worth: errors of order-1 networks on bouncing balls as they are, and where the
hidden units that predict v_t have seen v_t instead of v_t-1, as in the prediction code of Gan et al. (2015).

    python scripts/order_one_leak.py RUN [--corpora FOLDER]

RUN is a run of balls-tsbn-1. Prints squared errors, summed over pixels, mean over frames 2 to T and over test videos,
one sample of h: one line for each member of the run.
"""

import argparse
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from counterpoint.core import Batch
from counterpoint.rollout import rollout
from counterpoint.runs import open_run


@eqx.filter_jit
def errors(p, q, x, key):
    """Squared errors of each video (B,), without and with the slip."""
    of_q, of_p = random.split(key)
    batch = Batch(x, jnp.ones(x.shape[:2], bool))
    h = jnp.swapaxes(rollout(p, q, batch, of_q)[0].z[:, :, 0], 0, 1)
    hidden, visible = p.hidden[0], p.visible
    before, now, past = x[:, :-1], x[:, 1:], h[:, :-1]

    def error(seen):
        odds = past @ hidden.across[0].T + seen @ hidden.below[0].T + hidden.bias[None, None]
        drawn = random.bernoulli(of_p, jax.nn.sigmoid(odds)).astype(x.dtype)
        mean = jax.nn.sigmoid(drawn @ visible.now.T + before @ visible.below[0].T + visible.bias[None, None])
        return ((now - mean) ** 2).sum(2).mean(1)

    return error(before), error(now)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--corpora", type=Path)
    options = parser.parse_args()
    run = open_run(options.run, options.corpora)
    corpus = run.corpus()
    frames = np.stack(corpus.test.x).astype(np.float32)
    x = jnp.asarray(frames.reshape(*frames.shape[:2], -1))
    for seed, member in zip(run.seeds, run.best(corpus)):
        right, wrong = (float(a.mean()) for a in errors(member.p, member.q, x, random.key(seed)))
        print(f"seed {seed}: {right:.2f} from v_t-1, {wrong:.2f} where h_t has seen v_t")


if __name__ == "__main__":
    main()
