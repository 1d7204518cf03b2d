"""What is a lower bound and what is none says so wherever it is printed."""

import pytest
from jax import random

from conformance.parts import UNDIRECTED, build_p, facts_of
from counterpoint.bounds import ELBO, FIVO, IWAE, Annealed, Denoising, TrajectoryKL
from counterpoint.commands.measure import axis, caption, rows
from counterpoint.counting import MOST
from counterpoint.evaluation import side_of, titled
from counterpoint.inference import ForwardBackward, Gibbs, Prior
from counterpoint.models import DBMConfig, DBNConfig

KNOWN = facts_of("dbn")
SIDES = [
    ("tsbn-1", ELBO(), "below", "ELBO"),
    ("tsbn-1", IWAE(particles=3), "below", "IWAE-3"),
    ("tsbn-1", FIVO(particles=3), "below", "FIVO-3"),
    ("rbm-binary", TrajectoryKL(), "neither", "TRAJECTORY_KL (no bound)"),
    ("dae-binary", Denoising(), "below", "DENOISING"),
    ("dae-binary", Denoising(others=False), "neither", "DENOISING (no bound)"),
    ("dae-binary", Denoising(information=False), "neither", "RECONSTRUCTION (no bound)"),
]


@pytest.mark.parametrize(("model", "bound", "side", "label"), SIDES)
def test_a_bound_says_on_which_side_it_is(model, bound, side, label):
    p = build_p(model)
    assert (side_of(bound, p, Prior(), True), titled(bound, p)) == (side, label)


@pytest.mark.parametrize("model", UNDIRECTED)
def test_what_flatters_a_machine_is_above_unless_its_past_is_drawn(model):
    """Z by annealed importance sampling flatters p; that p(x_t | past) is a mean over what is drawn does the
    opposite."""
    p, cold = build_p(model), Annealed(2, 3, conservative=False, counted=0)
    found = (" (no bound)", "neither") if model.startswith("trbm") else (" (above)", "above")
    assert (titled(cold, p), side_of(cold, p, Gibbs(), True)) == (f"AIS-2x3{found[0]}", found[1])
    counted = "below" if model.startswith("trbm") else "exact"
    for bound, side, title in (
        (Annealed(2, counted=0), "below", "ANNEALED-2"),
        (Annealed(2, 3, False), counted, "Z COUNTED"),
    ):
        assert (side_of(bound, p, Gibbs(), True), titled(bound, p)) == (side, title)


def test_what_has_nothing_to_lose_is_exact():
    """A frame that is missing is drawn where it is fed back, and log p of the others is then bounded alone."""
    regression, hmm = build_p("autoregressive-1"), build_p("hmm-binary")
    for whole, side in ((True, "exact"), (False, "below")):
        assert side_of(IWAE(particles=3), regression, Prior(), whole) == side
        assert side_of(ELBO(), hmm, ForwardBackward(), whole) == "exact"
        assert side_of(ELBO(), hmm, ForwardBackward(smooth=False), whole) == "below"


@pytest.mark.parametrize("config", [DBNConfig, DBMConfig])
def test_an_estimated_normaliser_leaves_no_bound(config):
    """More units on both sides of a machine than are counted; with fewer, Z is summed."""
    make = lambda *units: config(units=units).build(KNOWN, random.key(0))
    assert side_of(ELBO(), make(2, 3), Prior(), True) == "below"
    many = MOST + 1
    deep = make(many, many, many)
    assert min(deep.machine.weights.shape) >= many
    assert {side_of(bound, deep, Prior(), True) for bound in (ELBO(), IWAE())} == {"estimated"}


def test_captions_and_rows_read_the_side():
    assert caption(KNOWN).startswith("Lower bounds on the log-likelihood, nats")
    said = caption(KNOWN, {"below", "estimated", "neither"})
    assert said.startswith("Lower bounds, but where marked, on the log-likelihood")
    assert "(Z estimated): " in said
    assert "(no bound): " in said
    assert "(above): " not in said
    assert caption(KNOWN, {"exact"}).startswith("The log-likelihood, exact, nats")
    assert "(exact): the log-likelihood itself" in caption(KNOWN, {"exact", "below"})
    assert axis(KNOWN, "below") == "bound on log-likelihood"
    assert axis(KNOWN, "neither") == axis(KNOWN, "estimated") == "estimate, no lower bound, on log-likelihood"
    numbers = {"side": "estimated", "per_step": -1.0, "per_sequence": -2.0}
    assert rows("p", {"ELBO": numbers})[0]["test bound"] == "ELBO (Z estimated)"
    assert rows("p", {"ELBO": numbers | {"side": "below"}})[0]["test bound"] == "ELBO"
    exact = numbers | {"side": "exact", "per_step_monte_carlo_error": 1e-7}
    assert rows("p", {"ELBO": exact})[0] == {
        "test bound": "ELBO (exact)", "model": "p", "per step": "-1.000", "per sequence": "-2.000",
    }  # fmt: skip
    assert rows("p", {"exact": exact})[0]["test bound"] == "exact"
    assert rows("p", {"exact": exact | {"per_step_spread_over_repeats": 0.5}})[0]["per step"] == "-1.000 ± 0.500"
    assert axis(KNOWN, "exact") == "log-likelihood"
