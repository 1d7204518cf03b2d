"""Variational filtering EM on a linear system: what each step's optimum costs, what learning reaches, and what a q
that learns through time gains."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import lax, random

from counterpoint.bounds import ELBO
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.estimators import FilteringEM
from counterpoint.inference import Iterative, IterativeConfig, Kalman, Prior
from counterpoint.rollout import rollout
from exact.cases import LDS_FRAMES, lds, whole

pytestmark = pytest.mark.usefixtures("x64")

BEST, START = 5.5135211916, 8.1704614052
GREEDY, LINEAR, ALL_SEEN = 7.193358320, 7.129885346, 7.124784561  # over sequences of the model


def build(**options):
    config = IterativeConfig(**{"samples": 0, "layer_norm": False, "width": 16} | options)
    return config.build(lds(), facts((LDS_FRAMES,), "real"), random.key(1))


@eqx.filter_jit
def two_points(p, q, x):
    """F of a sequence, exactly where q is Gaussian with means linear in what it sees: all paths z_t = m_t +- s_t."""
    _, context = q.encode(p, q.memory(), x, x, jnp.ones(x.shape, bool))
    carries, total = jax.tree.map(lambda a: a[None], p.initial()), jnp.zeros(())
    for t in range(len(x)):

        def step(carry, t=t):
            now = jax.tree.map(lambda a: a[t], context)
            law = q.propose(p, carry, now, x[t], random.key(0)).distribution
            spread = law.drawn(jnp.ones(1)) - law.mean

            def one(sign):
                z = law.mean + sign * spread
                weight = p.prior(carry).log_prob(z) + p.likelihood(carry, z).log_prob(x[t]) - law.log_prob(z)
                return p.advance(carry, z, x[t]), weight

            return jax.vmap(one)(jnp.array([-1.0, 1.0]))

        carries, weights = jax.vmap(step)(carries)
        carries = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), carries)
        total = total - weights.mean()
    return total


def drawn(count, seed):
    """Sequences of the model, four steps each."""
    rng, frames = np.random.default_rng(seed), []
    z = rng.normal(size=count)
    for _ in range(4):
        frames.append(z + 0.8**0.5 * rng.normal(size=count))
        z = 0.9 * z + 0.5**0.5 * rng.normal(size=count)
    return jnp.asarray(np.stack(frames, 1)[..., None])


def taught(q, estimator, batches, rate=0.01):
    """q after a step of Adam on each batch; p stays."""
    p, optimiser = lds(), optax.adam(optax.cosine_decay_schedule(rate, len(batches), 0.01))
    params, static = eqx.partition(q, eqx.is_inexact_array)

    @jax.jit
    def run(params, batches):
        def step(loop, now):
            (params, state), (key, x) = loop, now
            batch = Batch(x, jnp.ones(x.shape[:2], bool))

            def loss(params):
                return estimator(p, eqx.combine(params, static), ELBO(), batch, key, (), None)[0].surrogate

            updates, state = optimiser.update(jax.grad(loss)(params), state)
            return (optax.apply_updates(params, updates), state), None

        keys = random.split(random.key(3), len(batches))
        return lax.scan(step, (params, optimiser.init(params)), (keys, batches))[0][0]

    return eqx.combine(run(params, batches), static)


@pytest.mark.slow
def test_many_gradient_steps_reach_the_optimum_of_every_step():
    q = build(update="gradient", step=0.3, iterations=60)
    found = two_points(lds(), q, jnp.asarray(LDS_FRAMES))
    assert float(found) == pytest.approx(BEST, abs=1e-3)
    assert float(found) == pytest.approx(float(two_points(lds(), Kalman(smooth=False), LDS_FRAMES)), abs=1e-4)


@pytest.mark.slow
def test_what_is_reported_of_the_iterations_is_their_exact_free_energy():
    q = build(update="gradient", step=0.3, iterations=3)
    run = eqx.filter_jit(lambda p, q: rollout(p, q, whole(LDS_FRAMES), random.key(0), particles=4000)[0].steps)
    steps = run(lds(), q)[:, 0].sum((0, 3))  # (particles, iterations)
    assert (np.diff(steps.mean(0)) < 0).all()
    exact = float(two_points(lds(), q, jnp.asarray(LDS_FRAMES)))
    assert abs(steps[:, -1].mean() - exact) < 4 * steps[:, -1].std() / 4000**0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"iterations": 1},
        {"iterations": 2, "update": "rate"},
        {"iterations": 1, "inputs": "errors"},
        {"iterations": 2, "samples": 1},
    ],
    ids=["network", "rate", "errors", "sampled"],
)
def test_a_taught_posterior_comes_close_to_the_optimum_of_every_step(options):
    q = build(**options)
    before = mean_of_paths(q)
    after = mean_of_paths(taught(q, FilteringEM(), jnp.broadcast_to(LDS_FRAMES, (2000, 32, 4, 1))))
    assert before > BEST + 0.1
    assert after < BEST + 0.02
    assert after > BEST - 0.02


def mean_of_paths(q: Iterative) -> float:
    """F on the sequence, over so many paths that its standard error is below 0.002."""

    @eqx.filter_jit
    def run(p, q, keys):
        def some(key):
            trace = rollout(p, q, whole(LDS_FRAMES), key, particles=2000, closed_form=True)[0]
            return -(trace.log_likelihood - trace.kl).sum(0).mean()

        return lax.map(some, keys).mean()

    return float(run(lds(), q, random.split(random.key(9), 25)))


def mean_of_sequences(q, x) -> np.ndarray:
    """F of each sequence, over 64 paths."""

    @eqx.filter_jit
    def run(p, q, x):
        def some(x):
            batch = Batch(x, jnp.ones(x.shape[:2], bool))
            trace = rollout(p, q, batch, random.key(8), particles=64, closed_form=True)[0]
            return -(trace.log_likelihood - trace.kl).sum(0).mean(-1)

        return lax.map(some, x.reshape(-1, 100, *x.shape[1:])).ravel()

    return np.asarray(run(lds(), q, x))


def test_the_prior_and_the_greedy_filter_cost_what_they_should():
    assert float(two_points(lds(), Prior(), jnp.asarray(LDS_FRAMES))) == pytest.approx(START, abs=1e-8)


@pytest.mark.slow
def test_learning_through_time_gains_what_a_greedy_posterior_loses():
    train, test = drawn(3000 * 32, 1).reshape(3000, 32, 4, 1), drawn(4000, 2)
    q = build(iterations=1)
    step_by_step = mean_of_sequences(taught(q, FilteringEM(), train), test)
    through = mean_of_sequences(taught(q, FilteringEM(through_time=True), train), test)
    greedy = mean_of_sequences(Kalman(smooth=False), test)
    error = lambda a: 4 * a.std() / len(a) ** 0.5
    assert abs(greedy.mean() - GREEDY) < error(greedy)
    # paired, for the sequences differ far more than the posteriors do
    assert abs((step_by_step - greedy).mean()) < 0.02
    gain = greedy - through
    assert gain.mean() - error(gain) > 0.5 * (GREEDY - LINEAR)
    assert gain.mean() - error(gain) < GREEDY - ALL_SEEN
