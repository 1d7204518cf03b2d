"""What evaluate says of z."""

import re

import numpy as np
import pytest
from jax import random

from conformance.parts import build, build_estimator
from counterpoint.bounds import ELBO, IWAE
from counterpoint.commands.latents import lines
from counterpoint.core import Pairing
from counterpoint.data.sequences import Sequences

STILLS = Sequences(tuple(np.random.default_rng(0).integers(0, 2, (40, 1, 3)).astype(np.uint8)))
FILM = Sequences(tuple(np.random.default_rng(0).integers(0, 2, (4, 3, 3)).astype(np.uint8)))


def said(model, posterior, bound, sequences, estimator="pathwise"):
    p, q = build(model, posterior)
    return lines(Pairing(p, q, bound, build_estimator(estimator, model)), sequences, random.key(0))


def test_particles_and_units_of_a_still_model():
    weights, units = said("vae", "filtering", IWAE(particles=3), STILLS)
    entropy, alike = re.findall(r"entropy (.*) nats, as of (.*) of 3", weights)[0]
    assert 0 < float(entropy) < np.log(3)
    assert float(alike) == pytest.approx(np.exp(float(entropy)), abs=0.06)
    assert "above log p(x): no bound" in weights
    assert re.fullmatch("active units: [0-2] of 2; their mean under q varies over frames by more than 0.01", units)


def test_there_is_nothing_to_say_of_one_particle_a_past_or_coins():
    assert len(said("vae", "filtering", ELBO(particles=3), STILLS)) == 1
    assert len(said("vae", "filtering", IWAE(particles=1), STILLS)) == 1
    assert said("vrnn-gru", "filtering", ELBO(), FILM) == []
    assert said("tsbn-1", "tsbn_recognition", ELBO(), FILM, "to-go-bare") == []
    assert said("autoregressive-0", "prior", ELBO(), FILM) == []
