"""Annealed importance sampling of directed models against closed forms and enumeration."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from scipy import stats

from conformance.parts import MODELS, STEPS, batch_of, build, build_p, refusal
from counterpoint.bounds import IWAE, score
from counterpoint.core import Batch
from counterpoint.data import Sequences
from counterpoint.evaluation import AIS, check_ais, evaluate, sandwich
from counterpoint.inference import KalmanConfig, Prior
from counterpoint.models import LDS
from exact.cases import mk, table, whole
from exact.test_sbn import V, sbn

KEY = random.key(2)


def linear(sharp=0.05):
    """z ~ N(m, P), x ~ N(C z, R) of three and four numbers, its frames and log p of them."""
    c, mean = np.asarray(mk((4, 3), 1, 1.0)), np.asarray(mk(3, 20, 1.0))
    spread = np.eye(3) + 0.5 * np.asarray(mk((3, 3), 5, 1.0)) @ np.asarray(mk((3, 3), 5, 1.0)).T
    p = LDS.of(np.eye(3), np.eye(3), c, sharp * np.eye(4), mean, spread)
    law = stats.multivariate_normal(c @ mean, c @ spread @ c.T + sharp * np.eye(4))  # pyright: ignore[reportArgumentType]
    x = law.rvs(6, random_state=3)
    return p, x, law


def once(x):
    return Batch(jnp.asarray(x)[:, None], jnp.ones((len(x), 1), bool))


@eqx.filter_jit
def trace_of(p, q, x, bound):
    return bound.run(p, q, once(x), KEY)


def unbiased(log_w, log_p):
    """E[w] = p(x), for each row of log w."""
    ratio = np.exp(np.asarray(log_w) - np.asarray(log_p)[:, None])
    error = ratio.std(1) / ratio.shape[1] ** 0.5
    assert (np.abs(ratio.mean(1) - 1) < 4 * error).all()
    assert (error < 0.15).all()


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_weights_of_a_linear_system_have_the_mean_of_its_closed_form():
    """From the prior, in so few temperatures that a move which left its law would show."""
    p, x, law = linear(sharp=0.5)
    trace = trace_of(p, Prior(), x[:3], AIS(8, 3000))
    unbiased(trace.log_likelihood[0], law.logpdf(x[:3]))
    exact = trace_of(p, KalmanConfig().build(p, None, None), x[:2], AIS(2, 3))
    np.testing.assert_allclose(exact.log_likelihood[0], law.logpdf(x[:2])[:, None].repeat(3, 1), atol=1e-9)


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_more_temperatures_find_what_importance_sampling_from_the_prior_does_not():
    p, x, law = linear(sharp=0.005)
    want = law.logpdf(x)
    found = np.asarray(trace_of(p, Prior(), x, AIS(1000, 16)).log_evidence[0])
    assert (np.abs(found - want) < 0.5).all()
    few = np.asarray(eqx.filter_jit(score)(p, Prior(), IWAE(16), once(x), KEY))
    assert (few - want).mean() < -20


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_its_chains_end_in_the_posterior():
    p, x, _ = linear(sharp=0.5)
    z = np.asarray(trace_of(p, Prior(), x[:1], AIS(200, 4000)).z)[0, 0]
    c, start, cholesky = (np.asarray(a) for a in (p.readout, *p.initial()))
    gain = np.linalg.inv(np.linalg.inv(cholesky @ cholesky.T) + c.T @ c / 0.5)
    mean = gain @ (np.linalg.solve(cholesky @ cholesky.T, start) + c.T @ x[0] / 0.5)
    np.testing.assert_allclose(z.mean(0), mean, atol=0.1)
    np.testing.assert_allclose(np.cov(z.T), gain, atol=0.1)


@pytest.mark.usefixtures("x64")
@pytest.mark.slow
def test_coins_of_a_belief_network_by_enumeration():
    """REFERENCE D3."""
    p, q = sbn()
    for guess in (q, Prior()):
        unbiased(trace_of(p, guess, V, AIS(4, 4000)).log_likelihood[0], [-4.6487426375])
    found = trace_of(p, Prior(), V, AIS(200, 16)).log_evidence[0]
    assert found[0] == pytest.approx(-4.6487426375, abs=0.1)


@pytest.mark.usefixtures("x64")
def test_categories_are_drawn_anew():
    """REFERENCE D2."""
    p, q = table()
    batch = whole(np.zeros(1, np.int32))
    found = eqx.filter_jit(AIS(4, 4000).run)(p, q, batch, KEY)
    unbiased(found.log_likelihood[0], [-0.6539264674])
    assert found.log_evidence[0, 0] == pytest.approx(-0.6539264674, abs=0.05)


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_both_sides_of_what_p_draws():
    """Of whole portions of 32 frames: a rest would be a program of its own."""
    p, _, law = linear(sharp=0.05)
    below, above = sandwich(p, Prior(), KEY, 320, AIS(10, 2))
    far = (above - below).std() / 320**0.5
    assert (above - below).mean() > 4 * far > 0
    entropy = law.entropy()  # of frames: E log p(x) is minus it
    slack = 4 * 2**0.5 / 320**0.5
    assert below.mean() < -entropy + slack
    assert above.mean() > -entropy - slack
    below, above = sandwich(p, Prior(), KEY, 320, AIS(500, 4))
    assert 0 < (above - below).mean() < 0.1


SOME = {type(config): model for model, (_, config) in MODELS.items()}.values()  # one of each kind
USUAL = ("tsbn-static",)  # the others with -m slow


@pytest.mark.parametrize("model", [m if m in USUAL else pytest.param(m, marks=pytest.mark.slow) for m in SOME])
def test_every_directed_p_is_finite_and_blind_to_padding(model):
    p, q = build_p(model), Prior()
    frames = batch_of(model, length=1, lengths=np.minimum(STEPS, 1))
    run = eqx.filter_jit(AIS(3, 2).run)
    found = run(p, q, frames, KEY)
    assert np.isfinite(found.log_evidence).all()
    empty = frames._replace(valid=frames.valid.at[1].set(False))
    padded = run(p, q, empty, KEY)
    assert padded.log_evidence[0, 1] == 0
    np.testing.assert_allclose(padded.log_evidence[0, 0], found.log_evidence[0, 0], rtol=1e-6)


def test_what_is_no_single_frame_is_refused():
    p, q = build("tsbn-1", "prior")
    film = Sequences((np.zeros((2, 3), np.uint8), np.ones((1, 3), np.uint8)))
    for call in (
        lambda: check_ais(p, film),
        lambda: evaluate(p, q, film, {"": AIS(2, 2)}, KEY, 1, batch_size=2),
    ):
        assert "single frames, and these sequences have up to 2 steps" in refusal(call)
    gaps = Sequences((np.zeros((1, 3), np.uint8),), observed=(np.array([[True, False, True]]),))
    assert "some entries are missing" in refusal(lambda: check_ais(p, gaps))
    still = Sequences((np.zeros((1, 3), np.uint8),))
    check_ais(p, still)
    for other in ("rbm-binary", "dae-binary"):
        assert "needs a prior" in refusal(lambda other=other: check_ais(build_p(other), still))
    assert "give at least 1" in refusal(lambda: AIS(0))
    assert "sandwich: 0 frames" in refusal(lambda: sandwich(p, q, KEY, 0, AIS()))
