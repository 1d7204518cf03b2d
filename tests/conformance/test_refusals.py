"""What cannot work is refused with its reason; everything else is accepted; nothing is left out of the lists."""

import collections
import dataclasses
import inspect
import itertools

import equinox as eqx
import pytest
from jax import random

from conformance.crossings import DISCRETE, MADE_FOR, PAIRS, PATHS, corrupts, designs, fits, latents, trains
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
    MODELS,
    POSTERIORS,
    UNDIRECTED,
    build,
    build_estimator,
    build_p,
    facts_of,
    refusal,
)
from counterpoint import bounds, estimators, inference, models
from counterpoint.bounds import ELBO
from counterpoint.core import AbstractBound, AbstractEstimator, AbstractModel, AbstractPosterior, Pairing
from counterpoint.inference import ForwardBackward, Kalman, Prior

LISTED = [config for _, config in (MODELS | UNDIRECTED).values()]
LISTED += [*POSTERIORS.values(), *BOUNDS.values(), *ESTIMATORS.values()]
LISTED += [config for _, config in DENOISERS.values()]
LISTED += [*CORRUPTIONS.values(), *DENOISING_BOUNDS.values(), *DENOISING_ESTIMATORS.values()]
LISTED += [*CHAIN_POSTERIORS.values(), *CHAIN_BOUNDS.values(), *CHAIN_ESTIMATORS.values()]


@pytest.mark.parametrize("module", [models, inference, bounds, estimators], ids=lambda m: m.__name__)
def test_everything_that_is_exported_is_in_the_lists(module):
    for name in module.__all__:
        item = getattr(module, name)
        if dataclasses.is_dataclass(item) and hasattr(item, "build") and not name.startswith("Abstract"):
            made = any(type(config) is item for config in LISTED)
            parts = (AbstractModel, AbstractPosterior, AbstractEstimator)
            if not made and issubclass(item, parts):
                continue  # a part with a configuration of its own, which stands in __all__ as well
            assert made, f"{name} is exported by {module.__name__}, but not crossed with the other parts"


@pytest.mark.parametrize(
    ("module", "kind"),
    [(models, AbstractModel), (inference, AbstractPosterior), (bounds, AbstractBound), (estimators, AbstractEstimator)],
    ids=lambda m: m.__name__,
)
def test_every_part_that_is_exported_is_built_by_a_configuration_in_the_lists(module, kind):
    if kind is AbstractModel:
        built = {type(build_p(model)) for model in MODELS | UNDIRECTED | DENOISERS}
    elif kind is AbstractPosterior:
        built = {type(build(p, q)[1]) for p in MODELS for q in POSTERIORS if fits(p, q)}
        built |= {type(q.build(build_p(p), None, None)) for p in UNDIRECTED for q in CHAIN_POSTERIORS.values()}
        made = lambda p, q: CORRUPTIONS[q].build(build_p(p), facts_of(p), random.key(0))
        built |= {type(made(p, q)) for p in DENOISERS for q in CORRUPTIONS if corrupts(p, q)}
    elif kind is AbstractBound:
        built = {type(bound.build()) for bound in (BOUNDS | CHAIN_BOUNDS | DENOISING_BOUNDS).values()}
    else:
        home = lambda e: "dbm" if e in MADE_FOR else "tsbn-1"
        built = {type(build_estimator(e, home(e))) for e in ESTIMATORS | CHAIN_ESTIMATORS}
        built |= {type(build_estimator(e, "dae-binary")) for e in DENOISING_ESTIMATORS}
    exported = {item for item in map(module.__dict__.get, module.__all__) if inspect.isclass(item)}
    assert {item for item in exported if issubclass(item, kind) and not inspect.isabstract(item)} == built


def test_a_name_tells_each_configuration_apart():
    groups = (MODELS | UNDIRECTED, POSTERIORS | CHAIN_POSTERIORS, BOUNDS | CHAIN_BOUNDS, ESTIMATORS | CHAIN_ESTIMATORS)
    for group in groups:
        configs = [c[1] if isinstance(c, tuple) else c for c in group.values()]
        names = {(type(c), c.name) for c in configs}
        assert len({kind for kind, _ in names}) == len({name for _, name in names}) == len(names)


def reasoned(message, *words):
    """A reason, a remedy, and both sides by name."""
    assert ": " in message
    assert "choose " in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("pair", [p for p in itertools.product(MODELS, POSTERIORS) if p not in PAIRS], ids="+".join)
def test_a_posterior_that_cannot_guess_is_refused_with_its_reason(pair):
    """Or can guess, though no design has the two."""
    model, posterior = pair
    p, config = build_p(model), POSTERIORS[posterior]
    if fits(model, posterior):
        q = config.build(p, facts_of(model), random.key(0))
        estimator = "to-go" if model.startswith(DISCRETE) else "pathwise"
        Pairing(p, q, ELBO(), build_estimator(estimator, model))
    else:
        message = refusal(lambda: config.build(p, facts_of(model), random.key(0)))
        reasoned(message, config.name, type(p).__name__)


@pytest.mark.parametrize("posterior", ["tsbn_recognition", "dtsbn_d_recognition", "kalman", "forward_backward"])
@pytest.mark.parametrize("model", MODELS)
def test_a_posterior_of_another_model_is_refused_by_the_pairing(model, posterior):
    if fits(model, posterior):
        return
    home = next(m for m in MODELS if fits(m, posterior))
    p, (_, q) = build_p(model), build(home, posterior)
    message = refusal(lambda: Pairing(p, q, ELBO(), build_estimator("to-go", model)))
    reasoned(message, POSTERIORS[posterior].name, type(p).__name__)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("bound", BOUNDS)
def test_a_gradient_that_does_not_exist_is_refused_with_its_reason(bound, estimator):
    """Each with one p of each law of z, another one from estimator to estimator: that is all they can tell a p by."""
    turn = list(ESTIMATORS).index(estimator)
    alike = collections.defaultdict(list)
    for model in MODELS:
        alike[latents(model)].append(model)
    for model in (some[turn % len(some)] for some in alike.values()):
        p = build_p(model)
        make = lambda p=p, model=model: Pairing(p, Prior(), BOUNDS[bound], build_estimator(estimator, model))
        if trains(model, "prior", bound, estimator):
            make()
        elif estimator.startswith("filtering_em"):
            reasoned(refusal(make), "filtering_em", "choose")
        elif estimator == "em":
            reasoned(refusal(make), "Prior", type(p).__name__, "closed form")
        elif estimator in MADE_FOR:
            reasoned(refusal(make), estimator, MADE_FOR[estimator])
        elif estimator == "pathwise":
            reasoned(refusal(make), "pathwise", type(p).__name__, "score_function")
        elif estimator in PATHS:
            reasoned(refusal(make), "choose", "pathwise" if model.startswith(DISCRETE) else BOUNDS[bound].name)
        elif estimator in ("vimco", "wake_sleep"):
            reasoned(refusal(make), estimator, BOUNDS[bound].name, "choose")
        else:
            reasoned(refusal(make), bound, "local", "reward_to_go")


@pytest.mark.parametrize(("model", "other"), [("vrnn-gru", "hmm-binary"), ("tsbn-1", "lds"), ("lds", "tsbn-1")])
def test_a_posterior_built_for_another_model_is_refused(model, other):
    """As when one is taken from another run."""

    class Foreign(AbstractPosterior):
        """Proposes what the other model's prior gives."""

        other: eqx.Module
        sees_future = False
        fills_gaps = False

        def propose(self, p, carry, context, x, key):
            return Prior().propose(self.other, self.other.initial(), context, x, key)

    message = refusal(lambda: Pairing(build_p(model), Foreign(build_p(other)), ELBO(), build_estimator("to-go", model)))
    reasoned(message, "Foreign", type(build_p(model)).__name__)


def test_exact_posteriors_say_which_model_they_are_for():
    assert "linear-Gaussian" in refusal(lambda: Kalman().check(build_p("tsbn-1")))
    assert "hidden Markov model" in refusal(lambda: ForwardBackward().check(build_p("lds")))


def guesses(model: str) -> list[str]:
    return [q for q in POSTERIORS if (model, q) in PAIRS]


def test_the_designs_cover_every_two_parts_that_can_meet():
    chosen = designs()
    for model in MODELS:
        for posterior in POSTERIORS:
            assert ((model, posterior) in PAIRS) == any(d[:2] == (model, posterior) for d in chosen)
        kind = latents(model)
        for bound in BOUNDS:
            assert any((latents(d[0]), d[2]) == (kind, bound) for d in chosen)
        for estimator in ESTIMATORS:
            possible = any(trains(model, q, bound, estimator) for bound in BOUNDS for q in guesses(model))
            assert possible <= any((latents(d[0]), d[3]) == (kind, estimator) for d in chosen)
    for bound in BOUNDS:
        for estimator in ESTIMATORS:
            possible = any(trains(model, q, bound, estimator) for model in MODELS for q in guesses(model))
            assert possible == any(d[2:] == (bound, estimator) for d in chosen)
