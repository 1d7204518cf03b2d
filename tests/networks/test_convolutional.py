"""Sizes as published, what a decoder copies, and in NumPy a transposed convolution and the likelihood of a ConvVAE."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import refusal, stirred
from counterpoint.distributions import facts
from counterpoint.models import ConvVAEConfig
from counterpoint.networks import Decoder, Encoder, Maps
from counterpoint.networks.convolutional import Convolution, Doubling, convolved, halved, product, pyramid

RNG = np.random.default_rng(0)
PUBLISHED = {  # out and in channels of each convolution of an encoder; half of what a decoder's stages read is copied
    ("dcgan", 64): [(64, 1), (128, 64), (256, 128), (512, 256)],
    ("vgg", 64): [(64, 1), (64, 64), (128, 64), (128, 128), (256, 128), (256, 256), (256, 256), (512, 256)],
}
PUBLISHED["vgg", 64] += [(512, 512), (512, 512)]
PUBLISHED["vgg", 128] = [*PUBLISHED["vgg", 64], (512, 512), (512, 512), (512, 512)]
BACK = {
    ("dcgan", 64): [(256, 1024), (128, 512), (64, 256), (1, 128)],
    ("vgg", 64): [(512, 1024), (512, 512), (256, 512), (256, 512), (256, 256), (128, 256), (128, 256), (64, 128)],
}
BACK["vgg", 64] += [(64, 128), (1, 64)]
BACK["vgg", 128] = [(512, 1024), (512, 512), (512, 512), *BACK["vgg", 64]]


def pair(kind, side):
    """A small encoder, and a decoder with two numbers for each pixel."""
    return Encoder(kind, side, 2, 3, key=random.key(0)), Decoder(kind, side, 2, 3, 2, key=random.key(1))


def convolutions(part):
    found = jax.tree.leaves(part, is_leaf=lambda a: isinstance(a, Doubling | Convolution))
    found = [a.parts if isinstance(a, Doubling) else a for a in found if isinstance(a, Doubling | Convolution)]
    each = {2: 4, 3: 1, 4: 1}  # a part for each parity of rows and columns
    return [(a.weight.shape[0] // each[a.weight.shape[2]], a.weight.shape[1]) for a in found]


@pytest.mark.parametrize(("kind", "side"), PUBLISHED)
def test_stages_are_those_of_the_paper_at_its_sizes(kind, side):
    make = lambda key: (Encoder(kind, side, 64, 128, key=key), Decoder(kind, side, 64, 128, 1, key=key))
    encoder, decoder = eqx.filter_eval_shape(make, random.key(0))
    assert convolutions(encoder) == PUBLISHED[kind, side]
    assert convolutions(decoder) == BACK[kind, side]
    assert encoder.last.weight.shape == (128, 512 * 4 * 4)
    h, maps = eqx.filter_eval_shape(encoder, jax.ShapeDtypeStruct((1, side, side), jnp.float32))
    assert h.shape == (128,)
    finest = side if kind == "vgg" else side // 2
    assert [a.shape[1] for a in maps.maps] == [finest // 2**i for i in range(len(maps.maps))]
    assert eqx.filter_eval_shape(decoder, h, maps).shape == (1, side, side)


@pytest.mark.parametrize("side", [2, 4, 8, 12, 28])
@pytest.mark.parametrize("kind", ["dcgan", "vgg"])
def test_any_side_that_halves_comes_back_as_it_was(kind, side):
    encoder, decoder = eqx.filter_eval_shape(lambda: pair(kind, side))
    h, maps = eqx.filter_eval_shape(encoder, jax.ShapeDtypeStruct((1, side, side), jnp.float32))
    assert eqx.filter_eval_shape(decoder, h, maps).shape == (2, side, side)


@pytest.mark.parametrize("side", [1, 7, 22, 36])
def test_a_side_that_does_not_halve_is_refused(side):
    message = refusal(lambda: pyramid(side, 4))
    assert f"{side} x {side}" in message
    assert "choose a resolution" in message


@pytest.mark.parametrize("kind", ["dcgan", "vgg"])
def test_a_decoder_copies_every_map_and_reads_the_vector(kind):
    encoder, decoder = stirred(pair(kind, 8), 3)
    h, maps = encoder(jnp.asarray(RNG.random((1, 8, 8)), jnp.float32))
    assert (jnp.abs(h) < 1).all()
    found = decoder(h, maps)
    assert jnp.abs(found - decoder(h + 0.5, maps)).max() > 1e-4
    for i, a in enumerate(maps.maps):
        other = Maps((*maps.maps[:i], a[:, ::-1], *maps.maps[i + 1 :]))
        assert jnp.abs(found - decoder(h, other)).max() > 1e-4


@pytest.mark.parametrize("kind", ["dcgan", "vgg"])
def test_a_decoder_without_copies_is_one_whose_copies_weigh_nothing(kind):
    whole = stirred(pair(kind, 8)[1], 3)
    _, maps = pair(kind, 8)[0](jnp.zeros((1, 8, 8)))
    plain = Decoder(kind, 8, 2, 3, 2, copies=False, key=random.key(1))
    arrays, rest = eqx.partition(plain, eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays)
    theirs = jax.tree.leaves(eqx.filter(whole, eqx.is_array))
    shared = [a[:, : b.shape[1]] if a.ndim == 4 else a for a, b in zip(theirs, leaves, strict=True)]
    plain = eqx.combine(jax.tree.unflatten(structure, shared), rest)
    still = Maps(tuple(jnp.zeros_like(a) for a in maps.maps))
    g = jnp.array([0.3, -1.0, 2.0])
    np.testing.assert_allclose(plain(g), whole(g, still), atol=1e-5)


def transposed(layer: Doubling, x):
    """y of a transposed convolution of kernel 4, stride 2 and padding 1, by its definition."""
    weight, bias = (np.asarray(a, float) for a in (layer.parts.weight, layer.parts.bias))
    weight, bias, side = weight.reshape(2, 2, -1, len(x), 2, 2), bias.reshape(2, 2, -1), x.shape[1]
    padded = np.zeros((weight.shape[2], 2 * side + 2, 2 * side + 2))
    for i in range(side):
        for j in range(side):
            for m in range(4):  # x_i adds K_m x_i to y_(2 i - 1 + m)
                for n in range(4):
                    (a, u), (b, v) = ((1 - m % 2, (3 - m) // 2), (1 - n % 2, (3 - n) // 2))
                    padded[:, 2 * i + m, 2 * j + n] += weight[a, b, :, :, u, v] @ x[:, i, j]
    return padded[:, 1:-1, 1:-1] + np.tile(bias.transpose(2, 0, 1), (1, side, side))


@pytest.mark.usefixtures("x64")
def test_doubling_is_a_transposed_convolution():
    layer = stirred(Doubling(3, 2, key=random.key(0)), 1)
    x = RNG.normal(size=(3, 5, 5))
    np.testing.assert_allclose(layer(jnp.asarray(x)), transposed(layer, x), atol=1e-12)


def rectified(norm: eqx.nn.GroupNorm, a):
    """max(v, v / 5), v the channels of a in one group."""
    weight, bias = (np.asarray(part)[:, None, None] for part in (norm.weight, norm.bias))
    v = weight * (a - a.mean()) / np.sqrt(a.var() + norm.eps) + bias
    return np.maximum(v, 0.2 * v)


@pytest.mark.usefixtures("x64")
def test_the_likelihood_of_a_convolutional_vae_is_that_of_its_equations():
    """Dec of 12 x 12: 4 channels of 3 x 3, doubled to 2 of 6 x 6, doubled to the logits, to which b is added."""
    known = facts((RNG.integers(0, 2, (5, 12, 12)).astype(float),))
    p, z = stirred(ConvVAEConfig(latent=3, base=2).build(known, random.key(0)), 1), jnp.array([0.3, -1.0, 2.0])
    dec, (inner, outer) = p.decoder, p.decoder.stages
    a = np.asarray(dec.first.weight @ z + dec.first.bias)
    a = rectified(dec.start.layers[0], a.reshape(4, 3, 3))
    a = rectified(inner.layers[1], transposed(inner.layers[0], a))
    logits = transposed(outer.layers[0], a).ravel() + np.asarray(p.offset)
    np.testing.assert_allclose(p.likelihood(p.initial(), z).logits.ravel(), logits, atol=1e-12)
    prior = p.prior(p.initial())
    np.testing.assert_array_equal((prior.loc, prior.scale), (np.zeros(3), np.ones(3)))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (3, 1), (2, 1)])
def test_the_product_on_a_cpu_is_the_convolution_and_so_are_its_gradients(kernel, stride):
    layer = stirred(Convolution(3, 5, kernel, stride, key=random.key(0)), 1)
    x = jnp.asarray(RNG.normal(size=(2, 3, 7, 8)))

    def mixed(run, weight):
        y = jax.vmap(lambda x: run(weight, x, stride))(x)
        return (y * jnp.sin(jnp.arange(y.size)).reshape(y.shape)).sum(), y

    (_, y), gradient = jax.value_and_grad(lambda w: mixed(product, w), has_aux=True)(layer.weight)
    (_, want), theirs = jax.value_and_grad(lambda w: mixed(convolved, w), has_aux=True)(layer.weight)
    np.testing.assert_allclose(y, want, atol=1e-12)
    np.testing.assert_allclose(gradient, theirs, atol=1e-11)
    np.testing.assert_allclose(layer(x[0]), want[0] + layer.bias, atol=1e-12)


@pytest.mark.parametrize(("platform", "own"), [("cpu", False), ("cuda", True)])
def test_only_a_cpu_is_given_the_product(platform, own):
    layer = Convolution(3, 5, 4, 2, key=random.key(0))
    lowered = jax.jit(lambda x: layer(x)).trace(jnp.zeros((3, 8, 8))).lower(lowering_platforms=(platform,))
    assert ("convolution" in lowered.as_text()) == own


def test_a_map_is_halved_to_the_largest_of_each_four_and_its_gradient_goes_there():
    a = jnp.asarray(RNG.permutation(32).reshape(2, 4, 4), jnp.float32)
    want = np.asarray(a).reshape(2, 2, 2, 2, 2).max((2, 4))
    np.testing.assert_array_equal(halved(a), want)
    gradient = jax.grad(lambda a: halved(a).sum())
    np.testing.assert_array_equal(gradient(a), np.isin(a, want))
    np.testing.assert_array_equal(gradient(jnp.zeros((1, 2, 2))), [[[1, 0], [0, 0]]])  # of equal ones, the first


def test_the_gradient_of_an_encoder_is_finite_for_blank_frames_too():
    """A map that is computed again for the gradient may be rounded otherwise, so that none of four is the largest."""
    encoder = stirred(Encoder("vgg", 8, 4, 3, key=random.key(0)), 1)
    x = jnp.stack([jnp.zeros((1, 8, 8)), random.uniform(random.key(2), (1, 8, 8))])

    @eqx.filter_jit
    def gradient(encoder):
        def total(encoder):
            h, maps = jax.vmap(encoder)(x)
            return h.sum() + sum((a**2).sum() for a in maps.maps)

        return eqx.filter_grad(total)(encoder)

    assert all(np.isfinite(a).all() for a in jax.tree.leaves(gradient(encoder)))
