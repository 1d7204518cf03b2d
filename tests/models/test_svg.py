"""An SVG against its equations, step by step, and what may depend on which frame."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from conformance.parts import refusal, stirred
from counterpoint.distributions import Facts, Family, facts
from counterpoint.models import SVGConfig

pytestmark = pytest.mark.usefixtures("x64")

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (5, 4, 4)) / 255
Z = RNG.normal(size=(5, 2))
HELD = [None, 0, 2]


def build(likelihood="grey", architecture="dcgan", **options):
    config = SVGConfig(
        latent=2, encoded=3, hidden=4, depth=2, prior_depth=2, base=2, architecture=architecture, **options
    )
    return stirred(config.build(facts((X,), "grey", likelihood=likelihood), random.key(0)), 1)


def along(p, x, z):
    """Numbers of the prior and of the likelihood at every step."""
    e, carry, found = p.embed(p.memory(), x)[1], p.initial(), []
    for t in range(len(x)):
        laws = p.prior(carry), p.likelihood(carry, z[t])
        found.append(jnp.concatenate([a.ravel() for a in jax.tree.leaves(laws)]))
        carry = p.advance(carry, z[t], jax.tree.map(lambda a, t=t: a[t], e))
    return jnp.stack(found)


@pytest.mark.slow
@pytest.mark.parametrize("conditioning", HELD)
def test_a_path_has_the_laws_of_the_equations(conditioning):
    p = build("discretised_gaussian", conditioning=conditioning)
    found, past, state = along(p, jnp.asarray(X), Z), p.past.initial(), p.predictor.initial()
    before = [p.encoder(jnp.asarray(x)[None]) for x in np.concatenate([np.zeros((1, 4, 4)), X])]  # x_0 is blank
    for t in range(1, 6):
        code, s = before[t - 1][0], t - 1 if conditioning is None else min(t - 1, conditioning)
        past = p.past(p.from_code(code), past)
        prior = p.prior(p.initial()).like(p.to_prior(p.past.output(past)))
        state = p.predictor(p.code_gates(code) + p.z_gates.weight @ Z[t - 1], state)
        g = jnp.tanh(p.to_g(p.predictor.output(state)))
        law = p.family(p.decoder(g, before[s][1]).ravel() + p.offset)
        assert law.scale.shape == (4, 4)  # a variance for each pixel
        want = jnp.concatenate([a.ravel() for a in jax.tree.leaves((prior, law))])
        np.testing.assert_allclose(found[t - 1], want, atol=1e-12)


@pytest.mark.parametrize("architecture", ["dcgan", "vgg"])
def test_a_frame_moves_what_is_said_of_later_ones_and_of_no_earlier(architecture):
    p, other = build(architecture=architecture, conditioning=2), X.copy()
    other[2] = RNG.random((4, 4))
    moved = jnp.abs(along(p, jnp.asarray(X), Z) - along(p, jnp.asarray(other), Z))
    prior, likelihood = moved[:, :4].max(1), moved[:, 4:].max(1)
    for part in (prior, likelihood):
        assert (part[:3] == 0).all()
        assert (part[3:] > 1e-6).all()


def test_z_moves_the_predictor_and_no_prior():
    p, other = build(), Z.copy()
    other[1] += 1.0
    moved = jnp.abs(along(p, jnp.asarray(X), Z) - along(p, jnp.asarray(X), other))
    assert (moved[:, :4] == 0).all()
    assert (moved[0, 4:] == 0).all()
    assert (moved[1:, 4:].max(1) > 1e-6).all()


@pytest.mark.slow
@pytest.mark.parametrize("conditioning", HELD)
def test_a_film_may_come_in_pieces(conditioning):
    p = build(conditioning=conditioning)
    _, want = p.embed(p.memory(), jnp.asarray(X))
    for cuts in ([1], [2], [4], [1, 2, 3, 4]):
        memory, found = p.memory(), []
        for piece in np.split(X, cuts):
            memory, e = p.embed(memory, jnp.asarray(piece))
            found.append(e)
        for a, *parts in zip(*map(jax.tree.leaves, (want, *found))):
            np.testing.assert_allclose(jnp.concatenate(parts), a, atol=1e-12)


@pytest.mark.parametrize("conditioning", HELD)
def test_what_stands_in_the_carry_at_first_is_what_a_blank_frame_leaves(conditioning):
    p = build(conditioning=conditioning)
    _, (code, sight) = p.embed(p.memory(), jnp.zeros((1, 4, 4)))
    carry = p.initial()[1].value
    blank, maps = p.encoder(jnp.zeros((1, 4, 4)))
    np.testing.assert_allclose(code[0], blank, atol=1e-12)
    np.testing.assert_allclose(carry.gates, sight.gates[0], atol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b), carry.skips, maps)


def test_it_starts_near_the_best_constant_frame():
    known = facts((X,), "grey")
    p = SVGConfig(latent=2, encoded=3, hidden=4, base=2).build(known, random.key(0))
    start = p.likelihood(p.initial(), jnp.zeros(2)).logits.ravel()
    np.testing.assert_allclose(start, known.marginal, atol=0.5)
    assert jnp.abs(start - known.marginal).max() > 0


@pytest.mark.parametrize(
    ("name", "shape"), [("grey", (3,)), ("grey", (4, 4, 3)), ("grey", (2, 8)), ("full_gaussian", (16,))]
)
def test_frames_that_are_no_images_are_refused(name, shape):
    message = refusal(lambda: SVGConfig().build(Facts(Family(name, shape), np.zeros(1)), random.key(0)))
    assert str(shape) in message
    assert "choose p = vrnn" in message
