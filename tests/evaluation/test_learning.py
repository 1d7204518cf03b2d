"""How pairs learn by different estimators, and what is shown of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint import counting
from counterpoint.bounds import Annealed, TrajectoryKL
from counterpoint.core import Batch, Pairing
from counterpoint.estimators import ContrastiveDivergence, MaximumLikelihood
from counterpoint.evaluation.learning import MARKS, learning
from counterpoint.inference import Gibbs
from counterpoint.models import RBM
from counterpoint.report.learning import Lesson, lines, write
from counterpoint.training import OptimiserConfig

RATE, UPDATES = 0.5, MARKS + 7


@pytest.fixture(scope="module")
def learned():
    """An RBM by its exact gradient and by one sweep, which has a bound of its own: both by the likelihood."""
    rng = np.random.default_rng(0)
    p = RBM(*(jnp.asarray(0.1 * rng.normal(size=s), jnp.float32) for s in ((2, 3), 2, 3)))
    batch = Batch(jnp.asarray(rng.integers(2, size=(5, 1, 3)), jnp.float32), jnp.ones((5, 1), bool))
    pairings = {
        "exact": Pairing(p, Gibbs(), TrajectoryKL(), MaximumLikelihood()),
        "cd, k = 1": Pairing(p, Gibbs(), TrajectoryKL(), ContrastiveDivergence(None)),
    }
    rule = OptimiserConfig(name="sgd", p=RATE, clip=0.0)
    return p, batch, learning(pairings, Annealed(), batch, random.key(0), UPDATES, rule)


def test_the_exact_gradient_goes_as_a_loop_by_hand(learned):
    p, batch, found = learned

    def log_p(p):
        return -jax.vmap(lambda x: p.free_energy(None, x))(batch.x[:, 0]).mean() - counting.log_total(p)

    step = jax.jit(lambda p: jax.tree.map(lambda a, g: a + RATE * g, p, jax.grad(log_p)(p)))
    want = [float(log_p(p))]
    for _ in range(UPDATES):
        p = step(p)
        want.append(float(log_p(p)))
    steps, _, values = found["exact"]
    assert steps.tolist() == list(range(UPDATES + 1))  # a mark at each, where so few are shared out
    np.testing.assert_allclose(values, want, atol=1e-5)


def test_all_begin_alike_and_take_time(learned):
    exact, other = learned[-1].values()
    assert exact.values[0] == other.values[0]
    assert exact.values[-1] > other.values[-1] > other.values[0]
    assert (np.diff(exact.seconds) > 0).all()


def test_it_is_shown_by_estimator(learned, tmp_path):
    found = learned[-1]
    rows = lines(found)
    assert [row["estimator"] for row in rows] == ["exact", "cd, k = 1"]
    assert rows[0]["at the end"] == rows[0]["at best"] == f"{found['exact'].values[-1]:.3f}"
    assert rows[0]["after"] == str(UPDATES)
    for path in write(tmp_path / "new", "title", Lesson("log p", "said", found), "the command"):
        assert path.stat().st_size > 100
    page = (tmp_path / "new/learning.md").read_text()
    assert "    the command" in page
    assert page.count("| exact |") == 1
