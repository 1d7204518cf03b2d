"""For which bounds an estimator says that its mean is the gradient: every one is asked of every bound that it accepts.
That they say so truly is told by enumeration, in tests/estimators."""

import pytest

from conformance.crossings import trains
from conformance.parts import BOUNDS, ESTIMATORS, build_estimator

WHOLE = {"elbo", "elbo-closed", "elbo-warmup", "iwae"}
UNBIASED = {  # every other one follows something else than the bound
    "pathwise": WHOLE | {"fivo-scored"},
    "stl": WHOLE - {"iwae"},
    "dreg": {"iwae"},
    "to-go-bare": WHOLE | {"fivo-scored"},
    "vimco": WHOLE - {"elbo-warmup"},  # of one particle
}
PAIRINGS = (
    *(("vae", "filtering"), ("lds", "kalman"), ("tsbn-1", "tsbn_recognition"), ("tsbn-1", "polya_gamma")),
    *(("dmm", "iterative"), ("dbn", "dbn_recognition"), ("dbm", "mean_field")),
)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_estimator_knows_the_bounds_that_it_is_unbiased_for(estimator):
    found, asked = set(), set()
    for model, posterior in PAIRINGS:
        for name, bound in BOUNDS.items():
            if trains(model, posterior, name, estimator):
                asked.add(name)
                if build_estimator(estimator, model).unbiased(bound):
                    found.add(name)
    assert asked
    assert found == UNBIASED.get(estimator, set())
