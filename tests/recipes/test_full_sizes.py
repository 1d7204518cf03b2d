"""Recipes of published sizes: they build, and updates of the largest can be traced."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint import matching
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.recipes import (
    avf,
    boltzmann,
    convolutional,
    denoising,
    diffusion,
    dmm,
    energy,
    exact,
    recurrent,
    speech,
    srnn,
    static,
    video,
)

KINDS = {  # by module: the shape of frames, their kind
    speech: ((200,), "real"),
    video: ((4096,), "grey"),
    avf: ((88,), "binary"),
    srnn: ((88,), "binary"),
    convolutional: ((784,), "binary"),
    denoising: ((784,), "grey"),
    dmm: ((88,), "binary"),
    static: ((784,), "binary"),
    diffusion: ((784,), "binary"),
    boltzmann: ((784,), "binary"),
    energy: ((88,), "binary"),
    exact: ((88,), "binary"),
    recurrent: ((88,), "binary"),
}
OWN = {"swiss-roll-diffusion": ((2,), "real"), "bars-rbm": ((16,), "binary"), "bars-rbm-exact": ((16,), "binary")}
OWN |= {
    one.name: ((59,), "real") for one in [*energy.RECIPES, *exact.RECIPES] if "mocap" in one.data
}  # of a recipe whose frames are not those of its module
RECIPES = {
    recipe.name: (recipe, *OWN.get(recipe.name, kind)) for module, kind in KINDS.items() for recipe in module.RECIPES
}
# of those that differ in data alone, one
UNLIKE = {(r.p, r.q, r.bound, r.estimator): name for name, (r, *_) in RECIPES.items()}.values()
SMALL = {recipe.name for module in (energy, exact, recurrent, boltzmann) for recipe in module.RECIPES}  # built in full
TRACED = ("timit-vrnn-avf", "piano-srnn-smoothing", "kth-svg-avf")


def frames(shape, kind, count=3):
    """Three sequences of whole 255ths, or of coins."""
    rng = np.random.default_rng(0)
    draw = lambda: rng.integers(2 if kind == "binary" else 256, size=(count, *shape)) / (1 if kind == "binary" else 255)
    return tuple(draw().astype(np.float32) for _ in range(2))


def build(name, key):
    recipe, shape, kind = RECIPES[name]
    return recipe.build(facts(frames(shape, kind), kind, likelihood=recipe.likelihood), key)


def shaped(name):
    """The pairing of a recipe with shapes in place of numbers."""
    return eqx.filter_eval_shape(lambda key: build(name, key), random.key(0))


def count(tree):
    arrays = [a for a in jax.tree.leaves(tree) if isinstance(a, jax.Array | jax.ShapeDtypeStruct)]
    return sum(a.size for a in arrays if jnp.issubdtype(a.dtype, jnp.floating))


@pytest.mark.parametrize("name", UNLIKE)
def test_every_recipe_builds_and_its_parts_go_together(name):
    pairing = build(name, random.key(0)) if name in SMALL else shaped(name)
    matching.check(pairing.p, pairing.q, pairing.bound, pairing.estimator)


@pytest.mark.parametrize("name", TRACED)
@pytest.mark.slow
def test_an_update_of_it_can_be_traced(name):
    _, shape, _ = RECIPES[name]
    pairing = shaped(name)

    def update(pairing, x):
        def loss(pairing):
            estimate, _ = pairing(Batch(x, jnp.ones(x.shape[:2], bool)), random.key(0), pairing.initial(), 0)
            return estimate.surrogate

        return eqx.filter_grad(loss)(pairing)

    grads = eqx.filter_eval_shape(update, pairing, jax.ShapeDtypeStruct((2, 3, *shape), jnp.float32))
    assert count((grads.p, grads.q)) == count((pairing.p, pairing.q))


def test_published_sizes():
    """Of the SRNN for music (Fraccaro et al. 2016, supplement): 300 units, z of 100, networks of 500."""
    p, q = (getattr(shaped("jsb-srnn-smoothing"), part) for part in "pq")
    gru = 3 * 300 * (300 + 1) + 3 * 300 * (88 + 1)
    prior, x = 500 * (400 + 1) + 200 * (500 + 1), 500 * (400 + 1) + 88 * (500 + 1)
    assert count(p) == gru + prior + x
    back = 3 * 300 * (300 + 1) + 3 * 300 * (388 + 1)
    assert count(q) == back + 500 * (300 + 1) + 500 * 400 + 200 * (500 + 1)
    # the VRNN for TIMIT (Marino et al. 2018, B.1)
    vrnn = shaped("timit-vrnn").p
    assert vrnn.cell.recurrent.weight.shape == (8000, 2000)
    assert (vrnn.gates_x.weight.shape, vrnn.gates_z.weight.shape) == ((8000, 600), (8000, 500))
    assert shaped("timit-vrnn-avf").q.update.refiner.last.weight.shape == (800, 1024)
