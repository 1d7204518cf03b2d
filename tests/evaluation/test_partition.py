from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import build_p, facts_of, refusal
from counterpoint import annealing
from counterpoint.commands.remarks import total
from counterpoint.data import Sequences
from counterpoint.evaluation import annealed_partition, exact_partition, log_partition, log_partitions
from counterpoint.evaluation.partition import _anneal
from counterpoint.models import RBM, RTRBM, DBMConfig, DBNConfig


def machine(units, width, real=False, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    draw = lambda *shape: jnp.asarray(scale * rng.normal(size=shape))
    return RBM(draw(units, width), draw(units), draw(width), draw(width) if real else None)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("units", "real"), [(3, False), (12, False), (2, True)])
def test_the_exact_one_is_the_sum_over_everything(units, real):
    """For real x by a grid. By either side, where x is binary: 12 units take more than one part."""
    p = machine(units, 2, real, scale=0.7)
    line = np.linspace(-12, 12, 241) if real else np.array([0.0, 1.0])
    x = jnp.asarray(np.stack(np.meshgrid(line, line), -1).reshape(-1, 2))
    total = jax.nn.logsumexp(-jax.vmap(lambda x: p.free_energy(None, x))(x)) + 2 * np.log(line[1] - line[0])
    assert exact_partition(p).value == pytest.approx(float(total), abs=1e-9)
    assert float(annealing.count(p)) == pytest.approx(float(total), abs=1e-9)
    assert log_partition(p) == exact_partition(p)


@pytest.mark.parametrize("real", [False, True])
def test_annealing_agrees_within_its_error(real):
    p = machine(8, 5, real, scale=0.4 if real else 0.8)
    found, want = annealed_partition(p, random.key(0), chains=200, temperatures=100), exact_partition(p).value
    assert 0 < found.error < 0.1
    assert abs(found.value - want) < 4 * found.error


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_the_two_directions_bracket_the_exact_value():
    """With too few temperatures, one chain at a time; backwards from exact draws."""
    p = machine(6, 3, scale=2.0)
    x = jnp.asarray(np.stack(np.meshgrid(*[[0.0, 1.0]] * 3), -1).reshape(-1, 3))
    energy = jax.vmap(lambda x: p.free_energy(None, x))(x)
    many, want = x[random.categorical(random.key(3), -energy, shape=(1000,))], exact_partition(p).value
    keys, far = random.split(random.key(1), 1000), lambda a: np.std(a, ddof=1) / len(a) ** 0.5
    up = _anneal(p, keys, 3, None)
    assert np.mean(up) < want - 3 * far(up)
    down = _anneal(p, keys, 3, many)
    assert np.mean(down) > want + 3 * far(down)
    found = annealed_partition(p, random.key(1), temperatures=4, start=many)
    assert abs(found.value - want) < 4 * found.error < 0.5


@pytest.mark.usefixtures("x64")
def test_each_step_of_a_recurrent_one_has_its_own():
    """By all frames there are: sum_x exp(-F_t(x)) under the past of the data, whose biases are written out."""
    p = build_p("rtrbm")
    x = jnp.asarray([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    frames = jnp.asarray(np.stack(np.meshgrid(*[[0.0, 1.0]] * 3), -1).reshape(-1, 3))
    found, past = log_partitions(p, x), p.start
    for t, (value, error) in enumerate(found):
        hidden = p.machine.hidden + past
        terms = jnp.logaddexp(0, frames @ p.machine.weights.T + hidden[None]).sum(1) + frames @ p.machine.visible
        assert value == pytest.approx(float(jax.nn.logsumexp(terms)), abs=1e-9)
        assert error == 0
        past = p.across @ jax.nn.sigmoid(p.machine.weights @ x[t] + hidden)
    assert len(found) == 3


@pytest.mark.usefixtures("x64")
def test_each_step_that_is_too_large_to_count_has_its_error():
    """21 hidden units, of which the last hears and says nothing, so that it adds log 2 to what 20 have."""
    rng = np.random.default_rng(0)
    draw = lambda *shape: jnp.asarray(0.3 * rng.normal(size=shape))
    many = RTRBM(RBM(draw(21, 21), draw(21), draw(21)), draw(21, 21), draw(21))
    silent = lambda a, *axes: a.at[tuple(-1 if axis else slice(None) for axis in axes)].set(0.0)
    machine = RBM(silent(many.machine.weights, True), silent(many.machine.hidden, True), many.machine.visible)
    many = RTRBM(machine, silent(silent(many.across, True), False, True), silent(many.start, True))
    few = RTRBM(RBM(machine.weights[:-1], machine.hidden[:-1], machine.visible), many.across[:-1, :-1], many.start[:-1])
    x = jnp.asarray(rng.integers(2, size=(2, 21)), float)
    found, counted = log_partitions(many, x, random.key(0), 50, 100), log_partitions(few, x)
    for (value, error), want in zip(found, counted, strict=True):
        assert 0 < error < 0.2
        assert abs(value - want.value - np.log(2)) < 4 * error


def test_what_is_no_rbm_says_where_its_rbms_are():
    assert "log_partition: RTRBM is no RBM" in refusal(lambda: log_partition(build_p("rtrbm")))
    assert "exact_partition: RTRBM is no RBM" in refusal(lambda: exact_partition(build_p("rtrbm")))
    assert "annealed_partition: RTRBM" in refusal(lambda: annealed_partition(build_p("rtrbm"), random.key(0)))
    assert "no step an RBM" in refusal(lambda: log_partitions(build_p("tsbn-1"), jnp.zeros((2, 3))))


def test_what_cannot_be_summed_or_estimated_says_what_to_give():
    p = machine(21, 22)
    assert "2^21 states" in refusal(lambda: exact_partition(p))
    assert "give a key" in refusal(lambda: log_partition(p))
    assert "at least 2 chains" in refusal(lambda: annealed_partition(p, random.key(0), chains=1))
    assert log_partition(p, random.key(0), chains=2, temperatures=1).error >= 0


@pytest.mark.slow
def test_a_run_says_its_own_log_z():
    """Of an RBM, and of a DBN and a DBM, whose priors have one; an RTRBM has one at each step, a TSBN none."""
    run = lambda p: SimpleNamespace(
        folder="runs/a", best=lambda home: [SimpleNamespace(p=p)], key=lambda stream: random.key(stream)
    )
    few, many = machine(30, 4), machine(21, 22, scale=0.5)
    assert total(run(few), None, None) == [f"log Z {exact_partition(few).value:.3f}, exact"]
    found = annealed_partition(many, random.key(2))
    assert f"log Z {found.value:.3f} ± {found.error:.3f}, annealed" in total(run(many), None, None)[0]
    for config in (DBNConfig, DBMConfig):
        deep = config(units=(3, 2)).build(facts_of("dbn"), random.key(0))
        assert total(run(deep), None, None) == [f"log Z {float(deep.total):.3f}, exact"]
    assert total(run(build_p("tsbn-1")), None, None) == total(run(build_p("dmm")), None, None) == []
    recurrent = RTRBM(few, jnp.zeros((30, 30)), jnp.zeros(30))  # whose past says nothing
    one = f"{exact_partition(few).value:.3f}"
    sequences = Sequences((np.zeros((6, 4), np.float32),))
    assert total(run(recurrent), None, sequences) == [
        f"log Z of the first 4 steps of the first sequence {', '.join([one] * 4)}, exact"
    ]
