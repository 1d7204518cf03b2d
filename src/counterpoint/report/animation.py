"""Animated GIFs: image sequences and stick figures, side by side.

A GIF counts time in hundredths of a second: frames last a little more or less than 1 / fps, so that the whole is right.
Pillow is imported on first use.
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.files import replacing

if TYPE_CHECKING:
    import PIL.Image
    import PIL.ImageFont

GAP, HEAD = 10, 20  # pixels between panels, and for the titles above them
MISSING = (243, 227, 207)  # a pale colour that no grey value has
PANEL = 280  # pixels, side of a stick figure's panel
FINE = 2  # stick figures are drawn larger and reduced, which smooths their lines
YAW, TILT = math.radians(35), math.radians(12)  # of the camera, from a view of the walker's right side
NEAR, FAR, FLOOR, INK = (11, 95, 165), (168, 197, 222), (214, 214, 214), (40, 40, 40)


def gif_images(
    sequences: Mapping[str, np.ndarray],
    path: str | os.PathLike,
    height: int,
    width: int,
    scale: int = 5,
    fps: float = 20.0,
    given: int = 0,
) -> None:
    """Image sequences (title -> (T, height * width), row after row) side by side, each pixel `scale` pixels wide.

    0 is black and 1 white, values beyond are cut, NaN (missing) is a pale colour. A sequence that ends early stands
    still. Titles say "given" for so many frames. Raises CounterpointError for no sequences, other shapes, an fps that a
    GIF cannot have, and a path that cannot be written.
    """
    arrays = {title: np.asarray(a, float) for title, a in sequences.items()}
    shapes = {title: a.shape for title, a in arrays.items()}
    if not arrays or any(len(s) != 2 or s[0] == 0 or s[1] != height * width for s in shapes.values()):
        raise CounterpointError(
            f"images of {height} x {width} pixels need arrays of shape (time, {height * width}); got {shapes or 'none'}"
        )
    font = _font()
    cell = max(width * scale, _widest(arrays, given, font))

    def frames() -> Iterator["PIL.Image.Image"]:
        from PIL import Image

        for t in range(max(map(len, arrays.values()))):
            pictures = []
            for a in arrays.values():
                frame = a[min(t, len(a) - 1)].reshape(height, width, 1)
                grey = np.round(255 * np.clip(np.nan_to_num(frame), 0, 1)) * np.ones(3)
                colours = np.where(np.isnan(frame), MISSING, grey).astype(np.uint8)
                big = colours.repeat(scale, axis=0).repeat(scale, axis=1)
                pictures.append(Image.fromarray(big))
            yield _row(pictures, _said(arrays, t < given), cell, font)

    _write(frames(), path, fps)


def gif_skeleton(
    sequences: Mapping[str, np.ndarray],
    edges: Sequence[tuple[int, int]],
    path: str | os.PathLike,
    fps: float = 30.0,
    given: int = 0,
) -> None:
    """Stick figures (title -> joint positions (T, J, 3), y up, joint 0 the root) side by side, one scale for all.

    Orthographic, seen from the walker's right and slightly from ahead and above: what travels farthest goes to the
    right. The camera goes along with the root, bars on the ground stand still; near bones are dark, far ones pale.
    A sequence that ends early stands still. Titles say "given" for so many frames. Raises CounterpointError for no
    sequences, other shapes, edges between joints that are not there, NaN or infinity, an fps that a GIF cannot have,
    and a path that cannot be written.
    """
    arrays = {title: np.asarray(a, float) for title, a in sequences.items()}
    shapes = {title: a.shape for title, a in arrays.items()}
    joints = 1 + max((max(edge) for edge in edges), default=0)
    if not arrays or any(len(s) != 3 or 0 in s or s[1] < joints or s[2] != 3 for s in shapes.values()):
        raise CounterpointError(
            f"stick figures need positions of shape (time, joints, 3), {joints} joints or more for these edges; got"
            f" {shapes or 'none'}"
        )
    for title, a in arrays.items():
        if not np.isfinite(a).all():
            raise CounterpointError(f"positions of {title!r} hold NaN or infinity; leave out what is missing")
    seen = {title: _camera(a) for title, a in arrays.items()}
    floor = min(float(a[..., 1].min()) for a in arrays.values())
    drawn = np.concatenate([points.reshape(-1, 3) for points, _ in seen.values()])
    reach = max(np.abs(drawn[:, 0]).max(), (drawn[:, 1].max() - floor * math.cos(TILT)) / 1.9, 1e-9)
    font = _font()
    cell = max(PANEL, _widest(arrays, given, font))

    def frames() -> Iterator["PIL.Image.Image"]:
        for t in range(max(map(len, arrays.values()))):
            poses = [(points[min(t, len(points) - 1)], way[min(t, len(way) - 1)]) for points, way in seen.values()]
            pictures = [_pose(points, way, edges, floor, float(reach)) for points, way in poses]
            yield _row(pictures, _said(arrays, t < given), cell, font)

    _write(frames(), path, fps)


def _camera(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the camera sees of (T, J, 3): right, up and towards it (T, J, 3), and the way (T,) that it has gone."""
    root = positions[:, 0]
    ahead = root[-1] - root[0]
    ahead[1] = 0.0
    length = np.linalg.norm(ahead)
    ahead = ahead / length if length > 0 else np.array([1.0, 0.0, 0.0])
    side = np.cross(ahead, [0.0, 1.0, 0.0])  # to the walker's right, towards the camera
    centred = positions - root[:, None] * [1.0, 0.0, 1.0]
    forward, up, near = centred @ ahead, centred[..., 1], centred @ side
    right = forward * math.cos(YAW) - near * math.sin(YAW)
    towards = forward * math.sin(YAW) + near * math.cos(YAW)
    tilted = up * math.cos(TILT) - towards * math.sin(TILT)
    return np.stack([right, tilted, towards], axis=-1), root @ ahead


def _pose(
    points: np.ndarray, way: float, edges: Sequence[tuple[int, int]], floor: float, reach: float
) -> "PIL.Image.Image":
    """One panel: the ground, then bones from far to near."""
    from PIL import Image, ImageDraw

    size = PANEL * FINE
    scale = 0.46 * size / reach
    picture = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(picture)
    place = lambda right, up: (size / 2 + scale * right, 0.9 * size - scale * (up - floor * math.cos(TILT)))
    spread, step = 0.35 * reach, 0.5 * reach
    first = math.floor((way - 2 * reach) / step)
    for bar in range(first, first + 10):  # bars across the way, at fixed places of the ground
        forward = bar * step - way
        ends = []
        for near in (-spread, spread):
            right = forward * math.cos(YAW) - near * math.sin(YAW)
            towards = forward * math.sin(YAW) + near * math.cos(YAW)
            ends.append(place(right, floor * math.cos(TILT) - towards * math.sin(TILT)))
        draw.line(ends, fill=FLOOR, width=2 * FINE)
    depth = [float(points[[i, j], 2].mean()) for i, j in edges]
    low, high = min(depth, default=0.0), max(depth, default=0.0)
    for share, (i, j) in sorted(((d - low) / (high - low or 1.0), edge) for d, edge in zip(depth, edges)):
        colour = tuple(round(far + share * (near - far)) for far, near in zip(FAR, NEAR))
        draw.line([place(*points[i, :2]), place(*points[j, :2])], fill=colour, width=4 * FINE)
        for joint in (i, j):
            x, y = place(*points[joint, :2])
            draw.ellipse((x - 2 * FINE, y - 2 * FINE, x + 2 * FINE, y + 2 * FINE), fill=colour)
    return picture.resize((PANEL, PANEL), Image.Resampling.LANCZOS)


def _said(titles: Iterable[str], given: bool) -> list[str]:
    """The titles of a frame."""
    return [f"{title}, given".removeprefix(", ") if given else title for title in titles]


def _widest(titles: Iterable[str], given: int, font) -> int:
    """Pixels that the longest of them takes."""
    return max(math.ceil(font.getlength(title)) for title in _said(titles, given > 0))


def _font() -> "PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(13)


def _row(
    pictures: Sequence["PIL.Image.Image"],
    titles: Sequence[str],
    cell: int,
    font: "PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont",
) -> "PIL.Image.Image":
    """Pictures side by side under their titles, in cells `cell` pixels wide."""
    from PIL import Image, ImageDraw

    total = Image.new("RGB", (len(pictures) * (cell + GAP) + GAP, pictures[0].height + HEAD + GAP), "white")
    draw = ImageDraw.Draw(total)
    for i, (picture, title) in enumerate(zip(pictures, titles)):
        left = GAP + i * (cell + GAP)
        draw.text((left, 2), title, fill=INK, font=font)
        total.paste(picture, (left, HEAD))
    return total


def _write(frames: Iterator["PIL.Image.Image"], path: str | os.PathLike, fps: float) -> None:
    if Path(path).suffix.lower() != ".gif":
        raise CounterpointError(f"cannot animate {path}: give a name that ends in .gif")
    if not 0 < fps <= 50:  # faster frames are slowed down to a tenth of a second by those who show them
        raise CounterpointError(f"fps is {fps:g}; a GIF shows between 0 and 50 frames a second")
    from PIL import Image

    palette = Image.new("P", (1, 1))
    palette.putpalette(_colours().ravel().tolist())
    few = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in frames]
    ends = [round(100 * t / fps) for t in range(len(few) + 1)]
    durations = [10 * (after - before) for before, after in pairwise(ends)]
    with replacing(path) as file:
        few[0].save(file, format="GIF", save_all=True, append_images=few[1:], duration=durations, loop=0)


def _colours() -> np.ndarray:
    """(256, 3) uint8, one set for all frames: greys, the colour of what is missing, and bones on their way to white."""
    # Pillow looks colours up coarsely: nothing is so near to white as to be taken for it.
    greys = np.append(np.linspace(0, 243, 119), 255)[:, None] * np.ones(3)
    bones = np.linspace(FAR, NEAR, 9)[:, None]
    fading = bones + np.linspace(0, 0.85, 15)[None, :, None] * (255 - bones)
    return np.round(np.concatenate([greys, [MISSING], fading.reshape(-1, 3)])).astype(np.uint8)
