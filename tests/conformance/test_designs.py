"""Every two parts that can meet do meet in one of these pairings, and each holds what any pairing must."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from conformance.crossings import COSTLY, designs, shared_out, with_gaps
from conformance.parts import BOUNDS, batch_of, build, build_estimator, spoiled
from counterpoint.core import Batch, Pairing

DESIGNS = designs()


def pairing_of(model, posterior, bound, estimator, seed=0):
    p, q = build(model, posterior, seed)
    return Pairing(p, q, BOUNDS[bound].build(), build_estimator(estimator, model))


@pytest.mark.parametrize("design", DESIGNS, ids="+".join)
def test_pairings_of_one_design_share_their_programs(design):
    """What compiling depends on is the same for each: a function that a part makes for itself would be another."""
    one, other = (eqx.partition(pairing_of(*design, seed=i), eqx.is_array)[1] for i in range(2))
    assert jax.tree.structure(one) == jax.tree.structure(other)
    assert jax.tree.leaves(one) == jax.tree.leaves(other)


@eqx.filter_jit
def run(pairing, batch, key, memory, step):
    """(estimate, memory), gradient."""

    def loss(pairing):
        estimate, new = pairing(batch, key, memory, step)
        return estimate.surrogate, (estimate, new)

    grad, out = eqx.filter_grad(loss, has_aux=True)(pairing)
    return out, grad


def same_bits(found, want):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)):
        np.testing.assert_array_equal(a, b)


def near(found, want, rtol=2e-4, atol=2e-5):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def sound(tree):
    """Finite, and in the default precision."""
    for leaf in jax.tree.leaves(tree):
        assert np.isfinite(leaf).all()
        assert leaf.dtype in (jnp.float32, jnp.int32)


@pytest.mark.parametrize("design", shared_out(DESIGNS, 4), ids="+".join)
def test_a_pairing_is_finite_and_blind_to_padding_and_gaps(design):
    """Each p and each q, in one of their pairings, where something of x is missing."""
    pairing, batch, key = pairing_of(*design), batch_of(design[0], missing=design in with_gaps()), random.key(1)
    args = key, pairing.initial(), 3
    found = run(pairing, batch, *args)
    sound(found)
    assert any(np.any(leaf != 0) for leaf in jax.tree.leaves(found[1]))
    same_bits(run(pairing, spoiled(batch, np.nan), *args), found)
    same_bits(run(pairing, spoiled(batch, 1e30), *args), found)


SOME = [
    design if design[0] not in COSTLY else pytest.param(design, marks=pytest.mark.slow)
    for design in DESIGNS[4 :: len(DESIGNS) // 4]
]


@pytest.mark.parametrize("design", SOME, ids="+".join)
@pytest.mark.slow
def test_two_devices_give_what_one_gives(design):
    pairing, batch, key = pairing_of(*design), batch_of(design[0]), random.key(3)
    mesh = jax.make_mesh((2,), ("batch",), axis_types=(AxisType.Auto,))
    split = jax.device_put(batch, NamedSharding(mesh, PartitionSpec("batch")))
    copy = lambda tree: jax.tree.map(
        lambda a: jax.device_put(a, NamedSharding(mesh, PartitionSpec())) if eqx.is_array(a) else a, tree
    )
    assert len(split.x.sharding.device_set) == 2
    near(
        run(copy(pairing), split, copy(key), copy(pairing.initial()), 3), run(pairing, batch, key, pairing.initial(), 3)
    )


@pytest.mark.parametrize("design", SOME, ids="+".join)
def test_repeats_in_one_program_give_what_each_gives_alone(design):
    alone, batch = [pairing_of(*design, seed=i) for i in range(2)], batch_of(design[0])
    keys = random.split(random.key(4), 2)
    arrays, rest = zip(*(eqx.partition(pairing, eqx.is_array) for pairing in alone))
    stacked = eqx.combine(jax.tree.map(lambda *a: jnp.stack(a), *arrays), rest[0])
    memory = jax.tree.map(lambda a: jnp.stack([a, a]), alone[0].initial())
    together = eqx.filter_vmap(run, in_axes=(eqx.if_array(0), None, 0, 0, None))(stacked, batch, keys, memory, 3)
    for i, pairing in enumerate(alone):
        near(jax.tree.map(lambda a, i=i: a[i], together), run(pairing, batch, keys[i], pairing.initial(), 3))


def test_compiled_and_plain_calls_agree():
    design = next(d for d in DESIGNS if d[0] == "tsbn-1" and d[2] == "fivo")
    pairing, batch, key = pairing_of(*design), batch_of(design[0]), random.key(5)
    near(pairing(batch, key, pairing.initial(), 3), run(pairing, batch, key, pairing.initial(), 3)[0])


def test_a_batch_without_steps_counts_nothing():
    pairing, batch = pairing_of("vrnn-gru", "filtering", "iwae", "pathwise"), batch_of("vrnn-gru")
    empty = Batch(batch.x, jnp.zeros_like(batch.valid))
    (estimate, _), grad = run(pairing, empty, random.key(0), (), 3)
    assert estimate.value == 0
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(grad))
