"""How a pair learns by different estimators of the gradient: from one start, on one batch."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, random

from counterpoint.core import AbstractBound, Batch, Pairing
from counterpoint.evaluation.gradients import CHUNK, measured
from counterpoint.training import OptimiserConfig

MARKS = 50  # times that it is measured, beside the start


class Learned(NamedTuple):
    """steps, seconds (n,) of training until each mark, compilation left out; values (n,) of the bound there, in nats
    per step, higher is better."""

    steps: np.ndarray
    seconds: np.ndarray
    values: np.ndarray


def learning(
    pairings: Mapping[str, Pairing], bound: AbstractBound, batch: Batch, key, updates: int, rule: OptimiserConfig
) -> dict[str, Learned]:
    """Each pairing's course over so many updates, of which each sees the whole batch; in turns from mark to mark, so
    that what slows the machine slows them all.

    bound   what all are measured by, whatever they follow: a mean of CHUNK draws, by the same keys at every mark
    """
    size = max(updates // MARKS, 1)
    marks = [(at, min(size, updates - at)) for at in range(0, updates, size)]
    learners = {name: Learner(pairing, rule.build(updates), batch, key) for name, pairing in pairings.items()}
    found = {name: [(0, 0.0, learner.worth(bound))] for name, learner in learners.items()}
    for at, count in marks:
        for name, learner in learners.items():
            taken = learner.go_on(at, count)
            found[name].append((at + count, found[name][-1][1] + taken, learner.worth(bound)))
    return {name: Learned(*(np.array(column) for column in zip(*rows))) for name, rows in found.items()}


class Learner:
    """A pairing that learns on one batch."""

    def __init__(self, pairing: Pairing, optimiser: optax.GradientTransformation, batch: Batch, key):
        self.params, self.static = eqx.partition(pairing, eqx.is_inexact_array)
        self.state, self.memory = optimiser.init(self.params), pairing.initial()
        self.batch, self.key, self.ready = batch, key, {}

        def update(now, step):
            params, state, memory = now

            def loss(params):
                pairing = eqx.combine(params, self.static)
                estimate, after = pairing(batch, random.fold_in(key, step), memory, step)
                return estimate.surrogate, after

            grads, memory = jax.grad(loss, has_aux=True)(params)
            moves, state = optimiser.update(grads, state, params)
            return (optax.apply_updates(params, moves), state, memory), None

        self.run = jax.jit(lambda now, steps: lax.scan(update, now, steps)[0])

    def go_on(self, at: int, count: int) -> float:
        """Updates at .. at + count - 1; the seconds they took."""
        now, steps = (self.params, self.state, self.memory), jnp.arange(at, at + count)
        if count not in self.ready:
            self.ready[count] = self.run.lower(now, steps).compile()
        start = time.perf_counter()
        self.params, self.state, self.memory = jax.block_until_ready(self.ready[count](now, steps))
        return time.perf_counter() - start

    def worth(self, bound: AbstractBound) -> float:
        """The bound, in nats per step."""
        pairing = eqx.combine(self.params, self.static)
        judged = eqx.tree_at(lambda pair: pair.bound, pairing, bound)
        return float(measured(judged, self.batch, random.split(self.key, CHUNK)).mean())
