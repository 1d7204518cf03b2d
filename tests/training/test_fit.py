"""The training loop: what it promises about stopping, resuming, repeats and bad numbers."""

import multiprocessing
import os
import random as chance
import signal
import sys
import time
import warnings
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from counterpoint.bounds import ELBO, Warmup
from counterpoint.core import Pairing
from counterpoint.data import batch
from counterpoint.data.batch import ANYWHERE, buckets
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators import Pathwise, ScoreFunctionConfig
from counterpoint.evaluation import error, predict
from counterpoint.inference import Prior, TSBNRecognitionConfig
from counterpoint.models import AutoregressiveConfig, TSBNConfig
from counterpoint.shapes import observation
from counterpoint.stopping import Stop
from counterpoint.training import FitConfig, OptimiserConfig, checkpoint, fit, step
from counterpoint.training.step import make_step, split


def rolls(seed=0, count=12):
    """Notes that are held, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    hold = lambda n: np.cumsum(rng.random((n, 4)) < 0.15, axis=0) % 2
    return Sequences(tuple(hold(n).astype(np.uint8) for n in rng.integers(3, 9, count)))


TRAIN, VALID = rolls(0), rolls(1)


def build(key):
    keys = jax.random.split(key, 3)
    known = facts(TRAIN.x)
    p = TSBNConfig(units=(3,)).build(known, keys[0])
    q = TSBNRecognitionConfig().build(p, known, keys[1])
    estimator = ScoreFunctionConfig(baseline=5).build(p, known, keys[2])
    return Pairing(p, q, ELBO(closed_form=False, kl_weight=Warmup(20)), estimator)


def config(epochs=4, **changes):
    return FitConfig(**{"epochs": epochs, "batch_size": 4, "buckets": 1, "save_seconds": 0.0} | changes)


def arrays(pairing):
    return [np.asarray(a) for a in jax.tree.leaves(eqx.filter(pairing, eqx.is_inexact_array))]


def same(a, b):
    return all(np.array_equal(u, v) for u, v in zip(arrays(a), arrays(b)))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return fit(build, TRAIN, VALID, config(), folder=folder), folder


def test_the_bound_rises(undisturbed):
    fitted, _ = undisturbed
    long = fit(build, TRAIN, VALID, config(30, optimiser=OptimiserConfig(p=1e-2)))
    assert long.progress.best[0] > fitted.progress.history[0]["valid"][0] + 0.05


def test_training_again_gives_the_same_bits(undisturbed):
    fitted, _ = undisturbed
    again = fit(build, TRAIN, VALID, config())
    assert same(fitted.pairings[0], again.pairings[0])
    assert [row["valid"] for row in fitted.progress.history] == [row["valid"] for row in again.progress.history]


def test_a_run_cut_in_two_gives_the_same_bits(undisturbed, tmp_path):
    """Stopped within an epoch, where sums and the order of batches are half way."""
    fitted, _ = undisturbed

    def interrupt(progress, per_epoch, epochs):
        if progress.step == per_epoch + 2:
            signal.raise_signal(signal.SIGTERM)

    with pytest.warns(UserWarning, match=rf"stopped by SIGTERM at update {fitted.progress.history[0]['step'] + 2};"):
        first = fit(build, TRAIN, VALID, config(), folder=tmp_path, watch=interrupt)
    assert first.stopped == "SIGTERM"
    assert first.progress.step < fitted.progress.step
    second = fit(build, TRAIN, VALID, config(), folder=tmp_path)
    assert second.stopped is None
    assert same(fitted.pairings[0], second.pairings[0])
    assert [r["train"] for r in fitted.progress.history] == [r["train"] for r in second.progress.history]


def test_a_finished_run_goes_on_for_more_epochs(undisturbed, tmp_path):
    fitted, _ = undisturbed
    fit(build, TRAIN, VALID, config(2), folder=tmp_path)
    longer = fit(build, TRAIN, VALID, config(), folder=tmp_path)
    assert same(fitted.pairings[0], longer.pairings[0])


def train_and_tell(folder: Path, told):
    """In a process of its own: says the number of every update, and "done"."""

    def tick(progress, per_epoch, epochs):
        told.send(progress.step)
        time.sleep(0.004)

    fit(build, TRAIN, VALID, config(30), folder=folder, watch=tick)
    told.send("done")


@pytest.mark.slow
def test_killed_at_random_moments_ten_times_it_ends_with_the_same_bits(tmp_path, monkeypatch):
    whole = fit(build, TRAIN, VALID, config(30), folder=tmp_path / "whole")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "xla"))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    rng, processes = chance.Random(0), multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])  # what is imported once serves all eleven
    for kill in [True] * 10 + [False]:
        heard, told = processes.Pipe(duplex=False)
        process = processes.Process(target=train_and_tell, args=(tmp_path / "killed", told))
        process.start()
        told.close()
        if kill:
            for _ in range(1 + rng.randrange(4)):
                heard.recv()
            time.sleep(rng.random() * 0.01)
            assert process.is_alive()  # it dies of this, and not of having finished
            process.kill()
        else:
            while heard.recv() != "done":
                pass
        process.join()
    last = checkpoint.numbered(tmp_path / "whole")[-1].name
    one, two = checkpoint.read(tmp_path / "whole" / last), checkpoint.read(tmp_path / "killed" / last)
    names = [n for n in one if n != "__facts__"]
    assert names
    assert all(np.array_equal(one[n], two[n]) for n in names)
    best = checkpoint.read(tmp_path / "killed" / "best.npz")
    assert all(np.array_equal(best[f"params.{n}"], np.asarray(a)[None]) for n, a in best_of(whole))


def best_of(fitted):
    return checkpoint.paths(eqx.filter(fitted.pairings[0], eqx.is_inexact_array)).items()


@pytest.mark.slow
@pytest.mark.parametrize(
    "large", [step.LARGE, pytest.param(0, marks=pytest.mark.slow)], ids=["in one batch", "in turn"]
)
def test_each_repeat_equals_its_seed_alone(large, monkeypatch):
    """To rounding: one program for all has other matrix products. The second stops early, as it would alone."""
    monkeypatch.setattr(step, "LARGE", large)
    together = fit(build, TRAIN, VALID, config(6, patience=2), seed=0, repeats=3)
    for i, pairing in enumerate(together.pairings):
        alone = fit(build, TRAIN, VALID, config(6, patience=2), seed=i)
        for u, v in zip(arrays(alone.pairings[0]), arrays(pairing)):
            np.testing.assert_allclose(u, v, rtol=2e-4, atol=2e-5)
        assert together.progress.best[i] == pytest.approx(alone.progress.best[0], abs=1e-4)
        assert together.progress.best_step[i] == alone.progress.best_step[0]
    assert not same(together.pairings[0], together.pairings[1])


def test_of_many_sequences_what_frames_are_is_asked_once(monkeypatch):
    """It is traced, which takes longer than to look at a sequence."""
    asked = []
    monkeypatch.setattr(batch, "KNOWN", {})
    monkeypatch.setattr(batch, "observation", lambda p: asked.append(p) or observation(p))
    for seed in range(2):
        batch.check_data(build(jax.random.key(seed)).p, TRAIN)
    assert len(asked) == 1


def test_a_run_that_breaks_names_update_and_quantity_and_keeps_the_last_good_state(tmp_path):
    wild = config(4, optimiser=OptimiserConfig(name="sgd", p=1e30, clip=0.0))
    with pytest.raises(CounterpointError, match=r"update \d+, seed 0: .*not finite; the last good state is saved"):
        fit(build, TRAIN, VALID, wild, folder=tmp_path)
    saved = checkpoint.read(checkpoint.numbered(tmp_path)[-1])
    assert all(np.isfinite(a).all() for n, a in saved.items() if n.startswith("params."))


def test_each_voice_has_its_own_rate():
    still = config(2, patience=0, optimiser=OptimiserConfig(p=1e-2, q=0.0, baseline=0.0))
    before, after = build(jax.random.key(0)), fit(build, TRAIN, None, still).pairings[0]
    assert same(before.q, after.q)
    assert same(before.estimator, after.estimator)
    assert not same(before.p, after.p)


def test_old_checkpoints_go_and_the_newest_stay(undisturbed):
    _, folder = undisturbed
    assert len(checkpoint.numbered(folder)) == 2
    assert (folder / "best.npz").exists()
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("harm", ["cut", "empty", "other"])
def test_a_damaged_checkpoint_is_named_and_nothing_is_lost(undisturbed, tmp_path, harm):
    fitted, folder = undisturbed
    path = checkpoint.numbered(folder)[-1]
    copy = tmp_path / path.name
    content = path.read_bytes()
    copy.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "other": content}[harm])
    like = {"params": jnp.zeros(3)} if harm == "other" else {}
    with pytest.raises(CounterpointError, match=r"damaged|expected") as error:
        checkpoint.load(copy, like)
    assert "\n" not in str(error.value)
    assert checkpoint.load(path, {})[1]["step"] == fitted.progress.step


def test_early_stopping_keeps_the_best():
    fitted = fit(build, TRAIN, VALID, config(200, patience=3, optimiser=OptimiserConfig(p=0.1)))
    values = [row["valid"][0] for row in fitted.progress.history]
    assert len(values) < 200
    assert fitted.progress.best[0] == max(values)
    assert values.index(max(values)) == len(values) - 4


def test_patience_waits_for_the_end_of_the_warm_up():
    """At a rate of zero the first validation stays the best. An epoch has three steps."""
    pair, settings = build(jax.random.key(0)), config(20, patience=2, optimiser=OptimiserConfig(p=0.0))
    for steps, ended in ((0, 3), (9, 5)):
        bound = ELBO(closed_form=False, kl_weight=Warmup(steps))
        fitted = fit(Pairing(pair.p, pair.q, bound, pair.estimator), TRAIN, VALID, settings)
        assert fitted.progress.epoch == ended


@pytest.mark.slow
def test_the_best_by_prediction_has_the_least_error():
    """At a rate that is too high it is not always the last, nor that of the best bound."""
    settings = config(12, select="prediction", optimiser=OptimiserConfig(p=0.3))
    fitted = fit(build, TRAIN, VALID, settings, seed=1, repeats=2)
    errors, bounds = (np.array([row[key] for row in fitted.progress.history]) for key in ("error", "valid"))
    assert (errors.argmin(0) < 11).any()
    assert (errors.argmin(0) != bounds.argmax(0)).any()
    np.testing.assert_array_equal(fitted.progress.best, -errors.min(0))
    for i, pairing in enumerate(fitted.pairings):
        found = predict(pairing.p, pairing.q, VALID, jax.random.key(1 + i))
        assert error(found, VALID).mean == pytest.approx(errors[:, i].min(), rel=1e-5)


def test_what_cannot_be_predicted_is_refused_before_anything_runs():
    one = Sequences(tuple(x[:1] for x in VALID.x), what="single frames")
    with pytest.raises(CounterpointError, match="single frames"):
        fit(build, TRAIN, one, config(select="prediction"))


def test_data_outside_the_support_are_refused_before_anything_runs():
    bad = Sequences((np.full((3, 4), 2, np.uint8),), what="mine.npz")
    with pytest.raises(CounterpointError, match=r"mine.npz: value 2 at step 0 .* outside the support .*0 or 1"):
        fit(build, bad, None, config())
    with pytest.raises(CounterpointError, match=r"frames have shape \(5,\)"):
        fit(build, Sequences((np.zeros((3, 5)),)), None, config())


def test_a_folder_with_another_run_is_not_continued(undisturbed):
    _, folder = undisturbed
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(CounterpointError, match="other settings, seeds or data"):
        fit(build, TRAIN, VALID, config(), seed=7, folder=folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_validation_bound_that_is_not_finite_stops_the_run():
    """Else no validation is ever the best, and the model as built would be what comes back."""
    real = Sequences(tuple(a.astype(np.float32) for a in TRAIN.x))
    wild = Sequences((np.full((3, 4), 1e25, np.float32),))

    def flat(key):
        known = facts(real.x, "real")
        p = AutoregressiveConfig(order=0).build(known, key)
        return Pairing(p, Prior(), ELBO(), Pathwise())

    with pytest.raises(CounterpointError, match=r"update \d+, seed 0: the validation bound is not finite"):
        fit(flat, real, wild, config(2))


def test_within_a_command_that_says_so_itself_nothing_is_warned_of():
    with Stop(), warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = fit(build, TRAIN, VALID, config(), watch=lambda *_: signal.raise_signal(signal.SIGTERM))
    assert fitted.stopped == "SIGTERM"


def test_a_run_stopped_before_its_first_validation_returns_what_it_learned():
    with pytest.warns(UserWarning, match="stopped by SIGTERM at update 1;"):
        fitted = fit(build, TRAIN, VALID, config(), watch=lambda *_: signal.raise_signal(signal.SIGTERM))
    assert fitted.stopped == "SIGTERM"
    assert not same(fitted.pairings[0], build(jax.random.key(0)))


def test_where_one_repeat_breaks_none_takes_the_step():
    """All repeats share one counter; one that went on alone would take that step twice after a resume."""
    pairings = [build(jax.random.key(i)) for i in range(2)]
    params = [split(pairing)[0] for pairing in pairings]
    broken = eqx.tree_at(lambda a: a.p.visible.bias, params[1], params[1].p.visible.bias * jnp.nan)
    optimiser = OptimiserConfig().build(10)
    learner = step.learner([pairings[0], eqx.combine(broken, split(pairings[1])[1])], optimiser)
    (group,) = buckets(TRAIN, pairings[0].p, 1)
    run = jax.jit(make_step(split(pairings[0])[1], optimiser, 2, None))
    rows, seeds = np.tile(np.arange(4, dtype=np.int32), (2, 1)), jnp.arange(2, dtype=jnp.uint32)
    where = jnp.int32(ANYWHERE)
    new, outcome = run(learner, np.ones(2, bool), rows, where, seeds, jnp.int32(0), group._replace(index=None))
    assert list(np.asarray(outcome.broken) > 0) == [False, True]
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(jax.tree.leaves(new), jax.tree.leaves(learner)))
