"""Poses: skeletons that turn channels of angles into joint positions, and the view of a corpus of motion.

The channels of a frame are the root's translations, in the skeleton's unit of length, and rotations in degrees, in
the order of the ASF hierarchy.
"""

from dataclasses import dataclass

import numpy as np

from counterpoint.errors import CounterpointError


@dataclass(frozen=True, eq=False)
class Skeleton:
    """J joints: the root, and the far end of each bone, parents before children (Acclaim ASF).

        G_j = G_parent C_j M_j C_j^-1,    p_j = p_parent + G_j o_j
        G_root = C M C^-1,                p_root = o_root + (tx, ty, tz)

    with o_j the bone's direction times its length at rest, C_j the axes of its joint, and M_j the rotation of this
    frame: about x, y and z in the order of `orders`, each about the fixed axes, where a missing channel is zero.
    """

    joints: tuple[str, ...]
    parents: tuple[int, ...]  # of all joints but the root
    channels: tuple[str, ...]  # "root_tx", ..., "lfemur_rx": the joint, and what moves
    offsets: np.ndarray  # (J, 3) o_j
    axes: np.ndarray  # (J, 3, 3) C_j
    orders: tuple[str, ...]  # of each joint, such as "xyz": about x first

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Bones, as pairs of joints."""
        return tuple((parent, j + 1) for j, parent in enumerate(self.parents))

    def positions(self, raw: np.ndarray) -> np.ndarray:
        """Joint positions (T, J, 3) of channels (T, channels), in the skeleton's unit of length; y points up at CMU.

        Raises CounterpointError for another number of channels.
        """
        raw = np.asarray(raw, float)
        if raw.ndim != 2 or raw.shape[1] != len(self.channels):
            raise CounterpointError(
                f"channels have shape {raw.shape}; this skeleton has {len(self.channels)}: give (time, channels)"
            )
        column = {name: raw[:, i] for i, name in enumerate(self.channels)}
        still = np.zeros(len(raw))
        three = lambda joint, kind: np.stack([column.get(f"{joint}_{kind}{axis}", still) for axis in "xyz"], axis=-1)
        turned: list[np.ndarray] = []  # G_j, (T, 3, 3)
        places: list[np.ndarray] = []  # p_j, (T, 3)
        for j, joint in enumerate(self.joints):
            turn = self.axes[j] @ rotation(three(joint, "r"), self.orders[j]) @ self.axes[j].T
            if j == 0:
                turned.append(turn)
                places.append(self.offsets[0] + three(joint, "t"))
            else:
                parent = self.parents[j - 1]
                turned.append(turned[parent] @ turn)
                places.append(places[parent] + turned[j] @ self.offsets[j])
        return np.stack(places, axis=1)


def rotation(degrees: np.ndarray, order: str) -> np.ndarray:
    """Matrices (..., 3, 3) for column vectors, of angles (..., 3) about x, y and z, taken in the order `order`."""
    degrees = np.asarray(degrees, float)
    total = np.eye(3)
    for axis in order:
        i = "xyz".index(axis)
        j, k = (i + 1) % 3, (i + 2) % 3
        angle = np.radians(degrees[..., i])
        one = np.zeros((*angle.shape, 3, 3))
        one[..., i, i] = 1.0
        one[..., j, j] = one[..., k, k] = np.cos(angle)
        one[..., k, j] = np.sin(angle)
        one[..., j, k] = -one[..., k, j]
        total = one @ total
    return total


@dataclass(frozen=True, eq=False)
class Taylor:
    """The features of Taylor, Hinton and Roweis (2006), F of them for C channels x:

        y = (f(x) - bias) * scale,    f(x) = [x_1..3, sin(x_4..6), cos(x_4..6), x_columns]

    where the first six channels are the root's. Channels that are not among `columns` hardly move and are dropped.
    """

    bias: np.ndarray  # (F,)
    scale: np.ndarray  # (F,)
    columns: np.ndarray  # (F - 9,) of the channels
    rest: np.ndarray  # (C,) what stands in for channels that were dropped

    def encode(self, raw: np.ndarray) -> np.ndarray:
        """Features (..., F) of channels (..., C)."""
        turn = np.radians(raw[..., 3:6])
        parts = [raw[..., :3], np.sin(turn), np.cos(turn), raw[..., self.columns]]
        return (np.concatenate(parts, axis=-1) - self.bias) * self.scale

    def decode(self, features: np.ndarray) -> np.ndarray:
        """Channels (..., C) of features (..., F), root rotations between -180 and 180 degrees.

        A sine and a cosine that no angle has, as a model may draw them, give the angle of their direction.
        """
        f = np.asarray(features, float) / self.scale + self.bias
        raw = np.broadcast_to(self.rest, (*f.shape[:-1], len(self.rest))).copy()
        raw[..., :3] = f[..., :3]
        raw[..., 3:6] = np.degrees(np.arctan2(f[..., 3:6], f[..., 6:9]))
        raw[..., self.columns] = f[..., 9:]
        return raw


@dataclass(frozen=True, eq=False)
class Motion:
    """The view of a corpus of poses: frames are `features` of the channels of `skeleton`.

    `skeleton` is None where its file was not found: then there are channels, and no positions.
    """

    skeleton: Skeleton | None
    features: Taylor

    def channels(self, x: np.ndarray) -> np.ndarray:
        """Channels (T, C), units and degrees, of frames (T, F)."""
        return self.features.decode(x)

    def positions(self, x: np.ndarray) -> np.ndarray:
        """Joint positions (T, J, 3) of frames (T, F). Raises CounterpointError where there is no skeleton."""
        if self.skeleton is None:
            raise CounterpointError("this corpus has no skeleton; put its .asf file beside the corpus to see poses")
        return self.skeleton.positions(self.channels(x))
