"""What a backward network sees, and what it does not."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import build_p, facts_of, frames, refusal, stirred
from counterpoint.bounds import ELBO
from counterpoint.core import Pairing
from counterpoint.estimators import Pathwise
from counterpoint.inference import FilteringConfig, RecurrentFilteringConfig, SmoothingConfig

pytestmark = pytest.mark.usefixtures("x64")

CELLS = ["gru", "lstm"]


def context(q, p, x, mask=None):
    x = jnp.asarray(x)
    mask = jnp.ones(x.shape, bool) if mask is None else jnp.asarray(mask)
    x = jnp.where(mask, x, 0.0)
    return q.encode(p, q.memory(), x, p.embed(p.memory(), x)[1], mask)[1]


def smoothing(p, model, cell="gru", **options):
    config = SmoothingConfig(hidden=3, width=4, cell=cell, **options)
    return stirred(config.build(p, facts_of(model), random.key(1)), 5)


@pytest.mark.parametrize("cell", CELLS)
def test_it_is_a_recurrence_from_the_end(cell):
    p = build_p("srnn")
    q, x = smoothing(p, "srnn", cell), jnp.asarray(frames("binary", 1, 5)[0])
    e = p.embed(p.memory(), x)[1]
    state, want = q.cell.initial(), []
    for t in range(4, -1, -1):
        frame = p.features(x[t], jax.tree.map(lambda a, t=t: a[t], e))
        state = q.cell(q.gates(frame), state)
        want.append(q.from_a(q.cell.output(state)))
    np.testing.assert_allclose(context(q, p, x), jnp.stack(want[::-1]), atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_a_frame_moves_the_guesses_before_it_and_for_a_state_space_model_none_after_it(cell):
    p = build_p("dmm")
    q, x = smoothing(p, "dmm", cell), frames("real", 1, 6)[0]
    other = x.copy()
    other[3] += 1.0
    moved = np.asarray(jnp.abs(context(q, p, x) - context(q, p, other)).max(1))
    assert (moved[:4] > 1e-6).all()
    assert (moved[4:] == 0).all()


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_missing_or_after_the_end_is_as_if_it_were_not_there(cell):
    p = build_p("dmm")
    q, x = smoothing(p, "dmm", cell), frames("real", 1, 6)[0]
    mask = np.ones(x.shape, bool)
    mask[[2, 5]] = False
    rest = context(q, p, x[[0, 1, 3, 4]])
    np.testing.assert_allclose(context(q, p, x, mask)[np.array([0, 1, 3, 4])], rest, atol=1e-12)
    mask[1, 0] = False  # half a frame is still one
    assert (jnp.abs(context(q, p, x, mask)[0] - rest[0]) > 1e-6).any()


RESIDUAL = [
    FilteringConfig(width=3, residual=True),
    RecurrentFilteringConfig(3, 3, residual=True),
    SmoothingConfig(3, 3, residual=True),
]


@pytest.mark.parametrize("config", RESIDUAL)
@pytest.mark.parametrize("model", ["srnn", "lds"])
def test_a_residual_is_added_to_the_mean_of_the_prior(model, config):
    p = build_p(model)
    q = stirred(config.build(p, facts_of(model), random.key(0)), 3)
    plain = eqx.tree_at(lambda q: q.guess, q, Plain(q.guess))
    x = jnp.asarray(frames("binary" if model == "srnn" else "real", 1, 4)[0])
    e = p.embed(p.memory(), x)[1]
    carry = p.advance(p.initial(), jnp.array([0.5, -1.0]), jax.tree.map(lambda a: a[0], e))
    now = context(q, p, x)[1]
    found, bare = (one.propose(p, carry, now, x[1], random.key(0)).distribution for one in (q, plain))
    np.testing.assert_allclose(found.loc, bare.loc + p.prior(carry).mean, atol=1e-12)
    spread = lambda law: jax.tree.leaves(law)[1]
    np.testing.assert_allclose(spread(found), spread(bare), atol=1e-12)


class Plain(eqx.Module):
    """The same numbers without the prior's mean."""

    guess: eqx.Module

    def __call__(self, p, carry, context):
        past = jnp.concatenate([jnp.ravel(a) for a in jax.tree.leaves(carry)])
        raw = self.guess.rest(jax.nn.relu(context + self.guess.from_carry(past)))
        return p.prior(carry).like(raw)


@pytest.mark.parametrize("config", RESIDUAL)
def test_a_residual_without_a_mean_to_start_from_is_refused(config):
    for model in ("tsbn-1", "hmm-index", "tsbn-deep"):
        p = build_p(model)
        message = refusal(lambda p=p: config.build(p, facts_of("dmm"), random.key(0)))
        assert type(p).__name__ in message
        assert "choose residual = False" in message
    p = build_p("dmm")
    q = config.build(p, facts_of("dmm"), random.key(0))
    assert "residual" in refusal(lambda: Pairing(build_p("hmm-index"), q, ELBO(), Pathwise()))
