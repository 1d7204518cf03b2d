"""The forward messages of an HMM one step after the other, all sequences at once, against an associative scan.

    python benchmarks/hmm_scan.py [--rounds 10]

    a_t = (a_t-1 A) * p(x_t | z_t = .), scaled to sum to one; log p(x) = sum_t log of what it was divided by

The scan multiplies matrices A * p(x_t | .), each scaled by its greatest entry, pairwise: log2 T levels of K x K
products in the place of T products of a row. Both sides must find the same log p(x) before anything is timed.
"""

import argparse
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from timing import medians

CASES = ((50, 50, 100), (50, 1, 100), (50, 1, 1000), (10, 1, 1000), (2, 1, 1000), (2, 1, 100_000))  # K, B, T


def in_turn(start, move, say):
    """log p(x) (B,) of say (T, B, K)."""

    def step(message, now):
        message = (message @ move) * now
        scale = message.sum(-1, keepdims=True)
        return message / scale, jnp.log(scale[:, 0])

    first = start * say[0]
    scale = first.sum(-1, keepdims=True)
    return jnp.log(scale[:, 0]) + lax.scan(step, first / scale, say[1:])[1].sum(0)


def associative(start, move, say):
    """The same by products of neighbours."""

    def scaled(product):
        scale = product.max((-2, -1), keepdims=True)
        return product / scale, jnp.log(scale[..., 0, 0])

    def joined(earlier, later):
        product, more = scaled(earlier[0] @ later[0])
        return product, earlier[1] + later[1] + more

    steps = scaled(move * say[1:, :, None, :])
    product, logs = jax.tree.map(lambda a: a[-1], lax.associative_scan(joined, steps))
    last = jnp.einsum("bi,bij->b", start * say[0], product)
    return jnp.log(last) + logs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    print("| states | sequences | steps | in turn, ms | associative, ms | times |\n|---|---|---|---|---|---|")
    for states, count, length in CASES:
        rng = np.random.default_rng(0)
        start, move = (jnp.asarray(rng.dirichlet(np.ones(states), n), jnp.float32) for n in (1, states))
        say = jnp.asarray(rng.uniform(0.1, 1.0, (length, count, states)), jnp.float32)
        sides = {
            name: partial(jax.jit(side), start, move, say)
            for name, side in (("in turn", in_turn), ("associative", associative))
        }
        np.testing.assert_allclose(*(np.asarray(side()) for side in sides.values()), rtol=1e-4)
        times = medians(sides, options.rounds)
        ratio = times["associative"] / times["in turn"]
        print(
            f"| {states} | {count} | {length} | {times['in turn']:.2f} | {times['associative']:.2f} | {ratio:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
