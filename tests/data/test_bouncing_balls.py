"""Bouncing balls: against a plain simulator, conserved quantities, and the sample of the original."""

import numpy as np
import pytest

from counterpoint.data.bouncing_balls import BOX, bouncing_balls, render, simulate, step
from counterpoint.data.packed import read_npz
from counterpoint.errors import CounterpointError


def plain(x, v, r, m, box):
    """One frame of one sequence, ball after ball."""
    x, v = x.copy(), v.copy()
    n = len(x)
    for _ in range(2):
        for i in range(n):
            x[i] += 0.5 * v[i]
        for i in range(n):
            for d in range(2):
                if x[i, d] < r[i]:
                    v[i, d] = abs(v[i, d])
                if x[i, d] > box - r[i]:
                    v[i, d] = -abs(v[i, d])
        for i in range(n):
            for j in range(i):
                gap = np.hypot(*(x[i] - x[j]))
                if gap < r[i] + r[j]:
                    w = (x[i] - x[j]) / gap
                    impulse = 2 * m[i] * m[j] / (m[i] + m[j]) * ((v[i] - v[j]) @ w)
                    v[i] -= impulse / m[i] * w
                    v[j] += impulse / m[j] * w
    return x, v


@pytest.mark.parametrize(("r", "m"), [(1.2, 1.0), (np.array([0.5, 0.7, 0.9, 0.4]), np.array([1.0, 3.0, 0.5, 2.0]))])
def test_steps_follow_the_rules_pair_after_pair(r, m):
    rng = np.random.default_rng(0)
    # Anywhere, at any speed: overlaps with walls and with several balls at once are common.
    x, v = rng.uniform(-0.5, 6.5, (300, 4, 2)), rng.normal(size=(300, 4, 2))
    each = lambda a: np.broadcast_to(np.asarray(a, float), 4)
    gaps = np.linalg.norm(x[:, :, None] - x[:, None], axis=-1) + 99 * np.eye(4)
    assert ((gaps < each(r)[:, None] + each(r)).sum((1, 2)) > 2).sum() > 10  # more than one pair overlaps
    expected = [plain(a, b, each(r), each(m), 6.0) for a, b in zip(x, v)]
    before = x.copy(), v.copy()
    found = step(x, v, r, m, box=6.0)
    np.testing.assert_allclose(found, np.stack(expected, axis=1), rtol=0, atol=1e-11)
    np.testing.assert_array_equal((x, v), before)


def test_momentum_and_energy_are_exchanged_by_mass():
    x = np.array([[4.0, 5.0], [6.8, 5.0]])
    v = np.array([[1.0, 0.3], [0.0, 0.3]])
    _, after = step(x, v, 1.2, np.array([3.0, 1.0]))
    np.testing.assert_allclose(after, [[0.5, 0.3], [1.5, 0.3]], rtol=0, atol=1e-12)  # v' = (m1 - m2) / (m1 + m2) v


def test_simulation_starts_free_of_overlaps_and_keeps_its_energy():
    x, v = simulate(np.random.default_rng(1), 200, 40)
    assert x.shape == v.shape == (200, 40, 3, 2)
    assert x[:, 0].min() >= 0.2 * BOX
    assert x[:, 0].max() <= BOX - 1.2
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert np.linalg.norm(x[:, 0, i] - x[:, 0, j], axis=-1).min() >= 2.4
    np.testing.assert_allclose((v**2).sum((2, 3)), 0.25, rtol=1e-12)
    np.testing.assert_array_equal(np.stack(step(x[:, 6], v[:, 6])), (x[:, 7], v[:, 7]))


def test_a_frame_is_the_formula_at_the_centres_of_pixels():
    rng = np.random.default_rng(2)
    x = rng.uniform(-1.5, 6.5, (50, 2, 3, 2))  # also beyond the box
    r = np.array([0.4, 1.0, 1.7])
    found = render(x, 12, r, box=5.0)
    assert (found.shape, found.dtype) == ((50, 2, 144), np.float32)
    centres = 5.0 * (np.arange(12) + 0.5) / 12
    dx, dy = (centres[None, :] - x[..., 0, None, None], centres[:, None] - x[..., 1, None, None])
    soft = np.exp(-(((dx**2 + dy**2) / r[:, None, None] ** 2) ** 4)).sum(2)
    np.testing.assert_allclose(found, np.minimum(soft, 1).reshape(50, 2, 144), rtol=0, atol=1e-7)


def test_the_corpus():
    corpus = bouncing_balls(5, 2, 3, length=7, balls=2, resolution=8, seed=4)
    assert [len(s) for s in (corpus.train, corpus.valid, corpus.test)] == [5, 2, 3]
    assert corpus.train.x[0].shape == (7, 64)
    assert corpus.train.x[0].dtype == np.float32
    assert (corpus.kind, corpus.view.height, corpus.view.width) == ("grey", 8, 8)
    again = bouncing_balls(2, 1, 3, length=7, balls=2, resolution=8, seed=4)
    np.testing.assert_array_equal(again.test.x, corpus.test.x)
    other = bouncing_balls(5, 2, 3, length=7, balls=2, resolution=8, seed=5)
    assert not np.array_equal(other.test.x, corpus.test.x)
    assert not np.array_equal(again.test.x[0], again.train.x[0])  # as many of both, from streams of their own


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"balls": 9}, r"9 balls of radius 1\.2 do not fit into a box of side 10"),
        ({"radius": (5.5,)}, r"3 balls of radius 5\.5 do not fit"),
        ({"radius": (-1.0,)}, r"radius is \(-1\.0,\); give one positive number"),
        ({"radius": (float("nan"),)}, r"radius is \(nan,\)"),
        ({"radius": (4.5, 2.0, 2.0)}, r"3 balls of radius 4\.5, 2 do not fit"),
        ({"mass": (1.0, 2.0), "length": 1}, r"mass is \(1\.0, 2\.0\); give one positive number, or one for each ball"),
        ({"length": 0}, "length is 0; give at least 1"),
        ({"balls": 0}, "balls is 0"),
        ({"valid": 0}, "valid is 0; give at least 1 sequence"),
        ({"resolution": 0}, "resolution is 0"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(CounterpointError, match=message) as caught:
        bouncing_balls(**{"train": 3, "valid": 1, "test": 1, "length": 3} | change)
    assert "\n" not in str(caught.value)


def test_as_many_masses_as_balls():
    with pytest.raises(CounterpointError, match=r"mass is .*; give one positive number, or one for each ball"):
        simulate(np.random.default_rng(0), 1, 2, balls=3, mass=np.ones(2))


@pytest.mark.corpus
def test_the_original_generator(corpora):
    path = corpora / "bouncing_balls" / "sutskever_generator_sample.npz"
    if not path.is_file():
        pytest.skip(f"no sample of the original generator: put {path.name} into {path.parent.name}/ of the corpora")
    sample = read_npz(path)
    x, v = sample["positions"], sample["velocities"]
    np.testing.assert_allclose(render(x[:20]), sample["frames"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(step(x[:, :-1], v[:, :-1]), (x[:, 1:], v[:, 1:]), rtol=0, atol=1e-12)
    # and ours is distributed as theirs: mean pixel, and the error of the last frame as a prediction
    ours = render(simulate(np.random.default_rng(0), 400, 100)[0])
    assert abs(ours.mean() - 0.1230) < 0.001
    error = ((ours[:, 1:] - ours[:, :-1]) ** 2).sum(-1).mean(1)
    assert abs(error.mean() - 11.86) < 0.3
