"""Convolutional networks from an image to a vector and back, with connections that skip the vector.

Those of Denton and Fergus 2018 (the code edenton/svg): DCGAN at 64 x 64, VGG at 64 x 64 and 128 x 128, and what they
become at other sizes. Sides are halved until 4 or an odd number of pixels is left, once at least; stage i has
base * min(2^i, 8) channels:

    side 64, base 64    64, 128, 256, 512         then a kernel of 4 x 4 -> h
    side 128            64, 128, 256, 512, 512    then the same

Departures. Batch normalisation would make what is said of one sequence depend on the others, and its running averages
are no part of a model that is a pytree of one example: here channels are normalised in groups of about 16 of the same
image (Wu and He 2018). The vector h is not normalised before its tanh, for one number has no group.
"""

import itertools
import math
from functools import partial
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Float

from counterpoint.distributions import Family
from counterpoint.errors import CounterpointError
from counterpoint.networks.linear import Linear

GROUP = 16  # channels that are normalised together: the best number of Wu and He 2018
LARGEST = 8  # what may be left of a side for the last kernel to read in one piece
Architecture = Literal["dcgan", "vgg"]


class Maps(NamedTuple):
    """Feature maps (channels, side, side), finest first. Networks that read a carry as a vector pass them by: they are
    too many numbers for that."""

    maps: tuple[Array, ...]


class Pyramid(NamedTuple):
    """channels of each stage, finest first; rest: the side that is left after all of them."""

    channels: tuple[int, ...]
    rest: int


def pyramid(side: int, base: int) -> Pyramid:
    """The stages for images of side x side. Raises CounterpointError where the side cannot be halved often enough."""
    rest, stages = side, 0
    while rest % 2 == 0 and (rest > 4 or not stages):
        rest, stages = rest // 2, stages + 1
    if not stages or rest > LARGEST:
        raise CounterpointError(
            f"images of {side} x {side} pixels cannot be halved down to {LARGEST} or fewer: choose a resolution such as"
            " 16, 28, 32, 48, 64 or 128"
        )
    return Pyramid(tuple(base * min(2**i, 8) for i in range(stages)), rest)


class Encoder(eqx.Module):
    """x (1, side, side) -> h = tanh(W a^n), (dim,), and the maps a^1 .. a^n,   a^i = stage^i(a^i-1).

    dcgan  a stage is a convolution of kernel 4 that halves the side: map i has side / 2^i
    vgg    2 convolutions of kernel 3, from the third stage on 3, between which the larger of each 2 x 2 is taken: map
           i has side / 2^(i-1)
    """

    stages: tuple[eqx.nn.Sequential, ...]
    last: Linear
    pools: bool = eqx.field(static=True)

    def __init__(self, architecture: Architecture, side: int, base: int, dim: int, *, key):
        channels, rest = pyramid(side, base)
        keys, stages = random.split(key, len(channels) + 1), []
        for i, (inputs, outputs) in enumerate(itertools.pairwise((1, *channels))):
            convolutions: list = [Convolution(inputs, outputs, 4, 2, key=keys[i])]
            if architecture == "vgg":
                convolutions = threes((inputs, *(outputs,) * count(i)), keys[i])
            stages.append(eqx.nn.Sequential([layer for c in convolutions for layer in (c, *rectified(outputs))]))
        self.stages, self.pools = tuple(stages), architecture == "vgg"
        self.last = Linear(channels[-1] * rest**2, dim, key=keys[-1])

    def __call__(self, image: Float[Array, "1 side side"]) -> tuple[Float[Array, " dim"], Maps]:
        a, maps = image, []
        for stage in self.stages:
            a = stage(a)
            maps.append(a)
            a = halved(a) if self.pools else a
        return jnp.tanh(self.last(a.ravel())), Maps(tuple(maps))


class Decoder(eqx.Module):
    """g (dim,), maps of an image like the one that is wanted -> (outputs, side, side):

    b^n = W g,   b^i-1 = stage^i([b^i, a^i]),   i = n .. 1

    An encoder's mirror; a stage doubles the side (dcgan) or has its side doubled before (vgg). The last convolution
    starts a tenth as large, and nothing follows it. Without `copies` it is given no maps, and a stage reads b^i alone.
    """

    first: Linear
    start: eqx.nn.Sequential
    stages: tuple[eqx.nn.Sequential, ...]
    rest: int = eqx.field(static=True)
    doubles: bool = eqx.field(static=True)

    def __init__(
        self, architecture: Architecture, side: int, base: int, dim: int, outputs: int, copies: bool = True, *, key
    ):
        channels, self.rest = pyramid(side, base)
        keys, stages, read = random.split(key, len(channels) + 1), [], 2 if copies else 1
        self.first = Linear(dim, channels[-1] * self.rest**2, key=keys[-1])
        self.start = eqx.nn.Sequential(rectified(channels[-1]))
        for i, (after, own) in reversed(list(enumerate(itertools.pairwise((outputs, *channels))))):
            convolutions: list = [Doubling(read * own, after, key=keys[i])]
            if architecture == "vgg":
                convolutions = threes((read * own, *(own,) * (count(i) - 1), after), keys[i])
            *others, end = convolutions
            layers = [layer for c in others for layer in (c, *rectified(own))]
            stages.append(eqx.nn.Sequential([*layers, *((end, *rectified(after)) if i else (small(end),))]))
        self.stages, self.doubles = tuple(stages), architecture == "vgg"

    def __call__(self, g: Float[Array, " dim"], skips: Maps | None = None) -> Float[Array, "outputs side side"]:
        a = self.start(self.first(g).reshape(-1, self.rest, self.rest))
        copied = [[]] * len(self.stages) if skips is None else [[skip] for skip in reversed(skips.maps)]
        for stage, skip in zip(self.stages, copied):
            a = jnp.repeat(jnp.repeat(a, 2, 1), 2, 2) if self.doubles else a
            a = stage(jnp.concatenate([a, *skip]))
        return a


class Convolution(eqx.Module):
    """y_o = sum_c K_oc * x_c + b_o, where x is zero for one pixel around; weights and biases begin uniform in
    +-1 / sqrt(inputs kernel^2). x (inputs, side, side) -> y (outputs, ., .).

    On a CPU by one matrix product with the places of a kernel beside each other, which are taken anew for the gradient.
    XLA's own takes up to 34 times as long there within a loop, over steps or over repeats; outside of one it is as fast
    or twice as fast (`benchmarks/convolution.py`).
    """

    weight: Float[Array, "outputs inputs kernel kernel"]
    bias: Float[Array, "outputs 1 1"]
    stride: int = eqx.field(static=True)

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, key):
        a, b = random.split(key)
        most = 1 / (inputs * kernel**2) ** 0.5
        self.weight = random.uniform(a, (outputs, inputs, kernel, kernel), minval=-most, maxval=most)
        self.bias = random.uniform(b, (outputs, 1, 1), minval=-most, maxval=most)
        self.stride = stride

    def __call__(self, x, *, key=None):
        by = lambda way: lambda weight, x: way(weight, x, self.stride)
        return lax.platform_dependent(self.weight, x, cpu=by(product), default=by(convolved)) + self.bias


def convolved(weight: Float[Array, "outputs inputs k k"], x: Float[Array, "inputs rows columns"], stride: int):
    """K * x, by XLA's convolution."""
    return lax.conv_general_dilated(x[None], weight, (stride, stride), ((1, 1), (1, 1)))[0]


@partial(jax.checkpoint, static_argnums=2)
def product(weight: Float[Array, "outputs inputs k k"], x: Float[Array, "inputs rows columns"], stride: int):
    """The same by a matrix product."""
    x, kernel = jnp.pad(x, ((0, 0), (1, 1), (1, 1))).transpose(1, 2, 0), weight.shape[2]
    rows, columns = ((side - kernel) // stride + 1 for side in x.shape[:2])
    cut = lambda i, j: x[i : i + stride * (rows - 1) + 1 : stride, j : j + stride * (columns - 1) + 1 : stride]
    places = jnp.concatenate([cut(i, j) for i in range(kernel) for j in range(kernel)], -1)
    y = places.reshape(rows * columns, -1) @ weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))
    return y.T.reshape(-1, rows, columns)


class Doubling(eqx.Module):
    """y[2 i + a, 2 j + b] = (K^ab * x)[i + a, j + b],   a, b in {0, 1}, K^ab of 2 x 2

    a transposed convolution of kernel 4, stride 2 and padding 1, taken apart by whether rows and columns of y are even:
    one convolution in place of one over a map filled up with zeros. x (channels, side, side) -> y (outputs, 2 side,
    2 side).
    """

    parts: Convolution

    def __init__(self, inputs: int, outputs: int, *, key):
        self.parts = Convolution(inputs, 4 * outputs, 2, key=key)

    def __call__(self, x, *, key=None):
        side = x.shape[1]
        each = self.parts(x).reshape(2, 2, -1, side + 1, side + 1)
        rows = [jnp.stack([each[a, b, :, a : a + side, b : b + side] for b in (0, 1)], -1) for a in (0, 1)]
        return jnp.stack(rows, 2).reshape(-1, 2 * side, 2 * side)


def count(stage: int) -> int:
    """Convolutions in a stage of VGG."""
    return 2 if stage < 2 else 3


def threes(channels: tuple[int, ...], key) -> list:
    """Convolutions of kernel 3 that keep the side."""
    pairs = list(itertools.pairwise(channels))
    keys = random.split(key, len(pairs))
    return [Convolution(a, b, 3, key=k) for (a, b), k in zip(pairs, keys)]


def rectified(channels: int) -> list:
    """What follows a convolution: normalisation in groups, and a leaky rectifier of slope 0.2."""
    groups = math.gcd(channels, max(1, channels // GROUP))
    return [eqx.nn.GroupNorm(groups, channels), eqx.nn.Lambda(leaky)]


def leaky(a):
    return jax.nn.leaky_relu(a, 0.2)


def small(convolution):
    """With weights a tenth as large."""
    return jax.tree.map(lambda a: 0.1 * a, convolution)


def halved(a: Float[Array, "channels side side"]):
    """The largest of each 2 x 2. A gradient goes where the comparison said: that of `max` looks for the largest anew,
    by equality, and is 0 / 0 where a map that is computed twice is rounded in two ways."""
    larger = lambda a, b: jnp.where(a >= b, a, b)
    rows = larger(a[:, ::2], a[:, 1::2])
    return larger(rows[..., ::2], rows[..., 1::2])


def side_of(family: Family, name: str) -> int:
    """Pixels of a square image's side. Raises CounterpointError, in the name of a part, where frames are none."""
    side, numbers = math.isqrt(family.width), family.size % family.width
    if side**2 != family.width or numbers or family.shape not in ((side, side), (family.width,)):
        raise CounterpointError(
            f"{name}: it is for square images of one channel, flattened or not, with numbers for each pixel, and frames"
            f" here have shape {family.shape} with likelihood {family.name}: choose p = vrnn,"
            " p = vae or q = filtering, or prepare the images so"
        )
    return side
