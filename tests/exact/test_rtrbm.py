"""RBMs whose biases come from a past: 3 visible and 2 hidden units over 3 steps, every frame and chain enumerated."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from jax.scipy.special import logsumexp

from counterpoint.bounds import Annealed, score
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.estimators import ContrastiveDivergence
from counterpoint.inference import Gibbs
from counterpoint.models import CRBM, FCRBM, RBM, RTRBM, SRTRBM, TRBM, RNNRBMConfig
from counterpoint.networks import Factored
from counterpoint.rollout import swap
from counterpoint.walk import pasts, walk
from exact.cases import FRAMES, mk, whole

pytestmark = pytest.mark.usefixtures("x64")

VISIBLE = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
HIDDEN = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
SEQUENCE = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0]])


def machine() -> RBM:
    return RBM(mk((2, 3), 1, 1.2), mk(2, 17, 0.4), mk(3, 19, 0.4))


def rtrbm() -> RTRBM:
    return RTRBM(machine(), mk((2, 2), 5, 1.5), mk(2, 9, 0.7))


def trbm() -> TRBM:
    return TRBM(machine(), mk((2, 2), 5, 1.5))


def srtrbm() -> SRTRBM:
    return SRTRBM(rtrbm(), mk((2, 2), 3, 1.0), 2.0, 0.3)


def crbm() -> CRBM:
    return CRBM(machine(), mk((2, 5, 3), 23, 0.9))


def rnn_rbm():
    known = facts((np.tile(VISIBLE, (2, 1)),), "binary")
    p = RNNRBMConfig(units=2, hidden=2).build(known, random.key(0))
    return eqx.tree_at(lambda p: (p.machine, p.to_biases), p, (machine(), mk((5, 2), 29, 1.1)))


def fcrbm() -> FCRBM:
    """3 factors, 2 styles, 2 lags."""
    make = lambda rows, columns, start: Factored(
        mk((rows, 3), start, 1.1), mk((3, 2), start + 20, 1.3), mk((3, columns), start + 40, 1.2)
    )
    p = RBM(make(2, 3, 1), mk(2, 17, 0.4), mk(3, 19, 0.4))
    return FCRBM(p, make(2, 6, 70), make(3, 6, 130), mk((2, 6), 200, 0.8), mk(2, 220, 0.5))


MODELS = {"rtrbm": rtrbm, "trbm": trbm, "srtrbm": srtrbm, "crbm": crbm, "rnn_rbm": rnn_rbm, "fcrbm": fcrbm}
SEEN = [name for name in MODELS if name != "trbm"]  # the past is a function of x


@eqx.filter_jit
def measured(p, bound, batch):
    return score(p, Gibbs(), bound, batch, random.key(3))


def exact(p, x):
    """log p(x_t | past) of sequences (B, T, ...), summed over steps."""
    return measured(p, Annealed(), Batch(x, jnp.ones(x.shape[:2], bool)))


def energies(p, carry):
    """F_t of every frame."""
    return jax.vmap(lambda x: p.free_energy(carry, x))(jnp.asarray(VISIBLE))


def test_published_definitions_on_two_units():
    """D4b."""
    p = RBM(mk((2, 2), 5, 1.2).T, mk(2, 17, 0.4), mk(2, 19, 0.4)), mk((2, 2), 1, 1.2).T
    recurrent, temporal = RTRBM(*p, jnp.zeros(2)), TRBM(*p)
    assert float(exact(recurrent, jnp.asarray(FRAMES)[None])[0]) == pytest.approx(-4.4320315637, abs=1e-9)

    def along(z):
        """log p(x_1:3, z_1:3)."""
        carry, total = temporal.initial(), 0.0
        for x, now in zip(jnp.asarray(FRAMES), z):
            every = -jax.vmap(lambda v, c=carry: temporal.free_energy(c, v))(jnp.asarray(HIDDEN))
            joint = temporal.posterior(carry, x).log_prob(now) - temporal.free_energy(carry, x)
            carry, total = temporal.advance(carry, now, x), total + joint - logsumexp(every)
        return total

    paths = jnp.asarray(list(itertools.product(HIDDEN, repeat=3)))
    assert float(logsumexp(jax.vmap(along)(paths))) == pytest.approx(-4.4395201582, abs=1e-9)
    drawn = exact(temporal, jnp.tile(jnp.asarray(FRAMES)[None], (40000, 1, 1)))
    error = float(drawn.std()) / 40000**0.5
    assert float(logsumexp(drawn)) - np.log(40000) == pytest.approx(-4.4395201582, abs=4 * error)
    assert float(drawn.mean()) < -4.4395201582 - 5 * error  # though each Z is counted


@pytest.mark.parametrize("name", SEEN)
def test_sequences_have_probabilities_that_sum_to_one(name):
    x = jnp.asarray(list(itertools.product(VISIBLE, repeat=2)))
    log_p = exact(MODELS[name](), x)
    assert float(logsumexp(log_p)) == pytest.approx(0.0, abs=1e-12)
    assert float(jnp.abs(log_p - logsumexp(log_p.reshape(8, 8), 1).repeat(8) + np.log(8)).max()) > 0.3  # no step alone


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


@pytest.mark.parametrize("name", [name for name in SEEN if name != "fcrbm"])
def test_biases_are_those_of_a_loop(name):
    """In NumPy, step by step, from the equations."""
    p = MODELS[name]()
    m = machine()
    W, b = np.array(m.weights), np.array(m.hidden)
    found = swap(pasts(p, Gibbs(), whole(SEQUENCE), random.key(0))[0]).value
    if name == "rnn_rbm":
        cell, gates = p.recurrence.cell.cells[0], p.recurrence.gates
        step = lambda u, x: np.tanh(gates.weight @ x + gates.bias + cell.recurrent.weight @ u + cell.recurrent.bias)
        u, want = step(np.zeros(2), np.zeros(3)), []
        for x in SEQUENCE:
            want.append(np.array(p.to_biases) @ u)
            u = step(u, x)
    elif name == "crbm":
        lags, padded = np.array(p.lags), np.concatenate([np.zeros((2, 3)), SEQUENCE])
        want = [lags[0] @ padded[t + 1] + lags[1] @ padded[t] for t in range(3)]
    else:
        U, r, want = np.array(mk((2, 2), 5, 1.5)), None, []
        if name == "srtrbm":
            gate = np.where(np.eye(2), 1.0, sigmoid(2.0 * np.array(mk((2, 2), 3, 1.0))))
            W, U = W * gate[:, [0, 0, 1]], U * gate
        for x in SEQUENCE:
            want.append(np.array(mk(2, 9, 0.7)) if r is None else U @ r)
            r = sigmoid(W @ x + b + want[-1])
    both = [a for a in found if a is not None]
    np.testing.assert_allclose(np.concatenate(both, -1)[:, 0], want, atol=1e-12)


def test_factors_are_gated_by_the_style_of_the_past():
    """-F_t(x) of every frame by a sum over every z of three-way products, in NumPy."""
    p, numbers = fcrbm(), lambda a: [np.array(m) for m in (a.left, a.gate, a.right)]
    before = swap(pasts(p, Gibbs(), whole(SEQUENCE), random.key(0))[0])
    found = jax.vmap(lambda carry: energies(p, carry))(jax.tree.map(lambda a: a[:, 0], before))
    padded = np.concatenate([np.zeros((2, 3)), SEQUENCE])
    three = "if,fs,s,fk,i,k"
    for t in range(3):
        past = padded[t : t + 2].ravel()
        y = np.exp(np.array(p.style) @ past + np.array(p.bias))
        y /= y.sum()
        product = lambda a, rows, columns, y=y: np.einsum(three, *numbers(a)[:2], y, numbers(a)[2], rows, columns)
        b, c = np.array(p.machine.hidden), np.array(p.machine.visible)
        minus_energy = lambda x, z, past=past, product=product, b=b, c=c: (
            product(p.machine.weights, z, x)
            + product(p.to_hidden, z, past)
            + product(p.to_visible, x, past)
            + z @ b
            + x @ c
        )
        want = [-logsumexp(np.array([minus_energy(x, z) for z in HIDDEN])) for x in VISIBLE]
        np.testing.assert_allclose(found[t], want, atol=1e-12)


def kernel(p, carry):
    """(8, 8) one sweep under one past."""
    up = jax.vmap(lambda x: jax.vmap(lambda z: p.posterior(carry, x).log_prob(z))(jnp.asarray(HIDDEN)))
    down = jax.vmap(lambda z: jax.vmap(lambda x: p.likelihood(carry, z).log_prob(x))(jnp.asarray(VISIBLE)))
    return jnp.exp(up(jnp.asarray(VISIBLE))) @ jnp.exp(down(jnp.asarray(HIDDEN)))


@eqx.filter_jit
def expected(p, sweeps):
    """The estimator's gradient with each end weighed by its probability after so many sweeps from x_t, or under p where
    `sweeps` is 0; and that of the exact log-likelihood."""
    batch = whole(SEQUENCE, 8)  # row i: every chain ends in frame i
    start = jnp.asarray([int("".join(str(int(v)) for v in x), 2) for x in SEQUENCE])

    def law(carry, x):
        own = -energies(p, carry)
        end = jnp.linalg.matrix_power(kernel(p, carry), sweeps)[x] if sweeps else jnp.exp(own - logsumexp(own))
        return jax.lax.stop_gradient(end)

    def loss(p):
        before = swap(pasts(p, Gibbs(), batch, random.key(0))[0])
        ends = jnp.broadcast_to(jnp.asarray(VISIBLE), (3, 8, 3))
        trace = Annealed().run(p, Gibbs(), batch, random.key(0))
        z, later = trace.z
        trace = trace._replace(z=(z, later.at[:, :, 0, -1].set(ends)))
        each = ContrastiveDivergence(None).loss(p, Gibbs(), before, trace, jnp.zeros((3, 8)))
        return (each * jax.vmap(law)(jax.tree.map(lambda a: a[:, 0], before), start)).sum()

    return jax.grad(loss)(p), jax.grad(lambda p: exact(p, jnp.asarray(SEQUENCE)[None])[0])(p)


def near(found, want, atol):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want), strict=True):
        np.testing.assert_allclose(-a, b, atol=atol)
        assert np.abs(b).max() > 1e-4


@pytest.mark.parametrize("name", [SEEN[0], *(pytest.param(name, marks=pytest.mark.slow) for name in SEEN[1:])])
def test_from_the_exact_law_the_gradient_is_that_of_the_likelihood(name):
    """Through time: each parameter, in what it does at once and in what it does through the past."""
    near(*expected(MODELS[name](), 0), 1e-10)


@pytest.mark.slow
def test_after_many_sweeps_so_it_is_and_after_one_it_is_not():
    near(*expected(rtrbm(), 200), 1e-8)
    with pytest.raises(AssertionError):
        near(*expected(rtrbm(), 1), 1e-2)


@eqx.filter_jit
def along_the_filter(p):
    """The gradient of E_q[sum_t log p(x_t | z_t-1)] with q held, and E_q[sum_t log p(x_t | z_t)]: every path of z."""
    paths = jnp.asarray(list(itertools.product(HIDDEN, repeat=3)))

    def loss(p):
        def one(path):
            carry, log_q, total, back = p.initial(), 0.0, 0.0, 0.0
            for t, x in enumerate(jnp.asarray(SEQUENCE)):
                total += -p.free_energy(carry, x) - logsumexp(-energies(p, carry))
                log_q += p.posterior(carry, x).log_prob(path[t])
                back += p.likelihood(carry, path[t]).log_prob(x)
                carry = p.advance(carry, path[t], jax.tree.map(lambda a, t=t: a[t], embedded))
            return jnp.exp(jax.lax.stop_gradient(log_q)) * jnp.stack([total, back])

        embedded = p.embed(p.memory(), jnp.asarray(SEQUENCE))[1]
        return jax.vmap(one)(paths).sum(0)

    return jax.grad(lambda p: tuple(loss(p)), has_aux=True)(p)


@eqx.filter_jit
def sampled(p, keys, q):
    estimator, batch = ContrastiveDivergence(None), whole(SEQUENCE, 300)

    def one(key):
        def loss(p):
            found = estimator(p, q, Annealed(), batch, key, (), 0)[0]
            return 3 * found.surrogate, 3 * found.value

        grad, value = jax.grad(loss, has_aux=True)(p)
        return -jnp.concatenate([a.ravel() for a in jax.tree.leaves(grad)]), value

    return jax.lax.map(one, keys)


@pytest.mark.slow
@pytest.mark.parametrize("previous", [False, True])
@pytest.mark.parametrize("name", ["rtrbm", "trbm"])
def test_the_sampled_gradient_agrees(name, previous):
    p = MODELS[name]()
    grad, value = along_the_filter(p)
    grads, values = sampled(p, random.split(random.key(1), 40), Gibbs(15, previous))
    want = np.concatenate([np.ravel(a) for a in jax.tree.leaves(grad)])
    error = grads.std(0, ddof=1) / 40**0.5
    assert (np.abs(grads.mean(0) - want) < 4 * error).all()
    assert (np.asarray(error) < 0.02).all()
    if previous:  # one z tells less of the frame that comes after
        assert float(values.mean()) < float(value) - 1e-3
        return
    assert float(values.mean()) == pytest.approx(float(value), abs=4 * float(values.std()) / 40**0.5 + 1e-9)


@eqx.filter_jit
def taught(p):
    """Loss and gradient."""
    one = lambda p: ContrastiveDivergence(None)(p, Gibbs(), Annealed(), whole(SEQUENCE), random.key(0), (), 0)[0]
    return jax.value_and_grad(lambda p: one(p).surrogate)(p)


def test_what_a_structure_costs_is_in_the_loss():
    p = srtrbm()
    (loss, grad), (free, without) = taught(p), taught(SRTRBM(p.whole, p.scores, p.slope, 0.0))
    gates = sigmoid(2.0 * np.array(p.scores)) * (1 - np.eye(2))
    assert float(loss - free) == pytest.approx(0.3 * gates.sum(), abs=1e-12)
    np.testing.assert_allclose(grad.scores - without.scores, 0.3 * 2.0 * gates * (1 - gates), atol=1e-12)


def test_closed_gates_take_groups_apart():
    p = srtrbm()
    apart = eqx.tree_at(lambda p: p.scores, p, jnp.full((2, 2), -1e3))
    np.testing.assert_allclose(apart.machine.weights, p.whole.machine.weights * np.array([[1, 1, 0], [0, 0, 1]]))
    np.testing.assert_allclose(apart.masked.across, p.whole.across * np.eye(2))


def test_the_conservative_estimate_is_the_probability_of_a_normalised_model():
    """E[w] sums to 1 over frames, with any number of temperatures; and log w is below, AIS above, the RBM's own."""
    p = RBM(3.0 * mk((2, 3), 1, 1.2), mk(2, 17, 0.4), mk(3, 19, 0.4))
    rows = 3000
    x = jnp.repeat(jnp.asarray(VISIBLE)[:, None], rows, 0)
    batch = Batch(x, jnp.ones((8 * rows, 1), bool))
    run = eqx.filter_jit(lambda bound, batch, key: score(p, Gibbs(), bound, batch, key))
    low = run(Annealed(2, counted=0), batch, random.key(0)).reshape(8, rows)
    each = jax.tree.map(lambda a: a[::rows], batch)  # its frames share their chains: fresh ones for each row
    cooled = Annealed(2, conservative=False, counted=0)
    high = jax.lax.map(lambda key: run(cooled, each, key), random.split(random.key(1), rows)).T
    chance = jnp.exp(low)
    error = float((chance.var(1) / rows).sum() ** 0.5)
    assert float(chance.mean(1).sum()) == pytest.approx(1.0, abs=4 * error)
    assert error < 0.05
    log_p = exact(p, jnp.asarray(VISIBLE)[:, None])
    far = lambda a: float((jnp.exp(log_p) @ a).std() / rows**0.5)
    beyond = lambda a: float((jnp.exp(log_p) * (a.mean(1) - log_p)).sum())
    assert beyond(low) < -5 * far(low)
    assert beyond(high) > 5 * far(high)


@pytest.mark.parametrize("counted", [0, 20])
def test_without_a_past_all_frames_share_one_z(counted):
    """Counted over x, which has fewer units; or of one set of chains, within their error of it."""
    p = RBM(mk((25, 3), 1, 0.6), mk(25, 20, 0.5), mk(3, 30, 0.5))
    x = jnp.asarray(VISIBLE).reshape(4, 2, 3)
    bound = Annealed(temperatures=100, particles=50, conservative=False, counted=counted)
    run = eqx.filter_jit(lambda p: bound.run(p, Gibbs(), Batch(x, jnp.ones((4, 2), bool)), random.key(0)))
    log_z = -run(p).log_likelihood - swap(energies(p, None).reshape(4, 2))[..., None]
    want = float(logsumexp(-energies(p, None)))
    np.testing.assert_allclose(log_z - log_z[:1, :1], 0.0, atol=1e-12)
    spread = float(log_z[0, 0].std())
    assert (spread > 1e-3) == (counted == 0)
    assert float(logsumexp(log_z[0, 0]) - np.log(50)) == pytest.approx(want, abs=4 * spread / 50**0.5 + 1e-12)


def test_portions_that_leave_padding_out_give_each_sequence_its_own(monkeypatch):
    """Of 3, 1 and 2 frames, two frames at a time: the fourth portion and the fifth have none."""
    p, lengths = rtrbm(), np.array([3, 1, 2])
    x = jnp.stack([jnp.asarray(SEQUENCE)[::step] for step in (1, -1, 1)])
    want = [float(exact(p, x[i, :length][None])[0]) for i, length in enumerate(lengths)]
    monkeypatch.setattr("counterpoint.bounds.annealed.CHAINS", 8)
    batch = Batch(x, jnp.asarray(np.arange(3)[None] < lengths[:, None]))
    found = eqx.filter_jit(lambda p: score(p, Gibbs(), Annealed(), batch, random.key(0)))(p)
    np.testing.assert_allclose(found, want, rtol=1e-10)


@pytest.mark.slow
def test_many_temperatures_lead_to_the_exact_value_from_either_side():
    p = rtrbm()
    want = float(exact(p, jnp.asarray(SEQUENCE)[None])[0])
    for conservative in (True, False):
        bound = Annealed(temperatures=200, particles=4, counted=0, conservative=conservative)
        values = measured(p, bound, whole(SEQUENCE, 200))
        assert float(values.mean()) == pytest.approx(want, abs=0.01)
        assert 0 < float(values.std()) < 0.2


@pytest.mark.parametrize("previous", [False, True])
def test_a_chain_begins_at_the_datum_or_at_the_frame_before_it(previous):
    """By where one sweep ends, under the past of each step."""
    p, batch, count = rtrbm(), whole(SEQUENCE, 4000), 4000
    before = pasts(p, Gibbs(), batch, random.key(0))[0]
    walked = ContrastiveDivergence(None).walked
    trace = jax.jit(lambda: walked(p, Gibbs(1, previous), before, batch.x, batch.valid, random.key(1)))()
    ends = np.asarray(trace.z[1][:, :, 0, -1] @ jnp.array([4.0, 2.0, 1.0]), int)  # (T, B)
    for t, ended in enumerate(ends):
        start = int(SEQUENCE[max(t - previous, 0)] @ np.array([4, 2, 1]))
        want = np.asarray(kernel(p, jax.tree.map(lambda a, t=t: a[0, t], before)))[start]
        share = np.bincount(ended, minlength=8) / count
        assert (np.abs(share - want) < 4 * np.sqrt(want / count)).all()


def test_a_walk_under_a_past_stays_in_its_own_law():
    p = rtrbm()
    carry = jax.tree.map(lambda a: a[0, 2], pasts(p, Gibbs(), whole(SEQUENCE), random.key(0))[0])
    log_p = -energies(p, carry)
    log_p = np.asarray(log_p - logsumexp(log_p))
    start = jnp.asarray(VISIBLE)[random.categorical(random.key(0), jnp.asarray(log_p), shape=(20_000,))]
    keys = random.split(random.key(1), 20_000)
    ended = jax.jit(lambda: jax.vmap(lambda x, key: walk(p, Gibbs(), carry, x, key, 2).last)(start, keys))()
    share = np.bincount(np.asarray(ended @ jnp.array([4.0, 2.0, 1.0]), int), minlength=8) / 20_000
    assert (np.abs(share - np.exp(log_p)) < 4 * np.sqrt(np.exp(log_p) / 20_000)).all()
