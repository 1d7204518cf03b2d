"""Bouncing balls, made on the spot by the rules of Sutskever's simulator of 2008 (RTRBM code, `bounce_n`).

One frame is two substeps of half a unit of time:

    x_i <- x_i + v_i / 2
    v_id <- |v_id| where x_id < r_i,  -|v_id| where x_id > box - r_i                        (walls; x is not clipped)
    for i, j < i with |x_i - x_j| < r_i + r_j, one pair after the other, w = (x_i - x_j) / |x_i - x_j|:
        v_i and v_j exchange their parts along w as elastic bodies of mass m_i and m_j

and a pixel with centre c is min(1, sum_i exp(-(|c - x_i|^2 / r_i^2)^4)): a soft disk, grey at its edge. The data are
grey values in [0, 1], though papers call them binary; a Bernoulli likelihood of them is a loss.
"""

import math
from collections.abc import Sequence

import numpy as np

from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Images
from counterpoint.errors import CounterpointError

BOX = 10.0  # side of the box; lengths are in its units
SPEED = 0.5  # root of the summed squares of all velocities of a sequence, in units per frame
EDGE = 1.6  # in radii: beyond it a pixel gets less than exp(-1.6^8) < 1e-18
ROUNDS = 2000  # of drawing positions before giving up
CHUNK = 256  # frames rendered at once, which stay in cache
Each = float | Sequence[float] | np.ndarray  # one for all balls, or one for each


def bouncing_balls(
    train: int = 3800,
    valid: int = 200,
    test: int = 200,
    length: int = 100,
    balls: int = 3,
    resolution: int = 30,
    radius: tuple[float, ...] = (1.2,),
    mass: tuple[float, ...] = (1.0,),
    seed: int = 0,
) -> Corpus:
    """The corpus of the TSBN and RTRBM papers, drawn anew: frames (resolution^2,) float32, row after row.

    The papers train on 4000 sequences and test on 200; none validate. Here the last 200 of the 4000 do. The test set
    depends on `seed`, but not on `train` and `valid`. `radius` and `mass` are one number for all balls or one for each;
    the box has side 10.

    Raises what `simulate` and `render` raise.
    """
    counts = {"train": train, "valid": valid, "test": test}
    for split, count in counts.items():
        if count < 1:
            raise CounterpointError(f"bouncing_balls: {split} is {count}; give at least 1 sequence")

    def film(stream: int, count: int) -> np.ndarray:
        rng = np.random.default_rng([seed, stream])
        return render(simulate(rng, count, length, balls, radius, mass)[0], resolution, radius)

    frames = [film(stream, count) for stream, count in enumerate((train + valid, test))]
    pack = lambda x, split: Sequences(tuple(x), what=f"bouncing_balls, {split}")
    return Corpus(
        "bouncing_balls",
        train=pack(frames[0][:train], "train"),
        valid=pack(frames[0][train:], "valid"),
        test=pack(frames[1], "test"),
        kind="grey",
        step="frame",
        view=Images(resolution, resolution),
        note=f"{balls} balls by the rules of I. Sutskever's generator (2008), drawn with seed {seed}; grey, not binary",
    )


def simulate(
    rng: np.random.Generator,
    sequences: int,
    length: int,
    balls: int = 3,
    radius: Each = 1.2,
    mass: Each = 1.0,
    box: float = BOX,
) -> tuple[np.ndarray, np.ndarray]:
    """Positions and velocities, each (sequences, length, balls, 2); axis 0 of a position is the column, axis 1 the row.

    Velocities start as standard normals divided by their norm over all balls of a sequence, times 0.5; positions are
    uniform on [box / 5, box], all drawn again until no ball overlaps a wall or another. `radius` and `mass` are one
    number or one for each ball. Raises CounterpointError for numbers that make no sense, and where the balls do not
    fit or find room too rarely.
    """
    for name, value in (("sequences", sequences), ("length", length), ("balls", balls)):
        if value < 1:
            raise CounterpointError(f"bouncing balls: {name} is {value}; give at least 1")
    _each("mass", mass, balls)
    position, velocity = np.empty((2, sequences, length, balls, 2))
    v = rng.standard_normal((sequences, balls, 2))
    v *= SPEED / np.sqrt((v**2).sum((1, 2), keepdims=True))
    x = _places(rng, sequences, balls, _each("radius", radius, balls), box)
    for t in range(length):
        position[:, t], velocity[:, t] = x, v
        if t + 1 < length:
            x, v = step(x, v, radius, mass, box)
    return position, velocity


def step(
    position: np.ndarray,
    velocity: np.ndarray,
    radius: Each = 1.2,
    mass: Each = 1.0,
    box: float = BOX,
) -> tuple[np.ndarray, np.ndarray]:
    """The state (..., balls, 2) one frame later."""
    shape = position.shape
    balls = shape[-2]
    r, m = _each("radius", radius, balls), _each("mass", mass, balls)
    x, v = (np.array(a, float).reshape(-1, balls, 2) for a in (position, velocity))  # copies
    for _ in range(2):
        x += 0.5 * v
        v = np.where(x - r[:, None] < 0, np.abs(v), v)
        v = np.where(x + r[:, None] > box, -np.abs(v), v)
        for i in range(balls):
            for j in range(i):  # in turn: a ball may hit two others in one substep
                _collide(x, v, i, j, r, m)
    return x.reshape(shape), v.reshape(shape)


def _collide(x: np.ndarray, v: np.ndarray, i: int, j: int, r: np.ndarray, m: np.ndarray) -> None:
    """Exchange, in place, the velocities of balls i and j in the rows where they overlap."""
    between = x[:, i] - x[:, j]
    distance = np.sqrt((between**2).sum(-1))
    rows = np.flatnonzero((distance < r[i] + r[j]) & (distance > 0))
    w = between[rows] / distance[rows, None]
    vi, vj = (w * v[rows, i]).sum(-1), (w * v[rows, j]).sum(-1)
    after_j = (2 * m[i] * vi + vj * (m[j] - m[i])) / (m[i] + m[j])
    after_i = after_j + (vj - vi)
    v[rows, i] += w * (after_i - vi)[:, None]
    v[rows, j] += w * (after_j - vj)[:, None]


def _places(rng: np.random.Generator, sequences: int, balls: int, r: np.ndarray, box: float) -> np.ndarray:
    """(sequences, balls, 2) without overlaps."""
    x = np.empty((sequences, balls, 2))
    left = np.arange(sequences)
    upper, lower = np.tril_indices(balls, -1)
    if 2 * r.max() < box:
        for _ in range(ROUNDS):
            draw = 0.2 * box + rng.random((len(left), balls, 2)) * (0.8 * box)
            good = np.flatnonzero(((draw >= r[:, None]) & (draw <= box - r[:, None])).all((1, 2)))
            gaps = np.sqrt(((draw[good][:, upper] - draw[good][:, lower]) ** 2).sum(-1))
            good = good[(gaps >= r[upper] + r[lower]).all(1)]
            x[left[good]] = draw[good]
            left = np.delete(left, good)
            if not len(left):
                return x
    sizes = ", ".join(f"{one:g}" for one in dict.fromkeys(r.tolist()))
    raise CounterpointError(
        f"{balls} balls of radius {sizes} do not fit into a box of side {box:g} ({len(left)} of {sequences}"
        f" sequences found no room in {ROUNDS} draws); give fewer or smaller balls"
    )


def render(positions: np.ndarray, resolution: int = 30, radius: Each = 1.2, box: float = BOX) -> np.ndarray:
    """Frames (..., resolution^2) float32 of balls at `positions` (..., balls, 2), pixel resolution * row + column.

    Computed in float64, each ball only in the square that it reaches: the rest would add less than 1e-18.
    Raises CounterpointError for a resolution below 1 and radii that are not positive.
    """
    if resolution < 1:
        raise CounterpointError(f"bouncing balls: resolution is {resolution}; give at least 1 pixel")
    *batch, balls, _ = positions.shape
    r = _each("radius", radius, balls)
    x = np.asarray(positions, float).reshape(-1, balls, 2)
    frames = np.empty((len(x), resolution, resolution), np.float32)
    for start in range(0, len(x), CHUNK):
        frames[start : start + CHUNK] = _draw(x[start : start + CHUNK], resolution, r, box)
    return frames.reshape(*batch, resolution * resolution)


def _draw(x: np.ndarray, resolution: int, r: np.ndarray, box: float) -> np.ndarray:
    """(n, resolution, resolution) of positions (n, balls, 2)."""
    pixel = box / resolution
    margin = math.ceil(EDGE * r.max() / pixel)
    canvas = np.zeros((len(x), resolution + 4 * margin, resolution + 4 * margin))
    rows = np.arange(len(x))[:, None, None]
    for i in range(x.shape[1]):
        # A ball outside the box is drawn in the margin of the canvas, which is cut off.
        middle = np.clip(np.floor(x[:, i] / pixel).astype(int), -margin, resolution - 1 + margin)
        near = middle[:, :, None] + np.arange(-margin, margin + 1)  # (n, 2, reach)
        square = ((near + 0.5) * pixel - x[:, i, :, None]) ** 2 / r[i] ** 2
        column, row = near[:, 0, None, :] + 2 * margin, near[:, 1, :, None] + 2 * margin
        canvas[rows, row, column] += np.exp(-((square[:, 0, None, :] + square[:, 1, :, None]) ** 4))
    inside = slice(2 * margin, 2 * margin + resolution)
    return np.minimum(canvas[:, inside, inside], 1.0)


def _each(name: str, value: Each, balls: int) -> np.ndarray:
    """(balls,) positive numbers, from one or from one for each."""
    a = np.asarray(value, float)
    if a.shape not in ((), (1,), (balls,)) or not (np.isfinite(a) & (a > 0)).all():
        raise CounterpointError(f"bouncing balls: {name} is {value}; give one positive number, or one for each ball")
    return np.broadcast_to(a, (balls,))
