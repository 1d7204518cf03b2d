"""The parts that run chains between an undirected p and its own posterior: with each other, and with no others."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from jax import random
from rich.console import Console

from conformance.crossings import CHAINS_MEET, MADE_FOR, chains, covering, shared_out
from conformance.parts import (
    BOUNDS,
    CHAIN_BOUNDS,
    CHAIN_ESTIMATORS,
    CHAIN_POSTERIORS,
    ESTIMATORS,
    POSTERIORS,
    UNDIRECTED,
    batch_of,
    build,
    build_estimator,
    build_p,
    facts_of,
    refusal,
    spoiled,
    stirred,
)
from counterpoint.bounds import Annealed, TrajectoryKL, score
from counterpoint.bounds.trajectory_kl import log_ends
from counterpoint.commands.display import Display
from counterpoint.core import AbstractUndirected, Batch, Pairing
from counterpoint.data import Sequences
from counterpoint.distributions import Bernoulli, Gaussian, facts
from counterpoint.estimators import ContrastiveDivergenceConfig
from counterpoint.evaluation import exact_partition, standard_bounds
from counterpoint.inference import Gibbs, Prior
from counterpoint.models import RBMConfig, RTRBMConfig, SRTRBMConfig
from counterpoint.rollout import rollout
from counterpoint.training import FitConfig, OptimiserConfig, fit
from counterpoint.walk import pasts

TRIPLES = [
    (p, b, e)
    for p in UNDIRECTED
    for b in CHAIN_BOUNDS
    for e in CHAIN_ESTIMATORS
    if chains(p, b, e) and p in CHAINS_MEET.get(e, UNDIRECTED)
]
# every two of the three that can meet do meet
MET = covering(TRIPLES, lambda triple: set(itertools.combinations(triple, 2)))
# one that begins at the frame before goes with some of them only
POSSIBLE = [list(CHAIN_POSTERIORS)[: 3 if (b, e) == ("annealed", "cd") else 2] for _, b, e in MET]
DESIGNS = [(p, q[i % len(q)], e, b) for i, ((p, b, e), q) in enumerate(zip(MET, POSSIBLE))]
PAST = [p for p in UNDIRECTED if not p.startswith(("rbm", "ssrbm"))]


def pairing_of(model, posterior="gibbs", estimator="cd", bound="trajectory_kl", seed=0):
    p = stirred(build_p(model), seed)
    q = CHAIN_POSTERIORS[posterior].build(p, facts_of(model), random.key(0))
    method = CHAIN_ESTIMATORS[estimator].build(p, facts_of(model), random.key(7))
    return Pairing(p, q, CHAIN_BOUNDS[bound], method)


@eqx.filter_jit
def run(pairing, batch, key, memory, step):
    """(estimate, memory), gradient of p."""

    def loss(p):
        estimate, new = eqx.tree_at(lambda a: a.p, pairing, p)(batch, key, memory, step)
        return estimate.surrogate, (estimate, new)

    grad, out = eqx.filter_grad(loss, has_aux=True)(pairing.p)
    return out, grad


def same(found, want, atol=0.0):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)):
        np.testing.assert_allclose(a, b, rtol=0, atol=atol)


@pytest.mark.parametrize("design", shared_out(DESIGNS, 4), ids="+".join)
def test_a_chain_is_finite_and_blind_to_padding(design):
    pairing, batch = pairing_of(*design), batch_of(design[0])
    args = random.key(1), pairing.initial(), 3
    found = run(pairing, batch, *args)
    for leaf in jax.tree.leaves(found):
        assert np.isfinite(leaf).all()
        assert leaf.dtype in (jnp.float32, jnp.int32)
    assert all((leaf != 0).any() for leaf in jax.tree.leaves(found[1]))
    same(run(pairing, spoiled(batch, np.nan), *args), found)
    same(run(pairing, spoiled(batch, 1e30), *args), found)


def test_ends_are_measured_by_the_other_chains_that_are_no_padding():
    p, rng = build_p("rbm-binary"), np.random.default_rng(0)
    x, z = (jnp.asarray(rng.integers(0, 2, (5, 1, n)), jnp.float32) for n in (3, 3))
    whole = lambda n: jnp.ones((n, 1), bool)
    padded = log_ends(p, x, z, whole(5).at[3:].set(False))
    np.testing.assert_allclose(padded[:3], log_ends(p, x[:3], z[:3], whole(3)), atol=1e-6)
    assert np.abs(padded[:3] - log_ends(p, x, z, whole(5))[:3]).max() > 1e-3


def test_a_batch_without_frames_counts_nothing_and_one_frame_is_enough():
    pairing, batch = pairing_of("rbm-binary", estimator="cd-whole"), batch_of("rbm-binary")
    (estimate, _), grad = run(pairing, batch._replace(valid=jnp.zeros_like(batch.valid)), random.key(0), (), 3)
    assert estimate.value == 0
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(grad))
    (estimate, _), grad = run(
        pairing, batch._replace(valid=batch.valid.at[:, 1:].set(False).at[1].set(False)), random.key(0), (), 3
    )
    assert np.isfinite(estimate.value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grad))


@pytest.mark.slow
def test_repeats_in_one_program_give_what_each_gives_alone():
    alone = [pairing_of("rbm-binary", estimator="pcd", seed=i) for i in range(2)]
    batch, keys = batch_of("rbm-binary"), random.split(random.key(4), 2)
    arrays, rest = zip(*(eqx.partition(pairing, eqx.is_array) for pairing in alone))
    stacked = eqx.combine(jax.tree.map(lambda *a: jnp.stack(a), *arrays), rest[0])
    memory = jnp.stack([pairing.initial() for pairing in alone])
    together = eqx.filter_vmap(run, in_axes=(eqx.if_array(0), None, 0, 0, None))(stacked, batch, keys, memory, 3)
    for i, pairing in enumerate(alone):
        want = run(pairing, batch, keys[i], pairing.initial(), 3)
        same(jax.tree.map(lambda a, i=i: a[i], together), want, 2e-5)


def reasoned(message, *words):
    assert ": " in message
    assert "choose " in message
    for word in words:
        assert word in message


@pytest.fixture
def unchecked():
    """What is annotated for a directed p is met by an undirected one, which must be refused in words, or work."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", POSTERIORS)
def test_an_undirected_p_refuses_a_posterior_that_asks_for_its_prior(name):
    p, config = build_p("rbm-binary"), POSTERIORS[name]
    method = build_estimator("cd", "rbm-binary")
    reasoned(
        refusal(lambda: Pairing(p, config.build(p, facts_of("rbm-binary"), random.key(0)), TrajectoryKL(), method))
    )


@pytest.mark.parametrize("estimator", [*ESTIMATORS, *CHAIN_ESTIMATORS])
@pytest.mark.parametrize("bound", [*BOUNDS, *CHAIN_BOUNDS])
def test_an_undirected_p_refuses_bounds_and_estimators_that_follow_steps(bound, estimator):
    p, bounds = build_p("rbm-binary"), BOUNDS | CHAIN_BOUNDS
    home = "rbm-binary" if estimator in CHAIN_ESTIMATORS else "dbm" if estimator in MADE_FOR else "tsbn-1"
    make = lambda: Pairing(p, Gibbs(), bounds[bound], build_estimator(estimator, home))
    if bound not in CHAIN_BOUNDS or estimator not in CHAIN_ESTIMATORS:
        reasoned(refusal(make), "RBM is undirected", "up to Z")
    elif chains("rbm-binary", bound, estimator):
        make()
    else:
        reasoned(refusal(make), "policy_gradient", bounds[bound].name)


@pytest.mark.parametrize("estimator", CHAIN_ESTIMATORS)
@pytest.mark.parametrize("bound", CHAIN_BOUNDS)
def test_a_past_refuses_what_a_batch_or_a_persistent_chain_tells_of_one_law(bound, estimator):
    p = build_p("rtrbm")
    make = lambda: Pairing(p, Gibbs(), CHAIN_BOUNDS[bound], build_estimator(estimator, "rbm-binary"))
    if chains("rtrbm", bound, estimator):
        make()
    else:
        reasoned(refusal(make), CHAIN_BOUNDS[bound].name if bound == "trajectory_kl" else "contrastive_divergence")


@eqx.filter_jit
def carried(p, batch, batches):
    """The carries of a batch, and those of its chunks, each from where the one before it ended; the ends of both."""
    whole, end = pasts(p, Gibbs(), batch, random.key(5))
    found, state = [], None
    for chunk in batches:
        carries, state = pasts(p, Gibbs(), chunk._replace(state=state), random.key(5))
        found.append(carries)
    return (whole, end), (jax.tree.map(lambda *a: jnp.concatenate(a, 1), *found), state)


@pytest.mark.parametrize("model", PAST)
def test_a_past_goes_on_from_chunk_to_chunk_and_stops_at_padding(model):
    batch = batch_of(model)
    cut = lambda start, end: jax.tree.map(lambda a: a[:, start:end], batch)
    whole, chunks = carried(build_p(model), batch, [cut(0, 2), cut(2, 5)])
    same(chunks, whole, 1e-6)
    (carries, state), _ = carried(build_p(model), cut(0, 3), [cut(0, 3)])
    same(jax.tree.map(lambda a: a[1, 0], state.carry), jax.tree.map(lambda a: a[1, 0], whole[1].carry), 1e-6)
    assert all((a[:, 1] != a[:, 2]).any() for a in jax.tree.leaves(carries))


def test_a_directed_p_refuses_chains():
    p, q = build("tsbn-1", "prior")
    gibbs, whole = CHAIN_POSTERIORS["gibbs"], build_estimator("cd", "rbm-binary")
    reasoned(refusal(lambda: gibbs.build(p, facts_of("tsbn-1"), random.key(0))), "gibbs", "TSBN")
    plain = build_estimator("to-go", "tsbn-1")
    for parts in [(Gibbs(), BOUNDS["elbo"], plain), (q, TrajectoryKL(), plain), (q, BOUNDS["elbo"], whole)]:
        reasoned(refusal(lambda parts=parts: Pairing(p, *parts)), "TSBN is directed", "free energy")


@pytest.mark.usefixtures("unchecked")
def test_an_undirected_p_cannot_be_rolled_out():
    reasoned(refusal(lambda: rollout(build_p("rbm-binary"), Prior(), batch_of("rbm-binary"), random.key(0))), "RBM")


def test_frames_must_be_whole_and_of_a_kind_that_has_an_energy():
    pairing, gaps = pairing_of("rbm-binary"), batch_of("rbm-binary", missing=True)
    message = refusal(lambda: pairing(gaps, random.key(0), (), 0))
    reasoned(message, "contrastive_divergence", "without gaps")
    for bound in ("trajectory_kl", "annealed"):
        made = lambda bound=bound: score(pairing.p, pairing.q, CHAIN_BOUNDS[bound], gaps, random.key(0))
        reasoned(refusal(made), bound, "without gaps")
    reasoned(refusal(lambda: RBMConfig().build(facts_of("tsbn-static"), random.key(0))), "rbm", "counts")
    reasoned(refusal(lambda: ContrastiveDivergenceConfig(3, True)), "contrastive_divergence", "persistent")
    for estimator, bound in (("pcd", "annealed"), ("cd", "trajectory_kl"), ("cd-whole", "trajectory_kl")):
        message = refusal(lambda e=estimator, b=bound: pairing_of("rbm-binary", "gibbs-previous", e, b))
        reasoned(message, "contrastive_divergence", "the frame before")
    pairing = pairing_of("rtrbm", estimator="maximum_likelihood", bound="annealed")
    message = refusal(lambda: pairing(batch_of("rtrbm", missing=True), random.key(0), (), 0))
    reasoned(message, "maximum_likelihood", "without gaps")
    assert "at most 3 groups" in refusal(lambda: SRTRBMConfig(groups=4).build(facts_of("srtrbm"), random.key(0)))


def test_what_is_no_rbm_at_its_steps_is_not_annealed():
    class Another(AbstractUndirected):
        """Its energy is its own."""

        def initial(self):
            return None

        def advance(self, carry, z, e):
            return carry

        def example(self):
            return jnp.zeros(2)

        def free_energy(self, carry, x):
            return (x**4).sum()

        def posterior(self, carry, x):
            return Bernoulli(x)

        def likelihood(self, carry, z):
            return Gaussian(z, jnp.ones_like(z))

    method = build_estimator("cd", "rbm-real")
    reasoned(refusal(lambda: Pairing(Another(), Gibbs(), CHAIN_BOUNDS["annealed"], method)), "Another")
    assert list(standard_bounds(Pairing(Another(), Gibbs(), TrajectoryKL(), method), 4)) == ["TRAJECTORY_KL (no bound)"]


@pytest.mark.slow
def test_fit_learns_an_rtrbm_from_crop_to_crop():
    """A bit that mostly flips, seen twice: -0.69 nats a step without a past, -0.33 at best."""
    rng = np.random.default_rng(0)
    bit = np.cumsum(rng.random((64, 20)) < 0.9, 1) % 2
    x = np.stack([bit, bit], -1).astype(float)
    known = facts(tuple(x))
    p = RTRBMConfig(units=3, scale=0.5).build(known, random.key(0))
    method = ContrastiveDivergenceConfig().build(p, known, random.key(1))
    schedule = OptimiserConfig(p=0.05, schedule="cosine")
    config = FitConfig(epochs=100, batch_size=32, buckets=1, crop=10, carry=True, optimiser=schedule)
    fitted = fit(Pairing(p, Gibbs(5), Annealed(), method), Sequences(tuple(x)), config=config)
    assert "(reconstruction, no bound)  validation" in Display(Console()).lines(fitted.progress, 4, 100)[1]
    found = fitted.pairings[0]
    batch = Batch(jnp.asarray(x, jnp.float32), jnp.ones((64, 20), bool))
    assert float(score(found.p, found.q, Annealed(), batch, random.key(0)).mean()) / 20 > -0.5


@pytest.mark.parametrize("chains", [0, pytest.param(100, marks=pytest.mark.slow)])
def test_fit_learns_an_rbm(chains):
    """Exact log-likelihood, which no training sees, grows well above that of independent units."""
    rng = np.random.default_rng(0)  # four units that mostly agree: 2.77 nats where independent, 2.2 as they are
    x = (rng.integers(0, 2, (100, 1, 1)) ^ (rng.random((100, 1, 4)) < 0.15)).astype(float)
    known = facts_of("rbm-binary")
    known = known._replace(family=known.family.__class__("bernoulli", (4,)), marginal=np.zeros(4))
    p = RBMConfig(units=3, scale=0.1).build(known, random.key(0))
    method = ContrastiveDivergenceConfig(chains).build(p, known, random.key(1))
    config = FitConfig(epochs=200, batch_size=100, optimiser=OptimiserConfig(p=0.02))
    found = fit(Pairing(p, Gibbs(), TrajectoryKL(), method), Sequences(tuple(x)), config=config).pairings[0].p
    log_p = -jax.vmap(lambda v: found.free_energy(None, v))(jnp.asarray(x[:, 0], jnp.float32))
    assert float(log_p.mean()) - exact_partition(found).value > -2.4
