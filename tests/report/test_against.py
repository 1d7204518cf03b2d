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
    assert len(draw(rows({"particles": 1})).axes) == 4


def titles(found):
    return [axes.get_title() for axes in draw(found).axes if axes.get_visible()]


def test_a_panel_without_a_dot_is_left_out():
    found = rows({})
    assert titles(found) == [f"{voice}: {key}" for voice in "pq" for key in ("variance", "signal-to-noise ratio")]
    found[1]["values"] |= {"bias": 0.5, "bias_noise": 0.1}  # of q
    assert "q: bias, where it shows" in titles(found)
    assert len(titles(found)) == 5
    found[1]["values"]["bias_noise"] = 0.3
    assert len(titles(found)) == 4
    for row in found:
        row["values"] |= {"variance": 0.0, "snr": None} if row["voice"] == "p" else {}
    assert titles(found) == ["q: variance", "q: signal-to-noise ratio"]
    assert not titles([row | {"values": row["values"] | {"variance": 0.0, "snr": None}} for row in found])


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
