"""The parts that corrupt and reconstruct: with each other, and with no others."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.crossings import corrupts, covering, denoises
from conformance.parts import (
    BOUNDS,
    CHAIN_BOUNDS,
    CHAIN_ESTIMATORS,
    CHAIN_POSTERIORS,
    CORRUPTIONS,
    DENOISERS,
    DENOISING_BOUNDS,
    DENOISING_ESTIMATORS,
    ESTIMATORS,
    batch_of,
    build,
    build_estimator,
    build_p,
    facts_of,
    refusal,
    spoiled,
    stirred,
)
from counterpoint.bounds import Denoising
from counterpoint.core import Pairing
from counterpoint.data import Sequences
from counterpoint.errors import CounterpointError
from counterpoint.estimators import WalkbackConfig
from counterpoint.evaluation import generate, reconstruct, standard_bounds
from counterpoint.inference import GaussianNoiseConfig, LearnedCorruptionConfig, SaltAndPepperConfig

USUAL = [  # every two parts that can meet; the others with -m slow
    ("dae-binary", "salt_and_pepper", "denoising", "walkback-3"),
    ("dae-index", "learned_corruption", "denoising-all", "walkback-1"),
    ("dae-grey", "salt_and_pepper", "denoising-bare", "walkback-1"),
    ("dae-real", "learned_corruption-one", "denoising", "walkback-3"),
    ("dae-real", "gaussian_noise", "denoising-bare", "walkback-3"),
    ("gsn-binary", "salt_and_pepper", "denoising", "walkback-3"),
]
PAIRS = [(p, q) for p in DENOISERS for q in CORRUPTIONS if corrupts(p, q)]
ALL = [(p, q, b, e) for p, q in PAIRS for b in DENOISING_BOUNDS for e in DENOISING_ESTIMATORS if denoises(p, q, b, e)]
DESIGNS = sorted({*USUAL, *covering(ALL, lambda design: set(itertools.combinations(design, 2)))})
SELDOM = [pytest.param(d, marks=pytest.mark.slow) for d in DESIGNS if d not in USUAL]


def corruption(posterior, model):
    return stirred(CORRUPTIONS[posterior].build(build_p(model), facts_of(model), random.key(1)), 1)


def pairing_of(model, posterior, bound, estimator):
    method = build_estimator(estimator, "dae-binary")
    return Pairing(build_p(model), corruption(posterior, model), DENOISING_BOUNDS[bound], method)


@eqx.filter_jit
def run(pairing, batch, key):
    """Estimate, gradient."""

    def loss(pairing):
        estimate, _ = pairing(batch, key, (), 3)
        return estimate.surrogate, estimate

    return eqx.filter_grad(loss, has_aux=True)(pairing)[::-1]


def same(found, want):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("design", [*USUAL, *SELDOM], ids="+".join)
def test_a_corruption_is_finite_and_blind_to_padding(design):
    assert design in DESIGNS
    pairing, batch, key = pairing_of(*design), batch_of(design[0]), random.key(1)
    found = run(pairing, batch, key)
    for leaf in jax.tree.leaves(found):
        assert np.isfinite(leaf).all()
        assert leaf.dtype == jnp.float32
    assert all((leaf != 0).any() for leaf in jax.tree.leaves((found[1].p, found[1].q)))
    same(run(pairing, spoiled(batch, np.nan), key), found)
    same(run(pairing, spoiled(batch, 1e30), key), found)


def reasoned(message, *words):
    assert ": " in message
    assert "choose " in message
    for word in words:
        assert word in message


ALL_BOUNDS = BOUNDS | CHAIN_BOUNDS | DENOISING_BOUNDS
ALL_ESTIMATORS = ESTIMATORS | CHAIN_ESTIMATORS | DENOISING_ESTIMATORS


@pytest.mark.parametrize("estimator", ALL_ESTIMATORS)
def test_bounds_and_estimators_of_other_kinds_are_refused(estimator):
    p, q = build_p("dae-binary"), corruption("salt_and_pepper", "dae-binary")
    for name, bound in ALL_BOUNDS.items():
        make = lambda bound=bound: Pairing(p, q, bound, build_estimator(estimator, "dae-binary"))
        if name in DENOISING_BOUNDS and estimator in DENOISING_ESTIMATORS:
            make()
        else:
            reasoned(refusal(make), "DAE")


def test_posteriors_of_other_kinds_are_refused():
    p, facts = build_p("dae-binary"), facts_of("dae-binary")
    method = build_estimator("walkback-1", "dae-binary")
    for q in (build("tsbn-1", "prior")[1], build("tsbn-1", "tsbn_recognition")[1]):
        reasoned(refusal(lambda q=q: Pairing(p, q, Denoising(), method)), "DAE knows p(z)", type(q).__name__)
    for config in CHAIN_POSTERIORS.values():
        reasoned(refusal(lambda config=config: config.build(p, facts, None)), "gibbs", "DAE")


@pytest.mark.parametrize("posterior", CORRUPTIONS)
def test_other_models_refuse_corruptions_and_what_belongs_to_them(posterior):
    for model in ("vrnn-gru", "rbm-binary"):
        p, config = build_p(model), CORRUPTIONS[posterior]
        made = refusal(lambda p=p, config=config: config.build(p, facts_of("dae-binary"), random.key(0)))
        reasoned(made, type(p).__name__, "p = dae")


def test_other_models_refuse_the_bound_and_the_estimator():
    method, gibbs = build_estimator("walkback-1", "dae-binary"), CHAIN_POSTERIORS["gibbs"]
    p = build_p("rbm-binary")
    q, cd = gibbs.build(p, None, None), build_estimator("cd", "rbm-binary")
    reasoned(refusal(lambda: Pairing(p, q, Denoising(), cd)), "denoising", "RBM")
    reasoned(refusal(lambda: Pairing(p, q, CHAIN_BOUNDS["trajectory_kl"], method)), "walkback", "trajectory_kl")
    p, q = build("tsbn-1", "prior")
    reasoned(refusal(lambda: Pairing(p, q, BOUNDS["elbo"], method)), "TSBN is directed")


def test_what_cannot_be_learned_is_refused_with_its_reason():
    p, method = build_p("dae-grey"), build_estimator("walkback-1", "dae-binary")
    q = corruption("salt_and_pepper", "dae-grey")
    reasoned(refusal(lambda: Pairing(p, q, Denoising(), method)), "no density", "bound.information = False")
    learned = corruption("learned_corruption", "dae-grey")
    message = refusal(lambda: Pairing(p, learned, Denoising(information=False), method))
    reasoned(message, "LearnedCorruption", "mutual information")
    message = refusal(lambda: pairing_of(*USUAL[0])(batch_of("dae-binary", missing=True), random.key(0), (), 0))
    reasoned(message, "denoising", "without gaps")
    for model, name in [(m, q) for m in DENOISERS for q in CORRUPTIONS if not corrupts(m, q)]:
        make = lambda model=model, name=name: CORRUPTIONS[name].build(build_p(model), facts_of(model), None)
        reasoned(refusal(make), name)
    for make in (
        lambda: SaltAndPepperConfig(0.0),
        lambda: GaussianNoiseConfig(0.0),
        lambda: LearnedCorruptionConfig(noise=1.0),
        lambda: LearnedCorruptionConfig(width=0),
        lambda: WalkbackConfig(0),
        lambda: Denoising(particles=0),
    ):
        assert "give" in refusal(make)


def test_what_needs_a_chain_needs_q():
    pairing = pairing_of(*USUAL[0])
    with pytest.raises(CounterpointError, match="DAE draws z from a chain that its q is half of"):
        generate(pairing.p, random.key(0), 1)
    assert list(standard_bounds(pairing, 4)) == ["DENOISING"]
    x = tuple(np.asarray(batch_of("dae-binary").x, np.uint8)[:, :3])
    kept = pairing_of("gsn-binary", "salt_and_pepper", "denoising", "walkback-3")
    assert np.isin(np.stack(generate(kept.p, random.key(0), 2, 3, q=kept.q)), [0, 1]).all()
    assert reconstruct(kept.p, kept.q, Sequences(x), random.key(0))[0].shape == (3, 3)
    again = reconstruct(pairing.p, pairing.q, Sequences(x), random.key(0))
    assert [a.shape for a in again] == [(3, 3)] * 2
    assert all(((a > 0) & (a < 1)).all() for a in again)
