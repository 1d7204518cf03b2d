"""What stands against the number of particles or sweeps."""

import numpy as np

from counterpoint.report.against import varied
from counterpoint.report.estimators import draw


def rows(*settings, voices="pq"):
    """Two estimators at each setting; the second, the reference, has no noise where there are 3 particles."""
    found = []
    for i, at in enumerate(settings):
        for j, name in enumerate(("plain", "better *")):
            for voice in voices:
                variance = 0.0 if (j, at.get("particles")) == (1, 3) else 2.0**i / (1 + j)
                values = {"variance": variance, "snr": 1.0 + i + j if variance else None, "bias": None}
                values |= {"bound": -3.0 + i - j, "bound_error": 0.2 - 0.1 * j}
                found.append({"at": at, "bound": str(at), "estimator": name, "voice": voice, "values": values})
    return found


def panels(found):
    """The axes against k, of a figure's last row."""
    return draw(found).axes[-3:]


def curves(axes):
    return [np.array(line.get_xydata()) for line in axes.lines if len(line.get_xdata())]


def test_what_varies_is_on_the_axis():
    assert varied(rows({"particles": 1})) is None
    assert varied(rows({}, {})) is None
    assert varied(rows({"particles": 1}, {"particles": 2})) == "particles"
    assert varied(rows({"particles": 1, "sweeps": 1}, {"particles": 1, "sweeps": 3})) == "sweeps"
    assert len(draw(rows({"particles": 1})).axes) == 6


def test_bound_and_noise_of_q_against_particles():
    """The bound is by the estimator with the smaller error, and what has no noise has no place on a logarithm."""
    bound, variance, snr = panels(rows({"particles": 5}, {"particles": 1}, {"particles": 3}))
    np.testing.assert_allclose(bound.containers[0].lines[0].get_xydata(), [[1, -3], [3, -2], [5, -4]])
    plain, better = curves(variance)
    np.testing.assert_allclose(plain, [[1, 2], [3, 4], [5, 1]])
    np.testing.assert_allclose(better, [[1, 1], [5, 0.5]])
    np.testing.assert_allclose(curves(snr)[0], [[1, 2], [3, 3], [5, 1]])
    assert bound.get_xscale() == variance.get_xscale() == variance.get_yscale() == snr.get_yscale() == "log"
    assert variance.get_title() == "q: variance"
    assert snr.get_xlabel() == "k, particles"


def test_each_number_of_particles_has_its_lines_against_sweeps():
    both = [{"sweeps": k, "particles": n} for n in (1, 2) for k in (1, 10)]
    bound, variance, _ = panels(rows(*both, voices="p"))
    assert bound.get_xlabel() == "k, sweeps"
    assert len(bound.containers) == 2
    assert len(curves(variance)) == 4
    assert {line.get_linestyle() for line in variance.lines} == {"-", "--"}
    assert variance.get_title() == "p: variance"
