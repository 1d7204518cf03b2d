"""HMM and LDS against what dynamax 1.0.3 finds, which dynamax_answers.py wrote into dynamax.json."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from counterpoint.core import Batch
from counterpoint.distributions import Family
from counterpoint.distributions.gaussian import UNIT
from counterpoint.inference import ForwardBackward, Kalman
from counterpoint.models import HMM, LDS
from counterpoint.numerics import unsoftplus
from counterpoint.training import em

pytestmark = pytest.mark.usefixtures("x64")

ANSWERS = json.loads(Path(__file__).with_name("dynamax.json").read_text())
marginals = eqx.filter_jit(lambda p, q, batch: q.marginals(p, batch))


def case(name):
    given, found = ({key: np.array(value) for key, value in ANSWERS[name][part].items()} for part in ("given", "found"))
    x = jnp.asarray(given["x"], np.int32 if name == "categorical" else float)
    batch = Batch(x, jnp.ones(given["x"].shape[:2], bool))
    return given, found, batch


def same(found, want):
    np.testing.assert_allclose(found, want, atol=1e-6)


def raw(name, given):
    """What the emissions' parameters come from."""
    if name == "gaussian":
        return np.concatenate([given["means"], unsoftplus(jnp.asarray(given["scales"] - 1e-4)) - UNIT], -1)
    return np.log(given["probs"]) - (np.log1p(-given["probs"]) if name == "bernoulli" else 0.0)


@pytest.mark.parametrize("name", ["gaussian", "bernoulli", "categorical"])
def test_a_hidden_markov_model_agrees_with_dynamax(name):
    given, want, batch = case(name)
    family = Family(name, (3,) if name == "categorical" else (2,))
    p = HMM(*(jnp.log(given[key]) for key in ("start", "move")), jnp.asarray(raw(name, given)), family)
    found = marginals(p, ForwardBackward(), batch)
    same(found.log_evidence.sum(1), want["log_evidence"])
    same(found.filtered, want["filtered"])
    same(found.smoothed, want["smoothed"])
    new = em(p, ForwardBackward(), batch, 1).p
    same(jnp.exp(new.start), want["start"])
    same(jnp.exp(new.transition), want["move"])
    law = jax.vmap(new.family)(new.emission)
    if name == "gaussian":
        same(law.loc, want["means"])
        same(law.scale, want["scales"])
    else:
        same((jax.nn.sigmoid if name == "bernoulli" else jax.nn.softmax)(new.emission), want["probs"])


def test_a_linear_dynamical_system_agrees_with_dynamax():
    given, want, batch = case("linear")
    names = ("move", "noise", "readout", "observation_noise", "mean", "covariance", "offset")
    p = LDS.of(*(given[name] for name in names))
    found = marginals(p, Kalman(), batch)
    same(found.log_evidence.sum(1), want["log_evidence"])
    for kind in ("filtered", "smoothed"):
        for part, what in zip(getattr(found, kind), ("means", "covariances"), strict=True):
            same(part, want[f"{kind}_{what}"])
    new = em(p, Kalman(), batch, 1).p
    ours = new.transition, new.noise.matrix, new.readout, new.observation_noise.matrix, new.start
    for name, value in zip(names, ours):
        same(value, want[name])
    same(new.offset, want["offset"])
