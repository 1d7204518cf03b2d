"""From ragged sequences to batches: length buckets that stay on the device, crops, and the order of an epoch.

Which sequences a step sees is a function of (seed, epoch) alone, so a resumed run sees what an undisturbed one would.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random
from jaxtyping import Bool, Int, Shaped

from counterpoint.core import AbstractModel, Batch
from counterpoint.data.sequences import Sequences
from counterpoint.errors import CounterpointError
from counterpoint.rollout import mask_of
from counterpoint.shapes import observation, shapes
from counterpoint.support import Support


class Bucket(NamedTuple):
    """N sequences of similar length, padded to T."""

    x: Shaped[Array, "N T ..."]
    lengths: Int[Array, " N"]
    observed: Bool[Array, "N T ..."] | None
    index: np.ndarray  # (N,) which sequence of the set each row is


class Portion(NamedTuple):
    """What one step of R repeats takes: rows of a bucket, -1 for an empty sequence, and from where on."""

    bucket: int
    rows: Int[np.ndarray, "R B"]
    start: int  # of a crop; ANYWHERE is a place of chance for each row


ANYWHERE = -1
KNOWN: dict = {}  # likelihoods by shape, and the shape of a frame
REMEMBERED = 100


def check_data(p: AbstractModel, sequences: Sequences) -> None:
    """Raise CounterpointError where p's likelihood cannot give these data: wrong shape, values outside its support."""
    law = _fitting(p, sequences.event, sequences.what)
    for i, x in enumerate(sequences.x):  # one by one: all of them at once may be much
        seen = lambda i=i: None if sequences.observed is None else sequences.observed[i][None]
        _inside(law, x[None], seen, sequences.what, i)


def check_batch(p: AbstractModel, batch: Batch) -> None:
    """The same of a batch, and where none of its steps is valid."""
    if not np.asarray(batch.valid).any():
        raise CounterpointError("the batch has no valid step; give at least one")
    law = _fitting(p, batch.x.shape[2:], "the batch")
    _inside(law, np.asarray(batch.x), lambda: np.asarray(mask_of(batch)), "the batch", 0)


def _fitting(p, event: tuple[int, ...], what: str):
    """p's likelihood, by shape: traced, which takes longer than to look at data, so once for all p of one structure."""
    leaves, structure = jax.tree.flatten(p)
    made = tuple((a.shape, a.dtype) if hasattr(a, "dtype") else a for a in leaves)
    key = structure, made, jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    if key not in KNOWN:
        while len(KNOWN) >= REMEMBERED:
            KNOWN.pop(next(iter(KNOWN)))
        law = observation(p)
        KNOWN[key] = law, shapes(law).shape
    law, frame = KNOWN[key]
    if event != frame:
        raise CounterpointError(
            f"{what}: frames have shape {event}, but {type(p).__name__} models frames of shape {frame}; build the model"
            " for these data, or give the data it was trained on"
        )
    return law


def _inside(law, x, seen, what: str, first: int) -> None:
    """x (B, T, *frame), of which the first row is sequence `first`, and what was seen of it."""
    support = law.support
    assert isinstance(support, Support)  # a frame has one layer
    inside = np.asarray(support.contains(x))
    if inside.all():
        return
    mask = seen()
    if mask is not None:
        inside = inside | ~mask.reshape(mask.shape + (1,) * (inside.ndim - mask.ndim))
    if not inside.all():
        at = tuple(int(n) for n in np.argwhere(~inside)[0])
        raise CounterpointError(
            f"{what}: value {x[at]} at step {at[1]} of sequence {first + at[0]} is outside the support of the"
            f" {type(law).__name__} likelihood ({support.name}); transform the data or choose another likelihood"
        )


def _edges(lengths: np.ndarray, most: int) -> list[int]:
    """Where to cut the sorted lengths into groups so that padding to each group's longest is least: the fewest groups,
    at most `most`, whose padding is below a quarter of the data. Each group costs a compilation."""
    n = len(lengths)
    ends = [i for i in range(1, n + 1) if i == n or lengths[i] != lengths[i - 1]]
    if len(ends) > 200:  # lengths that nearly all differ: quantiles of them are enough to choose from
        ends = sorted({ends[i] for i in np.linspace(0, len(ends) - 1, 200).astype(int)})
    cost = lambda start, end: (end - start) * int(lengths[end - 1])
    best = {end: (cost(0, end), [end]) for end in ends}
    for _ in range(most - 1):
        if best[n][0] <= 1.25 * lengths.sum():
            break
        best = {
            end: min(
                [
                    best[end],
                    *((c + cost(start, end), [*cuts, end]) for start, (c, cuts) in best.items() if start < end),
                ],
                key=lambda pair: pair[0],
            )
            for end in ends
        }
    return best[n][1]


def buckets(sequences: Sequences, p: AbstractModel, count: int = 4) -> list[Bucket]:
    """Sort by length into at most `count` buckets, padded with zeros, in the dtype of p's frames."""
    dtype = shapes(observation(p)).dtype
    order = np.argsort(sequences.lengths, kind="stable")
    lengths, out, start = sequences.lengths[order], [], 0
    for end in _edges(lengths, count):
        rows, longest = order[start:end], int(lengths[end - 1])
        x = np.zeros((len(rows), longest, *sequences.event), dtype)
        observed = None
        if sequences.observed is not None:
            observed = np.zeros(x.shape[: sequences.observed[0].ndim + 1], bool)
        for i, row in enumerate(rows):
            values = np.asarray(sequences.x[row])
            if sequences.observed is not None and observed is not None:
                seen = sequences.observed[row]
                observed[i, : len(values)] = seen
                values = np.where(seen.reshape(seen.shape + (1,) * (values.ndim - seen.ndim)), values, 0)
            x[i, : len(values)] = values
        kept = sequences.lengths[rows].astype(np.int32)
        out.append(Bucket(jax.device_put(x), jax.device_put(kept), jax.device_put(observed), rows))
        start = end
    return out


@partial(jax.jit, static_argnames="crop")
def take(bucket: Bucket, rows: Int[Array, " B"], crop: int | None = None, start: Int[Array, "*B"] | int = 0) -> Batch:
    """The batch of these rows; row -1 is an empty sequence. With a crop, `crop` steps of each from `start` on."""
    total = bucket.x.shape[1]
    if crop is None or crop >= total:
        pick = lambda a: a[rows]
        time = jnp.arange(total)[None]
    else:
        time = jnp.broadcast_to(start, rows.shape)[:, None] + jnp.arange(crop)[None]
        pick = lambda a: a[rows[:, None], jnp.minimum(time, total - 1)]
    valid = time < _lengths(bucket, rows)[:, None]
    return Batch(pick(bucket.x), valid, None if bucket.observed is None else pick(bucket.observed))


def anywhere(bucket: Bucket, rows: Int[Array, " B"], crop: int | None, key) -> Int[Array, " B"]:
    """A start for a crop of each row, every place alike."""
    return random.randint(key, rows.shape, 0, jnp.maximum(_lengths(bucket, rows) - (crop or 0), 0) + 1)


def _lengths(bucket: Bucket, rows):
    return jnp.where(rows < 0, 0, bucket.lengths[rows])


def plan(
    groups: list[Bucket], batch_size: int, seeds: list[int], epoch: int, crop: int | None = None, carry: bool = False
) -> list[Portion]:
    """The steps of an epoch, for R seeds at once.

    Every sequence comes once, or with a crop ceil(T / crop) times; a bucket's last batch is filled with empty ones.
    With `carry` a batch's crops follow one another from the start to the end of its bucket, before another batch comes.
    The order of buckets is the same for all seeds, for they run as one program; rows within are each seed's own.
    """
    slots, members = [], []
    for group in groups:
        once = crop is None or carry
        times = np.ones(len(group.index), int) if once else -(-np.asarray(group.lengths) // crop)
        rows = np.repeat(np.arange(len(group.index)), times)
        empty = -np.ones(-len(rows) % batch_size, int)
        shuffled = [np.random.default_rng([seed, epoch]).permutation(rows) for seed in seeds]
        stacked = np.stack([np.concatenate([a, empty]) for a in shuffled])
        members.append(stacked.reshape(len(seeds), -1, batch_size).astype(np.int32))
        slots += [(len(members) - 1, i) for i in range(members[-1].shape[1])]
    order = np.random.default_rng([epoch]).permutation(len(slots))
    found = []
    for group, batch in (slots[i] for i in order):
        starts = range(0, groups[group].x.shape[1], crop) if carry and crop else (ANYWHERE,)
        found += [Portion(group, members[group][:, batch], start) for start in starts]
    return found


def in_order(groups: list[Bucket], batch_size: int) -> Iterator[tuple[Batch, np.ndarray]]:
    """Every sequence once, without chance: (batch, which sequence each row is, -1 for filling)."""
    for group in groups:
        for start in range(0, len(group.index), batch_size):
            rows = np.arange(start, start + batch_size)
            rows[rows >= len(group.index)] = -1
            yield take(group, rows), np.where(rows < 0, -1, group.index[rows])


def whole(sequences: Sequences, p: AbstractModel) -> Batch:
    """All sequences as one batch, in their own order."""
    check_data(p, sequences)
    (group,) = buckets(sequences, p, count=1)
    back = np.argsort(group.index)
    return take(group, back)
