"""Variational filtering EM on a linear system: what each step's optimum costs, what learning reaches, and what a q
that learns through time gains."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import Array, lax, random
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize

from counterpoint.bounds import ELBO
from counterpoint.core import AbstractPosterior, Batch, direct
from counterpoint.distributions import Gaussian, facts
from counterpoint.estimators import FilteringEM
from counterpoint.inference import Iterative, IterativeConfig, Kalman, Prior
from counterpoint.rollout import rollout
from exact.cases import LDS_FRAMES, lds, whole

pytestmark = pytest.mark.usefixtures("x64")

BEST, START, MARGINAL = 5.5135211916, 8.1704614052, 6.2863865172
GREEDY = 7.193358320  # the best of each step, over sequences of the model
LINEAR, ALL_SEEN = (5.473542, 7.129885346), (5.459355, 7.124784561)  # of the sequence, and over sequences


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
    q, keys = build(**options), random.split(random.key(9), 25)
    before = mean_of_paths(lds(), q, keys)
    after = mean_of_paths(lds(), taught(q, FilteringEM(), jnp.broadcast_to(LDS_FRAMES, (2000, 32, 4, 1))), keys)
    assert before > BEST + 0.1
    assert after < BEST + 0.02
    assert after > BEST - 0.02


@eqx.filter_jit
def mean_of_paths(p, q: Iterative, keys):
    """F on the sequence, over 2000 paths a key: with 25 of them its standard error is below 0.002."""

    def some(key):
        trace = rollout(p, q, whole(LDS_FRAMES), key, particles=2000, closed_form=True)[0]
        return -(trace.log_likelihood - trace.kl).sum(0).mean()

    return lax.map(some, keys).mean()


@eqx.filter_jit
def of_sequences(p, q, x):
    """F of each sequence, over 64 paths."""

    def some(x):
        batch = Batch(x, jnp.ones(x.shape[:2], bool))
        trace = rollout(p, q, batch, random.key(8), particles=64, closed_form=True)[0]
        return -(trace.log_likelihood - trace.kl).sum(0).mean(-1)

    return lax.map(some, x.reshape(-1, 100, *x.shape[1:])).ravel()


def test_the_prior_and_the_greedy_filter_cost_what_they_should():
    assert float(two_points(lds(), Prior(), jnp.asarray(LDS_FRAMES))) == pytest.approx(START, abs=1e-8)


class Linear(AbstractPosterior):
    """q(z_t | z_t-1, x) = N(past_t m_t + seen_t x, exp log_variance_t), m_t the prior's mean."""

    past: Array  # (T,)
    seen: Array  # (T, T)
    log_variance: Array  # (T,)
    sees_future = False
    fills_gaps = False

    def encode(self, p, memory, x, e, mask):
        return memory, (self.past, self.seen @ x, self.log_variance)

    def propose(self, p, carry, context, x, key):
        past, seen, log_variance = context
        return direct(Gaussian(past * p.prior(carry).mean + seen, jnp.exp(0.5 * log_variance)[None]))


NOISE = np.array([1.0, 0.5, 0.5, 0.5])  # of z_t given z_t-1
MOVE = np.linalg.inv(np.eye(4) - 0.9 * np.eye(4, k=-1))  # z = MOVE (noise of each step)
STATES = MOVE @ np.diag(NOISE) @ MOVE.T  # covariance of z_1 .. z_4
FRAMES = STATES + 0.8 * np.eye(4)  # and of x


@eqx.filter_jit
def costs(q):
    """F of the sequence, and its mean over sequences of the model: F is a square in x, so that eight of them in place
    of all, with the mean and the covariance of all, give it exactly."""
    roots = 2.0 * np.linalg.cholesky(FRAMES).T
    x = jnp.asarray(np.concatenate([LDS_FRAMES.T, roots, -roots]))[..., None]
    each = jax.vmap(lambda x: two_points(lds(), q, x))(x)
    return each[0], each[1:].mean()


def greedy() -> Linear:
    gain = NOISE / (NOISE + 0.8)
    return Linear(*map(jnp.asarray, (1 - gain, np.diag(gain), np.log((1 - gain) * NOISE))))


def marginal() -> Linear:
    """p(z_t | x_<=t), whatever z_t-1 was."""
    seen, variance = np.zeros((4, 4)), np.zeros(4)
    for t in range(4):
        seen[t, : t + 1] = np.linalg.solve(FRAMES[: t + 1, : t + 1], STATES[: t + 1, t])
        variance[t] = STATES[t, t] - seen[t] @ STATES[:, t]
    return Linear(jnp.zeros(4), jnp.asarray(seen), jnp.log(variance))


def test_filters_that_know_the_model_cost_what_they_should():
    found = np.array([costs(q) for q in (greedy(), Kalman(smooth=False), marginal())])
    np.testing.assert_allclose(found[:, 0], [BEST, BEST, MARGINAL], atol=1e-8)
    np.testing.assert_allclose(found[:2, 1], GREEDY, atol=1e-8)


def test_filters_that_spare_later_steps_cost_less():
    """The best of those that are linear in z_t-1 and x_t, and in z_t-1 and all of x so far."""
    params, whole = ravel_pytree(greedy())
    mean = eqx.filter_jit(jax.value_and_grad(lambda a, reach: costs(limited(whole(a), reach))[1]))
    for reach, path, average in ((np.eye(4), *LINEAR), (np.tri(4), *ALL_SEEN)):
        found = minimize(lambda a, r=reach: tuple(map(np.array, mean(a, r))), params, jac=True, options={"gtol": 1e-9})
        costing = costs(limited(whole(jnp.asarray(found.x)), reach))
        assert float(costing[1]) == pytest.approx(average, abs=1e-8)
        assert float(costing[0]) == pytest.approx(path, abs=1e-6)


def limited(q: Linear, reach) -> Linear:
    """With what `reach` (t, s) allows of x."""
    return Linear(q.past, q.seen * reach, q.log_variance)


@pytest.mark.slow
def test_learning_through_time_gains_what_a_greedy_posterior_loses():
    train, test = drawn(3000 * 32, 1).reshape(3000, 32, 4, 1), drawn(4000, 2)
    p, q = lds(), build(iterations=1)
    step_by_step = np.asarray(of_sequences(p, taught(q, FilteringEM(), train), test))
    through = np.asarray(of_sequences(p, taught(q, FilteringEM(through_time=True), train), test))
    greedy = np.asarray(of_sequences(p, Kalman(smooth=False), test))
    error = lambda a: 4 * a.std() / len(a) ** 0.5
    assert abs(greedy.mean() - GREEDY) < error(greedy)
    # paired, for the sequences differ far more than the posteriors do
    assert abs((step_by_step - greedy).mean()) < 0.02
    gain = greedy - through
    assert gain.mean() - error(gain) > 0.5 * (GREEDY - LINEAR[1])
    assert gain.mean() - error(gain) < GREEDY - ALL_SEEN[1]
