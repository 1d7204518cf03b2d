"""Which units of z a model uses."""

import equinox as eqx
import jax
import numpy as np
from jax import random

from counterpoint.core import AbstractDirected, AbstractPosterior, Batch
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import layers_of
from counterpoint.evaluation.passes import passes
from counterpoint.rollout import rollout

ACTIVE = 0.01  # Burda et al. 2015


def unit_variances(
    p: AbstractDirected, q: AbstractPosterior, sequences: Sequences, key, samples: int = 64
) -> tuple[np.ndarray, ...]:
    """A_u = Var_x(E_q[u | x]) of each unit u of each layer of z, the lowest first      (Burda et al. 2015, sec. 5)

    over all frames of the sequences; a unit with A_u > `ACTIVE` is in use. E_q is a mean over draws, whose own noise
    would count as variance: half of the `samples` draws give one mean and half another, and the covariance of the two
    over frames has no such noise. Raises CounterpointError where p's likelihood cannot give these data.
    """
    found: list[list[np.ndarray]] = []
    for number, (batch, _, _) in enumerate(passes(p, sequences, samples)):
        halves = [np.asarray(a, np.float64) for a in means(p, q, batch, random.fold_in(key, number), samples)]
        found.append([a[np.asarray(batch.valid).T] for a in halves])  # (frames, 2, ...)
    return tuple(_covariance(np.concatenate(layer)) for layer in zip(*found))


def active_units(variances: tuple[np.ndarray, ...]) -> int:
    """How many units, of all layers, have A_u > `ACTIVE`."""
    return sum(int((a > ACTIVE).sum()) for a in variances)


def _covariance(a: np.ndarray) -> np.ndarray:
    """Over frames, of the two means in a (frames, 2, ...)."""
    apart = a - a.mean(0)
    return (apart[:, 0] * apart[:, 1]).sum(0) / (len(a) - 1)


@eqx.filter_jit
def means(p: AbstractDirected, q: AbstractPosterior, batch: Batch, key, samples: int):
    """Two means of z over half of the draws each, layer by layer: (T, B, 2, ...)."""
    z = rollout(p, q, batch, key, particles=2 * (samples // 2))[0].z
    halve = lambda a: a.reshape(*a.shape[:2], 2, samples // 2, *a.shape[3:]).mean(3)
    return tuple(jax.tree.map(halve, layer) for layer in layers_of(z))
