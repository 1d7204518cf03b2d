"""What a forward network remembers, and what it does not see."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import build_p, facts_of, frames, stirred
from counterpoint.core import Seen
from counterpoint.inference import FilteringConfig, RecurrentFilteringConfig
from counterpoint.networks import Maps

pytestmark = pytest.mark.usefixtures("x64")

CELLS = ["gru", "lstm"]


def encoded(q, p, x, mask=None, memory=None):
    x = jnp.asarray(x)
    mask = jnp.ones(x.shape, bool) if mask is None else jnp.asarray(mask)
    x = jnp.where(mask, x, 0.0)
    return q.encode(p, q.memory() if memory is None else memory, x, p.embed(p.memory(), x)[1], mask)


def recurrent(p, model, cell="lstm", **options):
    config = RecurrentFilteringConfig(hidden=3, width=4, cell=cell, **options)
    return stirred(config.build(p, facts_of(model), random.key(1)), 5)


@pytest.mark.parametrize("cell", CELLS)
def test_it_is_a_recurrence_from_the_beginning(cell):
    p = build_p("srnn")
    q, x = recurrent(p, "srnn", cell), jnp.asarray(frames("binary", 1, 5)[0])
    e = p.embed(p.memory(), x)[1]
    state, want = q.cell.initial(), []
    for t in range(5):
        state = q.cell(q.gates(p.features(x[t], jax.tree.map(lambda a, t=t: a[t], e))), state)
        want.append(q.from_a(q.cell.output(state)))
    memory, found = encoded(q, p, x)
    np.testing.assert_allclose(found, jnp.stack(want), atol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), memory, state)


@pytest.mark.parametrize("cell", CELLS)
def test_a_frame_moves_the_guess_of_its_step_and_those_after_it(cell):
    p = build_p("dmm")
    q, x = recurrent(p, "dmm", cell), frames("real", 1, 6)[0]
    other = x.copy()
    other[3] += 1.0
    moved = np.asarray(jnp.abs(encoded(q, p, x)[1] - encoded(q, p, other)[1]).max(1))
    assert (moved[:3] == 0).all()
    assert (moved[3:] > 1e-6).all()


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_missing_or_after_the_end_is_as_if_it_were_not_there(cell):
    p = build_p("dmm")
    q, x = recurrent(p, "dmm", cell), frames("real", 1, 6)[0]
    mask = np.ones(x.shape, bool)
    mask[[2, 5]] = False
    memory, found = encoded(q, p, x, mask)
    short, rest = encoded(q, p, x[[0, 1, 3, 4]])
    np.testing.assert_allclose(found[np.array([0, 1, 3, 4])], rest, atol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), memory, short)
    mask[1, 0] = False  # half a frame is still one
    assert (jnp.abs(encoded(q, p, x, mask)[1][3:] - found[3:]).max(1) > 1e-6).any()


def test_pieces_with_what_was_remembered_equal_the_whole():
    p = build_p("dmm")
    q, x = recurrent(p, "dmm"), frames("real", 1, 6)[0]
    memory, first = encoded(q, p, x[:2])
    _, rest = encoded(q, p, x[2:], memory=memory)
    np.testing.assert_allclose(jnp.concatenate([first, rest]), encoded(q, p, x)[1], atol=1e-12)


def test_without_the_past_z_is_guessed_from_x_alone():
    p, x = build_p("dmm"), jnp.asarray(frames("real", 1, 4)[0])
    for past in (True, False):
        q = recurrent(p, "dmm", past=past)
        now = encoded(q, p, x)[1][2]
        carries = [p.advance(p.initial(), jnp.array(z), x[0]) for z in ([0.5, -1.0], [2.0, 1.0])]
        one, two = (q.propose(p, carry, now, x[2], random.key(0)).distribution.loc for carry in carries)
        assert (jnp.abs(one - two).max() > 1e-6) == past


@pytest.mark.parametrize("config", [FilteringConfig(width=3), RecurrentFilteringConfig(width=3)])
def test_a_guess_reads_the_carry_but_its_feature_maps(config):
    p = build_p("svg")
    q = stirred(config.build(p, facts_of("svg"), random.key(0)), 2)
    state, seen = p.initial()
    sight = seen.value
    sizes = [a.size for a in jax.tree.leaves((state, sight.gates, sight.prior))]
    assert q.guess.from_carry.weight.shape[1] == sum(sizes)
    context = jnp.ones(3)
    want = q.guess(p, (state, seen), context).loc
    blank = Maps(tuple(0 * a for a in sight.skips.maps))
    np.testing.assert_array_equal(q.guess(p, (state, Seen(sight._replace(skips=blank))), context).loc, want)
    other = state, Seen(sight._replace(gates=sight.gates + 1))
    assert (q.guess(p, other, context).loc != want).any()
