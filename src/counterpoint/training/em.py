"""Expectation maximisation, for a p whose posterior is known in closed form."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from counterpoint.core import AbstractDirected, Batch
from counterpoint.data.batch import buckets, check_batch, check_data, take
from counterpoint.data.sequences import Sequences
from counterpoint.errors import CounterpointError
from counterpoint.inference.exact import AbstractExact


class Maximised(NamedTuple):
    """p after the last iteration, and log p(x) before each in nats per step: it does not fall, but by rounding."""

    p: Any
    history: list[float]


def em(
    p: AbstractDirected,
    q: AbstractExact,
    data: Sequences | Batch,
    iterations: int = 100,
    *,
    tolerance: float = 0.0,
    watch: Callable[[int, float], None] | None = None,
) -> Maximised:
    """theta <- argmax_theta' E_p(z | x, theta)[ log p(x, z | theta') ], `iterations` times (Dempster et al. 1977).

    The maximum is over what the floors of p leave: see `HMM` and `LDSConfig`.

    q          the posterior of p: `ForwardBackward` of an HMM, `Kalman` of an LDS
    data       sequences of any lengths, or one batch of them; what is missing is summed out
    tolerance  stop where an iteration gained less than this, in nats per step; 0 never stops early
    watch      called with (iteration, log p(x) in nats per step) after each

    An iteration is compiled once for each shape of p and data, whatever the number of calls. Raises CounterpointError
    where the data do not fit p, q is not its posterior, or log p(x) is not finite.
    """
    q.check(p)
    if isinstance(data, Sequences):
        check_data(p, data)
        groups = buckets(data, p)
        batches = tuple(take(group, np.arange(len(group.index))) for group in groups)
    else:
        check_batch(p, data)
        batches = (data,)
    steps, history = sum(int(batch.valid.sum()) for batch in batches), []
    for i in range(iterations):
        new, log_evidence = iterate(p, q, batches)
        history.append(float(np.asarray(log_evidence, np.float64).sum()) / steps)
        if not np.isfinite(history[-1]):
            raise CounterpointError(
                f"em, iteration {i}: log p(x) is {history[-1]}; a frame is impossible under p, or a parameter is not"
                " finite: begin from another p, or scale the data"
            )
        p = new
        if watch is not None:
            watch(i, history[-1])
        if tolerance and i and history[-1] - history[-2] < tolerance:
            break
    return Maximised(p, history)


@eqx.filter_jit
def iterate(p, q: AbstractExact, batches: tuple[Batch, ...]):
    """One iteration: the new p, and log p(x) of each sequence under the old one, in nats."""
    found = [q.expect(p, batch) for batch in batches]
    total = jax.tree.map(lambda *a: sum(a[1:], start=a[0]), *(sums for _, sums in found))
    return q.maximise(p, total), jnp.concatenate([log_evidence for log_evidence, _ in found])
