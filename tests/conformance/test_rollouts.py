"""One rollout, many ways to run it: in float64, so that only the order of additions may show."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.crossings import FEW, PAIRS, shared_out
from conformance.parts import MODELS, batch_of, build, build_p, frames
from counterpoint.bounds import ELBO, FIVO, IWAE
from counterpoint.core import Batch
from counterpoint.inference import ForwardBackward, Kalman, Prior
from counterpoint.resampling import Systematic
from counterpoint.rollout import initial_state, rollout
from counterpoint.shapes import latent, observation, shapes

KEY = 11
SCORES = ("log_prior", "log_likelihood", "log_q", "kl", "log_evidence")


def near(found, want, atol=1e-9):
    found, want = jax.tree.leaves(found), jax.tree.leaves(want)
    assert len(found) == len(want)
    for a, b in zip(found, want):
        np.testing.assert_allclose(a, b, atol=atol, rtol=1e-9)


def scores(trace):
    return {name: getattr(trace, name) for name in SCORES}


def mixed(tree):
    """One number that every entry moves in a way of its own."""
    return sum((a * jnp.sin(jnp.arange(a.size)).reshape(a.shape)).sum() for a in jax.tree.leaves(tree))


@eqx.filter_jit
def many_ways(p, q, batch, longer):
    """A rollout that scores after the scan; one that scores within it, for there is a mask, which says that all was
    seen, and with more padding; one that draws first. Traces and states."""

    def run(batch, **options):
        return rollout(p, q, batch, random.key(KEY), particles=2, closed_form=True, **options)

    masked = longer._replace(observed=jnp.ones(longer.x.shape, bool))
    return run(batch), run(masked), run(batch, pathwise=False)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("pair", shared_out(FEW, 3), ids="+".join)
def test_every_order_of_arithmetic_gives_the_same_scores(pair):
    p, q = build(*pair)
    assert all(a.dtype == jnp.float64 for a in jax.tree.leaves((p, q)) if eqx.is_inexact_array(a))
    (first, end), *others = many_ways(p, q, batch_of(pair[0]), batch_of(pair[0], length=8))
    want = scores(first)
    assert all(a.dtype == jnp.float64 for a in want.values())
    assert all((np.asarray(a)[3:, 1] == 0).all() for a in want.values())
    for trace, state in others:
        near(jax.tree.map(lambda a: a[:5], scores(trace)), want)
        near(counted(trace), counted(first))
        near((state.carry, state.log_weight), (end.carry, end.log_weight))
        for score in scores(trace).values():
            assert (np.asarray(score)[3:, 1] == 0).all(), "padding counts"
            assert (np.asarray(score)[5:] == 0).all(), "padding counts"


def counted(trace):
    """z where it means something: (steps, K, ...)."""
    return [np.asarray(a)[np.asarray(trace.valid)] for a in jax.tree.leaves(trace.z)]


GRADED = (
    "vrnn-gru+filtering",
    "tsbn-deep+tsbn_recognition",
    "lds+kalman",
    "hmm-index+forward_backward",
    "hmm-binary+filtering",
    "autoregressive-1+prior",
)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("pathwise", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["through z", "z held"])
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if "+".join(pair) in GRADED], ids="+".join)
@pytest.mark.slow
def test_every_order_of_arithmetic_gives_the_same_gradient(pair, pathwise):
    @eqx.filter_jit
    def gradients(parts, batch):
        def run(parts, defer):
            options = {"particles": 2, "closed_form": True, "pathwise": pathwise, "defer": defer}
            return mixed(scores(rollout(*parts, batch, random.key(KEY), **options)[0]))

        return [eqx.filter_grad(lambda parts, defer=defer: run(parts, defer))(parts) for defer in (True, False)]

    deferred, within = gradients(build(*pair), batch_of(pair[0]))
    assert all(np.isfinite(a).all() for a in jax.tree.leaves(deferred))
    near(within, deferred)


def cut(batch, *where):
    return batch._replace(**{name: a[:, slice(*where)] for name, a in batch._asdict().items() if a is not None})


@eqx.filter_jit
def whole_and_chunks(p, q, batch, resamples, later_gaps):
    def run(state, batch, resampling):
        options = {"particles": 3, "closed_form": True, "resampling": resampling}
        return rollout(p, q, batch._replace(state=state), random.key(KEY), **options)

    resampling, begin = Systematic(0.9) if resamples else None, initial_state(p, q, 2, 3)
    whole, end = run(begin, batch, resampling)
    one, state = run(begin, cut(batch, 0, 2), resampling)
    rest = cut(batch, 2, None)
    two, state = run(state, rest if later_gaps else rest._replace(observed=None), resampling)
    joined = {name: jnp.concatenate([a, scores(two)[name]]) for name, a in scores(one).items()}
    return (scores(whole), end), (joined, state)


AHEAD = ("kalman", "backward", "smoothing", "mean_field_vb", "ahead")
FILTERING = [pair for pair in FEW if not pair[1].endswith(AHEAD)]


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("pair", shared_out(FILTERING, 3), ids="+".join)
def test_chunks_equal_the_whole(pair):
    p, q = build(*pair)
    assert not q.sees_future
    near(*whole_and_chunks(p, q, batch_of(pair[0]), pair[1] == "filtering", True))


GAPPED = [
    ("vrnn-gru", "filtering"),
    ("tsbn-1", "tsbn_recognition"),
    ("lds", "kalman-now"),
    ("autoregressive-2", "prior"),
]


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("pair", GAPPED, ids="+".join)
def test_chunks_equal_the_whole_after_gaps(pair):
    """Particles that saw different x keep their own memories in the chunks that follow."""
    p, q = build(*pair)
    batch = batch_of(pair[0], missing=True)
    batch = batch._replace(observed=batch.observed.at[:, 2:].set(True))
    near(*whole_and_chunks(p, q, batch, pair[0] == "vrnn-gru", False))


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[1] in ("kalman", "forward_backward")], ids="+".join)
def test_a_posterior_that_smooths_says_that_it_sees_the_future(pair):
    assert build(*pair)[1].sees_future


NOTHING_HIDDEN = [pair for pair in PAIRS if pair[0].startswith("auto") and pair[1] != "smoothing"]
EXACT = [pair for pair in PAIRS if pair[1] in ("kalman", "forward_backward")] + NOTHING_HIDDEN


@eqx.filter_jit
def path_weights(p, q, batch, keys):
    run = lambda key: rollout(p, q, batch, key, particles=3, pathwise=False)[0].log_weight.sum(0)
    return jax.vmap(run)(keys)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("pair", EXACT, ids="+".join)
def test_an_exact_posterior_has_no_variance(pair):
    values = path_weights(*build(*pair), batch_of(pair[0]), random.split(random.key(0), 4))
    near(values, np.broadcast_to(values[:1, :, :1], values.shape))


ROWS = 4000
CLAIMS = [ELBO(1), IWAE(2), IWAE(6), FIVO(6, 0.9), FIVO(6, 0.9, score_resampling=True)]


@eqx.filter_jit
def bounds_of(p, q, exact, batch, bounds):
    def value(q, bound, seed):
        options = {"particles": bound.particles, "resampling": bound.resampling, "closed_form": bound.closed_form}
        return bound(rollout(p, q, batch, random.key(seed), **options)[0])

    return value(exact, ELBO(closed_form=False), 0)[0], [value(q, bound, i) for i, bound in enumerate(bounds)]


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("model", "exact"), [("hmm-binary", ForwardBackward()), ("lds", Kalman())])
@pytest.mark.slow
def test_bounds_are_ordered_below_the_exact_likelihood_and_their_weights_are_unbiased(model, exact):
    # an arbitrary Gaussian q has weights without a variance; the prior's are bounded
    p, q = build(model, "filtering" if model == "hmm-binary" else "prior")
    x = frames(MODELS[model][0], 1, 4, seed=5)
    batch = Batch(jnp.broadcast_to(x, (ROWS, *x.shape[1:])), jnp.ones((ROWS, 4), bool))
    log_p, values = bounds_of(p, q, exact, batch, CLAIMS)
    means = [float(v.mean()) for v in values]
    errors = [float(v.std()) / ROWS**0.5 for v in values]
    elbo, two, six, *_ = means
    assert elbo < two - 3 * (errors[0] + errors[1])
    assert two < six - 3 * (errors[1] + errors[2])
    for value, mean, error in list(zip(values, means, errors))[1:]:
        assert mean < float(log_p) + 4 * error
        ratio = jnp.exp(value - log_p)
        assert abs(ratio.mean() - 1) < 4 * ratio.std() / ROWS**0.5


@eqx.filter_jit
def value_and_gradient(parts, bound, batch):
    def value(parts):
        options = {"particles": bound.particles, "resampling": bound.resampling}
        return bound(rollout(*parts, batch, random.key(KEY), **options)[0]).sum()

    return eqx.filter_value_and_grad(value)(parts)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("model", ["vrnn-gru", "tsbn-1", "hmm-index"])
def test_a_particle_filter_that_never_resamples_is_importance_weighting(model):
    parts, batch = build(model, "filtering"), batch_of(model)
    near(value_and_gradient(parts, FIVO(3, 1e-6), batch), value_and_gradient(parts, IWAE(3), batch))


@pytest.mark.parametrize("pair", [("vrnn-gru", "filtering"), ("hmm-binary", "filtering")], ids="+".join)
def test_where_a_frame_is_missing_the_prior_takes_over_and_nothing_counts(pair):
    batch, key = batch_of(pair[0], missing=True), random.key(KEY)
    run = eqx.filter_jit(lambda p, q: rollout(p, q, batch, key, particles=3, closed_form=True)[0])
    trace = run(*build(*pair))
    for step, row in ((1, 0), (0, 1)):
        assert (trace.log_likelihood[step, row] == 0).all()
        assert (trace.kl[step, row] == 0).all()
        np.testing.assert_allclose(trace.log_q[step, row], trace.log_prior[step, row], rtol=1e-5)
    assert (trace.kl[2, 0] > 0).all()
    seen = np.asarray(batch.observed & batch.valid[..., None]).swapaxes(0, 1)
    for particle in range(3):
        np.testing.assert_array_equal(trace.x[:, :, particle][seen], np.asarray(batch.x).swapaxes(0, 1)[seen])


generate = eqx.filter_jit(lambda p, batch: rollout(p, Prior(), batch, random.key(KEY), particles=2)[0])


@pytest.mark.parametrize("model", MODELS)
def test_what_is_generated_lies_in_the_support(model):
    p, blank = build_p(model), batch_of(model, length=6, lengths=np.array([6, 6]))
    batch = blank._replace(observed=jnp.zeros((2, 6), bool))
    trace = generate(p, batch)
    law = observation(p)
    assert trace.x.shape == (6, 2, 2, *shapes(law).shape)
    assert trace.x.dtype == shapes(law).dtype == batch.x.dtype
    assert law.support.contains(trace.x).all()
    assert len(np.unique(trace.x)) > 1
    assert (np.asarray(trace.log_likelihood) == 0).all()
    np.testing.assert_allclose(trace.log_weight, np.zeros((6, 2, 2)), atol=1e-5)


@pytest.mark.slow
def test_latents_of_every_model_have_the_support_that_its_prior_names():
    for model in MODELS:
        p = build_p(model)
        law = p.prior(p.initial())
        assert law.pathwise == latent(p).pathwise
        z = law.sample(random.key(0))
        assert isinstance(z, tuple) or law.support.contains(z).all()


def test_given_latents_need_whole_data():
    p, q = build("tsbn-1", "prior")
    with pytest.raises(ValueError, match="x must be whole"):
        rollout(p, q, batch_of("tsbn-1", missing=True), random.key(0), z=jnp.zeros((5, 2, 1, 2)))
