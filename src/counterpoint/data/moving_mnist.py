"""Moving MNIST, made on the spot from the digits of MNIST: Srivastava et al. 2015, and Denton and Fergus 2018.

Each digit, made as high and wide as half the video, starts at a uniform place and moves by (dx, dy) pixels a frame,
both uniform on -s .. s with s a sixteenth of the video's side (4 of 64). A place is the column and row of its first
pixel. Where it has left the free places 0 .. m - 1 along an axis, it is put back to the end, and

    deterministic   its speed along that axis changes sign
    stochastic      its speed along that axis is drawn anew, 1 .. s away from the edge, and along the other, -s .. s

rows first, then columns, and then the digit is drawn and moves, all as the code of the second paper has it. A pixel is
the sum over digits, cut at 1. The future of stochastic videos cannot be known from the past: that is what they are for.

The digits of the test set are MNIST's own test digits; of its training digits the last 10000 validate.
"""

import gzip
import zlib
from pathlib import Path

import numpy as np

from counterpoint.data import folders
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Images
from counterpoint.errors import CounterpointError

FILES = {"train": "train-images-idx3-ubyte.gz", "test": "t10k-images-idx3-ubyte.gz"}
HELD = 10000  # of the training digits: they validate
MAGIC, HEAD = b"\x00\x00\x08\x03", 16  # of idx files of bytes with three axes


def moving_mnist(
    folder: Path | None = None,
    train: int = 1000,
    valid: int = 100,
    test: int = 100,
    length: int = 20,
    digits: int = 2,
    resolution: int = 64,
    stochastic: bool = False,
    seed: int = 0,
) -> Corpus:
    """Videos (length, resolution^2) float32 in [0, 1], whole 255ths, as a discretised likelihood needs them.

    The test set depends on `seed`, but not on `train` and `valid`. Raises CounterpointError where MNIST is missing or
    damaged, and for numbers that make no sense.
    """
    name = "stochastic_moving_mnist" if stochastic else "moving_mnist"
    counts = {"train": train, "valid": valid, "test": test}
    for what, value in {**counts, "length": length, "digits": digits}.items():
        if value < 1:
            raise CounterpointError(f"{name}: {what} is {value}; give at least 1")
    if resolution < 4:
        raise CounterpointError(f"{name}: resolution is {resolution}; give at least 4 pixels")
    known = read_digits(FILES["train"], folder)
    pools = {"train": known[:-HELD], "valid": known[-HELD:], "test": read_digits(FILES["test"], folder)}
    splits = {}
    for stream, (split, count) in enumerate(counts.items()):
        rng = np.random.default_rng([seed, stream])
        places = paths(rng, count, length, digits, resolution, stochastic)
        shapes = resized(pools[split][rng.integers(len(pools[split]), size=(count, digits))], resolution // 2)
        splits[split] = Sequences(tuple(render(places, shapes, resolution)), what=f"{name}, {split}")
    note = f"{digits} digits of MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0), drawn with seed {seed}"
    return Corpus(name, **splits, kind="grey", step="frame", view=Images(resolution, resolution), note=note)


def paths(
    rng: np.random.Generator, films: int, length: int, digits: int, resolution: int, stochastic: bool
) -> np.ndarray:
    """Places (videos, length, digits, 2), row and column, int."""
    free, most = resolution - resolution // 2, max(1, round(resolution / 16))
    place = rng.integers(free, size=(films, digits, 2))
    speed = rng.integers(-most, most + 1, size=(films, digits, 2))
    found = np.empty((films, length, digits, 2), int)
    for t in range(length):
        for axis in (0, 1):
            low, high = place[..., axis] < 0, place[..., axis] >= free
            if stochastic:
                away = rng.integers(1, most + 1, size=low.shape) * np.where(low, 1, -1)
                speed[..., axis] = np.where(low | high, away, speed[..., axis])
                other = rng.integers(-most, most + 1, size=low.shape)
                speed[..., 1 - axis] = np.where(low | high, other, speed[..., 1 - axis])
            else:
                speed[..., axis] = np.where(low | high, -speed[..., axis], speed[..., axis])
            place[..., axis] = np.clip(place[..., axis], 0, free - 1)
        found[:, t] = place
        place += speed
    return found


def render(places: np.ndarray, shapes: np.ndarray, resolution: int) -> np.ndarray:
    """Videos (n, T, resolution^2) float32 of shapes (n, digits, side, side) at places (n, T, digits, 2)."""
    films, length, digits, _ = places.shape
    side = np.arange(shapes.shape[-1])
    out = np.zeros((films, length, resolution, resolution), np.float32)
    film, time = np.arange(films)[:, None, None, None], np.arange(length)[None, :, None, None]
    for i in range(digits):
        rows = (places[:, :, i, 0, None] + side)[..., :, None]
        columns = (places[:, :, i, 1, None] + side)[..., None, :]
        out[film, time, rows, columns] += shapes[:, None, i]
    return np.minimum(out, 1.0, out=out).reshape(films, length, -1)


def resized(digits: np.ndarray, side: int) -> np.ndarray:
    """(..., side, side) float32 in [0, 1], 255ths, of digits (..., h, w) uint8, by Pillow's bilinear filter."""
    from PIL import Image

    flat = digits.reshape(-1, *digits.shape[-2:])
    shape = (side, side)
    made = [np.asarray(Image.fromarray(one).resize(shape, Image.Resampling.BILINEAR)) for one in flat]
    return (np.stack(made) / np.float32(255)).reshape(*digits.shape[:-2], side, side)


def read_digits(name: str, folder: Path | None) -> np.ndarray:
    """Digits (N, 28, 28) uint8 of an idx file. Raises CounterpointError for a missing or damaged one."""
    path = folders.find(name, "mnist", "it is one of the four files of MNIST, as its authors made it", folder)
    try:
        with gzip.open(path) as file:
            head = file.read(HEAD)
            count, height, width = (int.from_bytes(head[i : i + 4], "big") for i in (4, 8, 12))
            if head[:4] != MAGIC or (height, width) != (28, 28) or not HELD <= count <= 60000:
                raise CounterpointError(f"{path} is not MNIST's {name}; get it again")
            size = count * height * width
            data = file.read(size + 1)  # no more than it says
    except (OSError, EOFError, zlib.error) as error:
        raise CounterpointError(f"{path} cannot be read ({error}); it is damaged or cut short, get it again") from error
    if len(data) != size:
        raise CounterpointError(f"{path} holds {len(data)} bytes of images, and says {size}; get it again")
    return np.frombuffer(data, np.uint8).reshape(count, height, width)
