"""Long sequences in crops that follow one another: the state goes on, its gradient does not."""

import signal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.bounds import ELBO, FIVO, IWAE, score
from counterpoint.core import AbstractEstimator, Batch, Pairing
from counterpoint.data.batch import buckets, plan, take, whole
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators import (
    FilteringEMConfig,
    Pathwise,
    ScoreFunctionConfig,
    VIMCOConfig,
    WakeSleepConfig,
)
from counterpoint.inference import FilteringConfig, IterativeConfig, Prior, RecurrentFilteringConfig
from counterpoint.models import AutoregressiveConfig, SRNNConfig, VRNNConfig
from counterpoint.training import FitConfig, OptimiserConfig, checkpoint, fit
from counterpoint.training.step import TRAIN, split

CROP = 3
RNG = np.random.default_rng(0)
TRAIN_SET = Sequences(tuple((np.cumsum(RNG.random((n, 4)) < 0.3, 0) % 2).astype(np.uint8) for n in (7, 8, 8, 7, 8)))
KNOWN = facts(TRAIN_SET.x)
SRNN, AVF = SRNNConfig(latent=2, hidden=3, width=3, cell="lstm"), IterativeConfig(iterations=2, width=3)
VRNN, REMEMBERS = VRNNConfig(latent=2, hidden=3, width=3, cell="gru"), RecurrentFilteringConfig(hidden=3, width=3)
PAIRINGS = {
    "pathwise": (VRNN, REMEMBERS, ELBO(particles=2), Pathwise()),
    "fivo": (VRNN, FilteringConfig(width=3), FIVO(particles=3, threshold=0.9), Pathwise()),
    "filtering_em": (SRNN, AVF, ELBO(), FilteringEMConfig()),
    "through time": (SRNN, AVF, ELBO(), FilteringEMConfig(through_time=True)),
    "score_function": (SRNN, FilteringConfig(width=3), ELBO(closed_form=False), ScoreFunctionConfig(baseline=2)),
    "vimco": (SRNN, FilteringConfig(width=3), ELBO(particles=2, closed_form=False), VIMCOConfig()),
    "wake_sleep": (SRNN, FilteringConfig(width=3), ELBO(particles=2, closed_form=False), WakeSleepConfig()),
}


def build(p, q, bound, estimator, key=None):
    keys = random.split(random.key(0) if key is None else key, 3)
    p = p.build(KNOWN, keys[0])
    return Pairing(p, q.build(p, KNOWN, keys[1]), bound.build(), estimator.build(p, KNOWN, keys[2]))


def config(**changes):
    plain = OptimiserConfig(name="sgd", p=0.1, clip=0.0)
    settings = {"epochs": 2, "batch_size": 3, "buckets": 1, "crop": CROP, "carry": True, "save_seconds": 0.0}
    return FitConfig(**settings | {"optimiser": plain} | changes)


def near(a, b):
    for u, v in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(u, v, rtol=1e-5, atol=1e-6)


LATER = ("through time", "vimco", "wake_sleep")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LATER)) for n in PAIRINGS])
@pytest.mark.slow
def test_chunks_of_a_stream_have_the_bound_and_end_in_the_state_of_the_whole(name):
    pairing = build(*PAIRINGS[name])

    @eqx.filter_jit
    def run(pairing, batch, key):
        estimate, _ = pairing(batch, key, pairing.initial(), 0)
        return estimate.value * batch.valid.sum(), estimate.state

    x = jnp.asarray(np.stack([a[:6] for a in TRAIN_SET.x]), float)
    batch = Batch(x, jnp.ones(x.shape[:2], bool))
    value, end = run(pairing, batch, random.key(5))
    total, state = 0.0, None
    for start in (0, CROP):
        chunk = batch._replace(x=x[:, start : start + CROP], valid=batch.valid[:, :CROP], state=state)
        part, state = run(pairing, chunk, random.key(5))
        total += part
    near((total, state), (value, end))


def cut(group, portion):
    return take(group, jnp.asarray(portion.rows[0]), CROP, portion.start)


def test_a_batch_goes_through_its_streams_before_the_next_begins():
    groups = buckets(TRAIN_SET, build(*PAIRINGS["pathwise"]).p, 1)
    found = plan(groups, 3, [0, 1], 0, CROP, carry=True)
    assert [portion.start for portion in found] == [0, 3, 6] * 2
    for i in (0, 3):
        assert all(np.array_equal(found[i].rows, found[i + j].rows) for j in (1, 2))
    for repeat in (0, 1):
        rows = np.concatenate([found[0].rows[repeat], found[3].rows[repeat]])
        assert sorted(rows) == [-1, 0, 1, 2, 3, 4]
    crops = [cut(groups[0], portion) for portion in found[:3]]
    joined = jnp.concatenate([batch.x for batch in crops], 1)[:, :8]
    assert np.array_equal(joined, take(groups[0], jnp.asarray(found[0].rows[0])).x)
    assert [int(batch.valid.sum()) for batch in crops][:2] == [9, 9]


@pytest.mark.slow
def test_where_nothing_is_learned_the_bound_of_an_epoch_is_that_of_the_whole():
    """Exact, for this p has no latent variable, and needs the two frames before each crop."""
    p = AutoregressiveConfig(order=2).build(KNOWN, random.key(3))
    p = jax.tree.map(lambda a: a + 0.3 if eqx.is_inexact_array(a) else a, p)
    pairing, still = Pairing(p, Prior(), ELBO(), Pathwise()), config(epochs=1, optimiser=OptimiserConfig(p=0.0))
    fitted = fit(pairing, TRAIN_SET, None, still)
    exact = score(p, Prior(), ELBO(), whole(TRAIN_SET, p), random.key(0)).sum()
    (group,) = buckets(TRAIN_SET, p, 1)
    total, state, means = 0.0, None, []
    for portion in plan([group], 3, [0], 0, CROP, carry=True):
        batch = cut(group, portion)._replace(state=state if portion.start else None)
        estimate, _ = pairing(batch, random.key(0), (), 0)
        state = estimate.state
        means.append(float(estimate.value))
        total += means[-1] * float(batch.valid.sum())
    assert total == pytest.approx(float(exact), abs=1e-4)
    assert fitted.progress.history[0]["train"][0] == pytest.approx(np.mean(means), abs=1e-5)


@pytest.mark.slow
def test_it_learns_as_a_loop_by_hand_does(tmp_path):
    """Two epochs: the state begins anew with each batch, is handed on between its crops, and has no gradient."""
    pairing = build(*PAIRINGS["pathwise"])
    fit(pairing, TRAIN_SET, None, config(), folder=tmp_path)
    saved = checkpoint.read(checkpoint.numbered(tmp_path)[-1])

    params, static = split(pairing)
    groups = buckets(TRAIN_SET, pairing.p, 1)

    @jax.jit
    def update(params, batch, key):
        def loss(params):
            estimate, _ = eqx.combine(params, static)(batch, key, (), 0)
            return estimate.surrogate, estimate.state

        grads, state = jax.grad(loss, has_aux=True)(params)
        return jax.tree.map(lambda a, g: a - 0.1 * g, params, grads), state

    state, step = None, 0
    for epoch in (0, 1):
        for portion in plan(groups, 3, [0], epoch, CROP, carry=True):
            key = random.fold_in(random.fold_in(random.key(0), TRAIN), step)
            batch = cut(groups[0], portion)._replace(state=state if portion.start else None)
            params, state = update(params, batch, random.fold_in(key, 1))
            step += 1
    mine = checkpoint.paths({"params": params, "state": state})
    assert set(mine) <= set(saved)
    near([saved[name][0] for name in mine], list(mine.values()))


@pytest.mark.slow
def test_a_run_stopped_within_a_stream_goes_on_bit_for_bit(tmp_path):
    """Entries are missing, of which particles remember x of their own."""
    seen = tuple(np.random.default_rng(4).random(a.shape) < 0.8 for a in TRAIN_SET.x)
    data, repeats = Sequences(TRAIN_SET.x, seen), 2
    make = lambda key: build(VRNN, REMEMBERS, ELBO(), Pathwise(), key)

    def interrupt(progress, per_epoch, epochs):
        if progress.step == 2:
            signal.raise_signal(signal.SIGTERM)

    fit(make, data, None, config(), repeats=repeats, folder=tmp_path / "whole")
    with pytest.warns(UserWarning, match="stopped by SIGTERM at update 2;"):
        first = fit(make, data, None, config(), repeats=repeats, folder=tmp_path / "cut", watch=interrupt)
    assert first.progress.step == 2
    fit(make, data, None, config(), repeats=repeats, folder=tmp_path / "cut")
    one, two = (checkpoint.read(checkpoint.numbered(tmp_path / name)[-1]) for name in ("whole", "cut"))
    names = [name for name in one if name != "__facts__"]
    assert any(name.startswith("state.carry") for name in names)
    assert any(name.startswith("state.recognition") for name in names)
    assert all(np.array_equal(one[name], two[name]) for name in names)


class Forgetful(AbstractEstimator):
    """An estimator that does not say where it ended."""

    def __call__(self, p, q, bound, batch, key, memory, step):
        estimate, memory = Pathwise()(p, q, bound, batch, key, memory, step)
        return estimate._replace(state=None), memory


def test_what_cannot_be_handed_on_is_refused():
    with pytest.raises(CounterpointError, match=r"give its steps, as --fit.crop 100"):
        config(crop=None)
    forgets = build(VRNN, REMEMBERS, ELBO(), Pathwise())
    forgets = Pairing(forgets.p, forgets.q, forgets.bound, Forgetful())
    with pytest.raises(CounterpointError, match="Forgetful follows none: choose carry = False"):
        fit(forgets, TRAIN_SET, None, config())
    with pytest.raises(CounterpointError, match="IWAE-8 weighs whole ones: choose bound = elbo or fivo"):
        fit(build(VRNN, REMEMBERS, IWAE(), Pathwise()), TRAIN_SET, None, config())
