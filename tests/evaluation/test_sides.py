"""What is a lower bound and what is none says so wherever it is printed."""

import pytest
from jax import random

from conformance.parts import BOUNDS, CHAIN_BOUNDS, DENOISING_BOUNDS, facts_of
from counterpoint.bounds import ELBO, IWAE
from counterpoint.commands.measure import axis, caption, rows
from counterpoint.counting import MOST
from counterpoint.evaluation import side_of
from counterpoint.models import DBMConfig, DBNConfig

KNOWN = facts_of("dbn")
NOT_BELOW = {
    "trajectory_kl": ("neither", "TRAJECTORY_KL (no bound)"),
    "annealed-ais": ("above", "AIS-2x2 (above)"),
    "denoising-all": ("neither", "DENOISING (no bound)"),
    "denoising-bare": ("neither", "RECONSTRUCTION (no bound)"),
}


@pytest.mark.parametrize("name", BOUNDS | CHAIN_BOUNDS | DENOISING_BOUNDS)
def test_a_bound_says_on_which_side_it_is(name):
    bound = (BOUNDS | CHAIN_BOUNDS | DENOISING_BOUNDS)[name]
    side, label = NOT_BELOW.get(name, ("below", bound.label))
    assert (bound.side, bound.label) == (side, label)
    assert ("(" in bound.label) == (side != "below")


@pytest.mark.parametrize("config", [DBNConfig, DBMConfig])
def test_an_estimated_normaliser_leaves_no_bound(config):
    """More units on both sides of a machine than are counted; with fewer, Z is summed."""
    make = lambda *units: config(units=units).build(KNOWN, random.key(0))
    assert side_of(ELBO(), make(2, 3)) == "below"
    many = MOST + 1
    deep = make(many, many, many)
    assert min(deep.machine.weights.shape) >= many
    assert side_of(ELBO(), deep) == side_of(IWAE(), deep) == "estimated"


def test_captions_and_rows_read_the_side():
    assert caption(KNOWN).startswith("Lower bounds on the log-likelihood, nats")
    said = caption(KNOWN, {"below", "estimated", "neither"})
    assert said.startswith("Lower bounds, but where marked, on the log-likelihood")
    assert "(Z estimated): " in said
    assert "(no bound): " in said
    assert "(above): " not in said
    assert axis(KNOWN, "below") == "bound on log-likelihood"
    assert axis(KNOWN, "neither") == axis(KNOWN, "estimated") == "estimate, no lower bound, on log-likelihood"
    numbers = {"side": "estimated", "per_step": -1.0, "per_sequence": -2.0}
    assert rows("p", {"ELBO": numbers})[0]["test bound"] == "ELBO (Z estimated)"
    assert rows("p", {"ELBO": numbers | {"side": "below"}})[0]["test bound"] == "ELBO"
