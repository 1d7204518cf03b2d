"""The RBM without biases of Bachman and Precup 2015, section 5.4: 3 visible and 2 hidden units, every path
enumerated."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from jax.scipy.special import logsumexp

from counterpoint.bounds import TrajectoryKL
from counterpoint.core import AbstractUndirected, Batch, Trace
from counterpoint.estimators import ContrastiveDivergence
from counterpoint.inference import Gibbs
from counterpoint.models import RBM
from counterpoint.walk import Path, log_backward, log_forward, walk
from exact.cases import mk

pytestmark = pytest.mark.usefixtures("x64")

VISIBLE = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
HIDDEN = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
DATA = np.array([0.25, 0.05, 0.1, 0.2, 0.05, 0.15, 0.05, 0.15])
LOG_P = [
    *(-2.3099251793, -2.8085770040, -2.5453314036, -3.0269554252),
    *(-1.2485492352, -2.0031923346, -1.6233563111, -2.3594698373),
]
CD = {  # the ascent direction, in the order of w: x, then z
    1: [-0.2112304308, -0.1877017525, -0.0235317791, -0.0087687077, 0.0689551402, 0.0602107724],
    2: [-0.2342754993, -0.2092420079, -0.0214315717, -0.0069327050, 0.0775628957, 0.0697886749],
}
EXACT = [-0.2374874891, -0.2122557191, -0.0210976951, -0.0066475540, 0.0787523442, 0.0711082897]
WHOLE = [0.2286318330, 0.2040680454, 0.0236302174, 0.0085035199, -0.0729264535, -0.0659797040]
IGNORED = [0.0174014019, 0.0163662925, 0.0000984384, -0.0002651879, -0.0039713133, -0.0057689316]


def rbm() -> RBM:
    return RBM(mk((3, 2), 1, 1.0).T, jnp.zeros(2), jnp.zeros(3))


def minus_energy(p, x=VISIBLE):
    """-F of every x."""
    return -jax.vmap(lambda x: p.free_energy(None, x))(jnp.asarray(x))


def log_law(p):
    """log p(x) of every x."""
    return minus_energy(p) - logsumexp(minus_energy(p))


def moves(p):
    """(8, 4) log p(z | x), and (4, 8) log p(x | z)."""
    up = jax.vmap(lambda x: jax.vmap(lambda z: p.posterior(None, x).log_prob(z))(jnp.asarray(HIDDEN)))
    down = jax.vmap(lambda z: jax.vmap(lambda x: p.likelihood(None, z).log_prob(x))(jnp.asarray(VISIBLE)))
    return up(jnp.asarray(VISIBLE)), down(jnp.asarray(HIDDEN))


def kernel(p):
    """(8, 8) one sweep: p(x_i+1 | x_i)."""
    up, down = moves(p)
    return jnp.exp(up) @ jnp.exp(down)


def ends(p, sweeps):
    """(8,) q_k."""
    return DATA @ jnp.linalg.matrix_power(kernel(p), sweeps)


def indices(sweeps):
    """(paths, 2 k + 1) which x_0, z_0 .. x_k every path takes."""
    return np.array(list(itertools.product(range(8), *([range(4), range(8)] * sweeps))))


def paths(sweeps) -> Path:
    """Every path, along the first axis."""
    index = indices(sweeps)
    return Path(jnp.asarray(VISIBLE[index[:, ::2]]), jnp.asarray(HIDDEN[index[:, 1::2]]))


def over(f, p, path):
    return jax.vmap(lambda one: f(p, Gibbs(), None, one, random.key(0)))(path)


def kl(p, sweeps):
    """KL(q(tau) || p(tau)) by enumeration, p(x_k) = q_k(x_k)."""
    path = paths(sweeps)
    chance = DATA[indices(sweeps)[:, 0]] * jnp.exp(over(log_forward, p, path))
    end = ends(p, sweeps)[indices(sweeps)[:, -1]]
    return (chance * (jnp.log(chance) - over(log_backward, p, path) - jnp.log(end))).sum()


def near(found, want, atol=1e-9):
    np.testing.assert_allclose(np.ravel(found), np.ravel(want), rtol=0, atol=atol)


def test_likelihood_and_its_gradient():
    p = rbm()
    log_p = jax.jit(log_law)
    assert logsumexp(minus_energy(p)) == pytest.approx(3.6962195404, abs=1e-9)
    near(log_p(p), LOG_P)
    assert DATA @ log_p(p) == pytest.approx(-2.3758289735, abs=1e-9)
    near(slope(p), EXACT)


def slope(p):
    """The exact gradient of E_D[log p(x)]."""
    return jax.jit(jax.grad(lambda p: DATA @ log_law(p)))(p).weights.T


@pytest.mark.parametrize("real", [False, True])
def test_free_energy_posterior_and_likelihood_are_of_one_joint(real):
    """p(z | x) p(x) = p(x | z) p(z), with biases."""
    p = RBM(mk((2, 3), 1, 1.0), mk(2, 7, 0.5), mk(3, 9, 0.5), mk(3, 11, 0.9) if real else None)
    x = mk(3, 12, 1.0) if real else jnp.asarray(VISIBLE[5])
    for z in jnp.asarray(HIDDEN):
        energy = p.free_energy(None, x) - p.posterior(None, x).log_prob(z)
        near(energy, p.hidden_free_energy(z) - p.likelihood(None, z).log_prob(x))
        own = (((x - p.visible) / p.deviation) ** 2).sum() / 2 if real else -p.visible @ x
        near(energy, own - z @ p.weights @ (x / p.deviation) - p.hidden @ z)


@pytest.mark.parametrize("sweeps", [1, 2])
def test_every_path_weighs_what_its_ends_do(sweeps):
    """Eq. 37."""

    @jax.jit
    def both(p):
        path, free = paths(sweeps), jax.vmap(lambda x: p.free_energy(None, x))
        return over(log_forward, p, path) - over(log_backward, p, path), free(path.x[:, 0]) - free(path.x[:, -1])

    near(*both(rbm()))


@pytest.mark.parametrize(("sweeps", "want"), [(1, 0.4537768680), (2, 0.4585398528)])
def test_the_divergence_of_chains_is_what_hinton_contrasts(sweeps, want):

    @jax.jit
    def both(p):
        log_p, end = log_law(p), ends(p, sweeps)
        return kl(p, sweeps), DATA @ (np.log(DATA) - log_p) - end @ (jnp.log(end) - log_p)

    found, contrast = both(rbm())
    near(found, contrast, 1e-12)
    near(contrast, want)


def enumerated(p, sweeps):
    """Every path as a frame of its own in one trace, with the exact signal, and its probability under q."""
    path = paths(sweeps)
    forward = over(log_forward, p, path)
    end = ends(p, sweeps)[indices(sweeps)[:, -1]]
    row = lambda a: a[None, :, None]
    z = (row(path.z), row(path.x[:, 1:]))
    start = jax.vmap(lambda x, z: p.likelihood(None, z).log_prob(x))(path.x[:, 0], path.z[:, 0])
    prior = over(log_backward, p, path) - start + jnp.log(end)
    none, valid = jnp.zeros((1, len(end), 1, 0, 2)), jnp.ones((1, len(end)), bool)
    flat = jnp.zeros((1, len(end)))
    scores = map(row, (prior, start, forward, forward - prior))
    trace = Trace(path.x[None, :, 0], z, *scores, flat, flat, none, valid)
    return trace, DATA[indices(sweeps)[:, 0]] * jnp.exp(forward)


@eqx.filter_jit
def gradients(p, sweeps):
    """sum over paths of q(tau) times the gradient that the estimator takes from tau, without and with the policy
    gradient; and the gradient of the enumerated divergence."""
    trace, chance = enumerated(p, sweeps)
    signal = TrajectoryKL().signal(trace, 0, False)[..., 0] + 3.0  # a baseline changes nothing

    def loss(p, policy_gradient):
        estimator = ContrastiveDivergence(None, policy_gradient)
        return (chance * estimator.loss(p, Gibbs(sweeps), p.initial(), trace, signal)[0]).sum()

    grads = (jax.grad(loss)(p, False), jax.grad(loss)(p, True), jax.grad(kl)(p, sweeps))
    return [grad.weights.T.ravel() for grad in grads]


@pytest.mark.parametrize("sweeps", [1, 2])
def test_both_parts_of_the_gradient(sweeps):
    """Eq. 43 alone is CD-k; with eq. 45 it is the gradient of KL(q || p)."""
    first, both, whole = gradients(rbm(), sweeps)
    near(first, -np.array(CD[sweeps]))
    near(both, whole, 1e-12)
    if sweeps == 1:
        near(both, WHOLE)
        near(both - first, IGNORED)


def test_after_many_sweeps_it_is_the_gradient_of_the_likelihood():
    p = rbm()
    end = jax.jit(ends, static_argnums=1)(p, 20)
    found = jax.jit(jax.grad(lambda p: (DATA - end) @ minus_energy(p)))(p).weights.T
    near(found, slope(p), 1e-14)
    near(found, EXACT)


def batch_of_data(rows, seed=0):
    """Frames in proportion to the data, as far as whole numbers go."""
    index = np.repeat(np.arange(8), np.round(DATA * rows).astype(int))
    x = VISIBLE[np.random.default_rng(seed).permutation(index)]
    return Batch(jnp.asarray(x[:, None]), jnp.ones((len(x), 1), bool))


@pytest.mark.parametrize(("policy_gradient", "want"), [(False, -np.array(CD[1])), (True, np.array(WHOLE))])
def test_the_sampled_gradient_agrees(policy_gradient, want):
    p, batch, estimator = rbm(), batch_of_data(400), ContrastiveDivergence(None, policy_gradient)

    def one(key):
        loss = lambda p: estimator(p, Gibbs(), TrajectoryKL(), batch, key, (), 0)[0]
        grad, value = eqx.filter_grad(lambda p: (loss(p).surrogate, loss(p).value), has_aux=True)(p)
        return grad.weights.T.ravel(), value

    grads, values = jax.jit(lambda keys: jax.lax.map(one, keys))(random.split(random.key(1), 60))
    error = grads.std(0, ddof=1) / len(grads) ** 0.5
    assert (np.abs(grads.mean(0) - want) < 4 * error + 2e-3).all()
    up, down = moves(p)
    exact = DATA @ (jnp.exp(up) * down.T).sum(1)  # E[log p(x_0 | z_0)]
    assert values.mean() == pytest.approx(float(exact), abs=4 * float(values.std()) / 60**0.5 + 0.01)


def test_chains_that_persist_forget_the_data():
    """k sweeps a step from where they were: their law becomes p's, not q_k."""
    p, batch = rbm(), batch_of_data(20)
    estimator = ContrastiveDivergence(jnp.zeros((4000, 3)))

    def one(memory, key):
        grad_of = lambda p: estimator(p, Gibbs(), TrajectoryKL(), batch, key, memory, 0)
        grad, memory = eqx.filter_grad(lambda p: (grad_of(p)[0].surrogate, grad_of(p)[1]), has_aux=True)(p)
        return memory, grad.weights.T.ravel()

    keys = random.split(random.key(2), 60)
    memory, grads = jax.jit(lambda keys: jax.lax.scan(one, estimator.initial(), keys))(keys)
    assert memory.shape == (4000, 3)
    grads = grads[20:]
    error = 2 * grads.std(0, ddof=1) / len(grads) ** 0.5  # steps follow each other, and are alike
    assert (np.abs(grads.mean(0) + np.array(EXACT)) < 4 * error).all()


def test_a_belief_network_over_tied_weights_is_the_same_machine():
    """p(h1) of an RBM with weights w', whose lower units are h1 and upper ones x-like, under p(x | h1) (D1b)."""
    p = rbm()
    top = RBM(p.weights.T, p.visible, p.hidden)  # h1 is its visible side
    log_h = -jax.vmap(lambda h: top.free_energy(None, h))(jnp.asarray(HIDDEN))
    log_h -= logsumexp(log_h)
    log_h = log_h[None]
    down = jax.vmap(lambda x: jax.vmap(lambda h: p.likelihood(None, h).log_prob(x))(jnp.asarray(HIDDEN)))
    near(logsumexp(down(jnp.asarray(VISIBLE)) + log_h, 1), log_law(p), 1e-14)


class Recurrent(AbstractUndirected):
    """An RTRBM, enough to see that a past fits in the carry: r_t = s(W x_t + U'r_t-1 + b), b_t = b + U'r_t-1."""

    machine: RBM
    past: jax.Array

    def initial(self):
        return jnp.zeros_like(self.machine.hidden)

    def given(self, r):
        return eqx.tree_at(lambda p: p.hidden, self.machine, self.machine.hidden + self.past.T @ r)

    def advance(self, carry, z, e):
        return jax.nn.sigmoid(self.given(carry).input(e))

    def example(self):
        return self.machine.example()

    def free_energy(self, carry, x):
        return self.given(carry).free_energy(None, x)

    def posterior(self, carry, x):
        return self.given(carry).posterior(None, x)

    def likelihood(self, carry, z):
        return self.machine.likelihood(None, z)


def test_the_protocol_carries_a_past():
    """D4b: the RTRBM's exact likelihood, and a chain under each step's carry."""
    p = Recurrent(RBM(mk((2, 2), 5, 1.2).T, mk(2, 17, 0.4), mk(2, 19, 0.4)), mk((2, 2), 1, 1.2))
    carry, total = p.initial(), 0.0
    for x in jnp.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]):
        log_z = logsumexp(-jax.vmap(lambda v, carry=carry: p.free_energy(carry, v))(jnp.asarray(HIDDEN)))
        total -= p.free_energy(carry, x) + log_z
        path = walk(p, Gibbs(), carry, x, random.key(0), 3)
        assert path.x.shape == (4, 2)
        carry = p.advance(carry, None, x)
    assert total == pytest.approx(-4.4320315637, abs=1e-9)


def test_a_walk_stays_in_its_own_law():

    @jax.jit
    def ended(p):
        start = jnp.asarray(VISIBLE)[random.categorical(random.key(0), log_law(p), shape=(20_000,))]
        keys = random.split(random.key(1), 20_000)
        return jax.vmap(lambda x, key: walk(p, Gibbs(), None, x, key, 2).last)(start, keys)

    share = np.bincount(np.asarray(ended(rbm()) @ jnp.array([4.0, 2.0, 1.0]), int), minlength=8) / 20_000
    error = np.sqrt(np.exp(LOG_P) * (1 - np.exp(LOG_P)) / 20_000)
    assert (np.abs(share - np.exp(LOG_P)) < 4 * error).all()
