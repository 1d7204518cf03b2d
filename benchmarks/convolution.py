"""The gradient of a convolution by one matrix product and by XLA's own, alone and within a loop, on a CPU.

    python benchmarks/convolution.py [--rounds 5]

64 images, the layers of an SVG's encoder (DCGAN's kernels, 16 channels first) and one of VGG's. A loop is what a scan
over steps or repeats one after the other make of it; its time is that of one of its two turns. Gradients by weights and
images must agree before anything is timed.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random
from timing import medians

from counterpoint.networks.convolutional import convolved, product

COUNT, TURNS = 64, 2
LAYERS = ((1, 64, 16, 4, 2), (16, 32, 32, 4, 2), (32, 16, 64, 4, 2), (64, 8, 128, 4, 2), (64, 16, 64, 3, 1))


def gradient(way, stride):
    """(weights, images) -> the gradient of a sum of squares by both."""

    def loss(weight, x):
        return jnp.square(jax.vmap(lambda x: way(weight, x, stride))(x)).sum()

    return jax.grad(loss, (0, 1))


def sides(inputs, side, outputs, kernel, stride):
    """Each side as a call, all with the same result for the first turn."""
    weight = random.normal(random.key(0), (TURNS, outputs, inputs, kernel, kernel)) / kernel
    x = random.normal(random.key(1), (TURNS, COUNT, inputs, side, side))
    found = {}
    for name, way in (("product", product), ("XLA", convolved)):
        f = gradient(way, stride)
        alone, loop = jax.jit(f), jax.jit(lambda *a, f=f: lax.map(lambda a: f(*a), a))
        found[name] = lambda alone=alone: alone(weight[0], x[0])
        found[f"{name}, loop"] = lambda loop=loop: loop(weight, x)
    first = lambda name: [np.asarray(a[0] if "loop" in name else a) for a in found[name]()]
    for name in found:
        for a, b in zip(first(name), first("XLA")):
            assert np.abs(a - b).max() < 1e-4 * np.abs(b).max(), name
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    heads = "channels, side, kernel", "product, ms", "XLA's own, ms", "in a loop: product, ms", "XLA's own, ms", "ratio"
    print(f"| {' | '.join(heads)} |")
    print("|---|---|---|---|---|---|")
    for inputs, side, outputs, kernel, stride in LAYERS:
        took = medians(sides(inputs, side, outputs, kernel, stride), rounds)
        a, b, c, d = took["product"], took["XLA"], took["product, loop"] / TURNS, took["XLA, loop"] / TURNS
        name = f"{inputs} to {outputs}, {side}, {kernel} by {kernel}"
        print(f"| {name} | {a:.0f} | {b:.0f} | {c:.0f} | {d:.0f} | {d / c:.0f} |", flush=True)


if __name__ == "__main__":
    main()
