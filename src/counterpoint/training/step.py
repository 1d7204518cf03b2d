"""One optimiser step and one validation, for R repeats in one program."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import Array, lax, random
from jaxtyping import PyTree

from counterpoint.bounds import score
from counterpoint.core import Pairing
from counterpoint.data.batch import Bucket, take

TRAIN, VALIDATE = 0, 1  # streams of randomness: key = (seed, stream, step)


class Learner(NamedTuple):
    """All that a step changes; every leaf has a leading axis of R repeats."""

    params: PyTree
    optimiser: PyTree
    memory: PyTree


class Outcome(NamedTuple):
    """Of one step, (R,): the bound in nats per step, its parts, and what was not finite (a bit each of CHECKED)."""

    value: Array
    metrics: dict[str, Array]
    broken: Array


CHECKED = ("the bound", "the gradient of p", "the gradient of q", "the gradient of the baselines", "the parameters")


def member(tree: PyTree, index: int) -> PyTree:
    """One repeat's part of a tree whose leaves have a leading axis of repeats."""
    return jax.tree.map(lambda a: a[index], tree)


def split(pairing: Pairing) -> tuple[PyTree, PyTree]:
    """Parameters, and everything else."""
    return eqx.partition(pairing, eqx.is_inexact_array)


LARGE = 2**20  # parameters, from where matrix products are fat enough alone, and slower in a batch of repeats


def repeat(f, count: int, axes):
    """f over repeats: all in one vmap, or one after the other where the first argument is large. A single one keeps its
    plain products."""

    def one_by_one(*args):
        mapped = [arg for arg, axis in zip(args, axes) if axis == 0]

        def one(mapped):
            rest = iter(mapped)
            return f(*(next(rest) if axis == 0 else arg for arg, axis in zip(args, axes)))

        return lax.map(one, mapped)

    def alone(*args):
        one = [member(arg, 0) if axis == 0 else arg for arg, axis in zip(args, axes)]
        return jax.tree.map(lambda a: a[None], f(*one))

    def run(*args):
        size = sum(a.size for a in jax.tree.leaves(args[0])) // count
        how = alone if count == 1 else one_by_one if size > LARGE else jax.vmap(f, axes)
        return how(*args)

    return run


def make_step(static: PyTree, optimiser: optax.GradientTransformation, count: int, crop: int | None):
    """(learner, active (R,), rows (R, B), seeds (R,), step, bucket) -> (learner, outcome), compiled once per bucket.

    A repeat that is not active keeps its state; where the step of any is not finite, all do.
    """

    def one(learner: Learner, active, rows, seed, step, bucket_x, lengths, observed):
        bucket = Bucket(bucket_x, lengths, observed, None)  # pyright: ignore[reportArgumentType]
        key = random.fold_in(random.fold_in(random.key(seed), TRAIN), step)
        batch = take(bucket, rows, random.fold_in(key, 0), crop)

        def loss(params):
            estimate, memory = eqx.combine(params, static)(batch, random.fold_in(key, 1), learner.memory, step)
            return estimate.surrogate, (estimate, memory)

        grads, (estimate, memory) = jax.grad(loss, has_aux=True)(learner.params)
        updates, state = optimiser.update(grads, learner.optimiser, learner.params)
        params = optax.apply_updates(learner.params, updates)
        checks = (estimate.value, grads.p, grads.q, grads.estimator, params)
        broken = sum((~finite(part)).astype(jnp.int32) << i for i, part in enumerate(checks))
        new = Learner(params, state, memory)
        new = jax.tree.map(lambda a, b: jnp.where(active, a, b), new, learner)
        return new, Outcome(estimate.value, estimate.metrics, jnp.where(active, broken, 0))

    mapped = repeat(one, count, (0, 0, 0, 0, None, None, None, None))

    def run(learner, active, rows, seeds, step, bucket: Bucket):
        new, outcome = mapped(learner, active, rows, seeds, step, bucket.x, bucket.lengths, bucket.observed)
        good = (outcome.broken == 0).all()  # all repeats take a step, or none does: they share one counter
        return jax.tree.map(lambda a, b: jnp.where(good, a, b), new, learner), outcome

    return run


def make_validate(static: PyTree, count: int):
    """(params, seeds (R,), batch) -> bound in nats summed over the batch (R,). The same noise every time."""

    def one(params, seed, batch):
        pairing = eqx.combine(params, static)
        key = random.fold_in(random.key(seed), VALIDATE)
        return score(pairing.p, pairing.q, pairing.bound, batch, key).sum()

    return jax.jit(repeat(one, count, (0, 0, None)))


def finite(tree) -> Array:
    """Whether every number of a tree is."""
    leaves = [jnp.isfinite(a).all() for a in jax.tree.leaves(tree)]
    return jnp.stack(leaves).all() if leaves else jnp.array(True)
