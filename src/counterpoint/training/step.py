"""One optimiser step and one validation, for R repeats in one program."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import Array, lax, random
from jaxtyping import Int, PyTree

from counterpoint.bounds import score
from counterpoint.core import Pairing, State
from counterpoint.data.batch import ANYWHERE, Bucket, anywhere, take
from counterpoint.errors import CounterpointError
from counterpoint.rollout import initial_state, spread, where

TRAIN, VALIDATE = 0, 1  # streams of randomness: key = (seed, stream, step)


class Learner(NamedTuple):
    """All that a step changes; every leaf has a leading axis of R repeats."""

    params: PyTree
    optimiser: PyTree
    memory: PyTree
    state: PyTree = None  # a State, (R, B, ...), where it is carried from step to step


class Outcome(NamedTuple):
    """Of one step, (R,): the bound in nats per step, its parts, and what was not finite (a bit each of CHECKED)."""

    value: Array
    metrics: dict[str, Array]
    broken: Array


CHECKED = ("the bound", "the gradient of p", "the gradient of q", "the gradient of the baselines", "the parameters")


@jax.jit
def member(tree: PyTree, index: Int[Array, ""] | int) -> PyTree:
    """One repeat's part of a tree whose leaves have a leading axis of repeats."""
    return jax.tree.map(lambda a: a[index], tree)


@jax.jit
def choose(which: Array, a: PyTree, b: PyTree) -> PyTree:
    """a's part for the repeats of `which` (R,), b's for the others."""
    return jax.tree.map(lambda a, b: jnp.where(which.reshape(-1, *(1,) * (a.ndim - 1)), a, b), a, b)


@jax.jit
def together(*repeats: PyTree) -> PyTree:
    """One tree for all repeats, whose leaves have a leading axis of them."""
    return jax.tree.map(lambda *a: jnp.stack([jnp.asarray(b) for b in a]), *repeats)


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
        one = [jax.tree.map(lambda a: a[0], arg) if axis == 0 else arg for arg, axis in zip(args, axes)]
        return jax.tree.map(lambda a: a[None], f(*one))

    def run(*args):
        size = sum(a.size for a in jax.tree.leaves(args[0])) // count
        how = alone if count == 1 else one_by_one if size > LARGE else jax.vmap(f, axes)
        return how(*args)

    return run


def learner(pairings: list[Pairing], optimiser: optax.GradientTransformation, carried: int = 0, gaps=False) -> Learner:
    """Before the first step, of one repeat for each pairing. carried: rows of the State that is handed on, 0 for none;
    gaps: whether something may be missing from the data. Raises CounterpointError where a bound does not split so."""
    found = []
    for pairing in pairings:
        if carried and not pairing.bound.splits and pairing.bound.resampling is None:
            raise CounterpointError(
                f"fit: carry cuts paths, and {pairing.bound.label} weighs whole ones: choose bound = elbo or fivo, or"
                " carry = False"
            )
        params, state = split(pairing)[0], begun(pairing, carried, gaps) if carried else None
        found.append(Learner(params, optimiser.init(params), pairing.initial(), state))
    return together(*found)


def begun(pairing: Pairing, batch: int, gaps: bool) -> State:
    """The state of a batch that begins. Where something may be missing, particles have memories of their own."""
    particles = pairing.bound.particles
    state = initial_state(pairing.p, pairing.q, batch, particles)
    return state._replace(memory=spread(state.memory, particles)) if gaps else state


def make_step(static: PyTree, optimiser: optax.GradientTransformation, count: int, crop: int | None, anew=False):
    """(learner, active (R,), rows (R, B), start, seeds (R,), step, bucket) -> (learner, outcome), compiled once per
    bucket.

    A repeat that is not active keeps its state; where the step of any is not finite, all do. A learner that has a State
    goes on from it, without gradient, unless start is 0 (truncated back-propagation). anew: a bucket has probabilities,
    of which each step draws 0 or 1.
    """

    def one(learner: Learner, active, rows, start, seed, step, bucket_x, lengths, observed):
        bucket = Bucket(bucket_x, lengths, observed, None)  # pyright: ignore[reportArgumentType]
        key = random.fold_in(random.fold_in(random.key(seed), TRAIN), step)
        place = jnp.where(start == ANYWHERE, anywhere(bucket, rows, crop, random.fold_in(key, 0)), start)
        batch = take(bucket, rows, crop, place)
        if anew:
            batch = batch._replace(x=random.bernoulli(random.fold_in(key, 2), batch.x).astype(batch.x.dtype))

        def loss(params):
            pairing, known = eqx.combine(params, static), batch
            if learner.state is not None:
                begin = begun(pairing, len(rows), observed is not None)
                known = batch._replace(state=where(start == 0, begin, learner.state))
            estimate, memory = pairing(known, random.fold_in(key, 1), learner.memory, step)
            if learner.state is not None and estimate.state is None:
                raise CounterpointError(
                    f"fit: carry goes on from the state that a batch ended in, and {type(pairing.estimator).__name__}"
                    " follows none: choose carry = False"
                )
            return estimate.surrogate, (estimate, memory)

        grads, (estimate, memory) = jax.grad(loss, has_aux=True)(learner.params)
        updates, state = optimiser.update(grads, learner.optimiser, learner.params)
        params = optax.apply_updates(learner.params, updates)
        checks = (estimate.value, grads.p, grads.q, grads.estimator, params)
        broken = sum((~finite(part)).astype(jnp.int32) << i for i, part in enumerate(checks))
        new = Learner(params, state, memory, None if learner.state is None else estimate.state)
        new = jax.tree.map(lambda a, b: jnp.where(active, a, b), new, learner)
        return new, Outcome(estimate.value, estimate.metrics, jnp.where(active, broken, 0))

    mapped = repeat(one, count, (0, 0, 0, None, 0, None, None, None, None))

    def run(learner, active, rows, start, seeds, step, bucket: Bucket):
        new, outcome = mapped(learner, active, rows, start, seeds, step, bucket.x, bucket.lengths, bucket.observed)
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
