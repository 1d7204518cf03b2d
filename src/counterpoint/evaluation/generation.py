"""New sequences, continuations of given ones, and given ones as the pair sees them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from counterpoint.core import AbstractDirected, AbstractModel, AbstractPosterior, Batch, State
from counterpoint.data.batch import whole
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import DiscretisedGaussian, Gaussian, layers_of
from counterpoint.errors import CounterpointError
from counterpoint.evaluation.chained import directed
from counterpoint.evaluation.passes import frames
from counterpoint.inference.prior import Prior
from counterpoint.resampling import Systematic
from counterpoint.rollout import initial_state, rollout, swap
from counterpoint.shapes import observation, shapes


@eqx.filter_jit
def absorb(p: AbstractDirected, q: AbstractPosterior, given: Batch, key, particles: int) -> State:
    """The state after each sequence's last valid step, of one particle picked by its weight."""
    listen, choose = random.split(key)
    # with a mask, p's memory is moved step by step too, so that it stops where a shorter sequence ends
    observed = given.valid if given.observed is None else given.observed
    given = given._replace(observed=observed)
    resampling = Systematic(0.5) if particles > 1 else None
    _, state = rollout(p, q, given, listen, particles=particles, resampling=resampling)
    chosen = random.categorical(choose, state.log_weight)
    memory, carry = jax.tree.map(
        lambda a: jax.vmap(lambda row, k: row[k][None])(a, chosen), (state.memory, state.carry)
    )
    ahead = initial_state(p, Prior(), len(chosen))
    return State(memory, ahead.recognition, carry, ahead.log_weight, state.time)


@eqx.filter_jit
def imagine(p: AbstractDirected, state: State, key, length: int):
    """x ~ p given a state, (B, length, ...): the bootstrap proposal with every x_t missing."""
    count = state.log_weight.shape[0]
    x = jax.tree.map(lambda a: jnp.zeros((count, length, *a.shape), a.dtype), shapes(observation(p)))
    valid = jnp.ones((count, length), bool)
    trace, _ = rollout(p, Prior(), Batch(x, valid, ~valid, state), key)
    return swap(trace.x[:, :, 0])


class Expected(AbstractDirected):
    """p, but every frame is the mean of its likelihood."""

    p: AbstractDirected

    def memory(self):
        return self.p.memory()

    def embed(self, memory, x):
        return self.p.embed(memory, x)

    def initial(self):
        return self.p.initial()

    def advance(self, carry, z, e):
        return self.p.advance(carry, z, e)

    def prior(self, carry):
        return self.p.prior(carry)

    def likelihood(self, carry, z):
        mean = self.p.likelihood(carry, z).mean
        return Gaussian(mean, jnp.zeros_like(mean))


def generate(
    p: AbstractModel,
    key,
    length: int,
    count: int = 1,
    prefix: Sequences | None = None,
    q: AbstractPosterior | None = None,
    particles: int = 1,
    mean: bool = False,
) -> list[np.ndarray]:
    """x_t ~ p(x_t | z_t, past), z_t ~ p(z_t | past), t = 1 .. length: `count` arrays (length, ...).

    With a prefix x_1:P, `count` continuations of each of its sequences, those of one next to each other: arrays
    (P_i + length, ...) that begin with the prefix as it was given. What the past was is guessed by a particle filter
    with proposal q (None: p's prior) and `particles` particles, of which one, picked by its weight, goes on; an exact
    q needs only one. q may look ahead and the prefix may have gaps: only the prefix is ever looked at.

    An undirected p draws each z_t from a chain of its own, see `Chained`, and its past along a prefix is that of one
    particle. A p that reconstructs what q corrupts draws it from a chain with q, which must be given: see `Corrupted`.

    With `mean`, each new x_t is the mean of p(x_t | z_t, past): motion without a likelihood's tremor.

    Deterministic in the key. Raises CounterpointError for a length or count below 1, where p's likelihood cannot
    give the prefix, and for the mean of a likelihood whose mean is no frame, as of notes or categories.
    """
    if length < 1 or count < 1:
        raise CounterpointError(f"cannot generate {count} sequences of {length} steps; both must be at least 1")
    law = observation(p)
    if mean and not (law.pathwise or isinstance(law, DiscretisedGaussian)):  # whose draws are rounded, that is all
        raise CounterpointError(
            f"the mean of a {type(law).__name__} is no frame that {type(p).__name__} could go on from; generate without"
            " the mean"
        )
    before, after = random.split(key)
    view = directed(p, q)
    voice = Expected(view) if mean else view
    if prefix is None:
        return list(np.asarray(imagine(voice, initial_state(view, Prior(), count), after, length)))
    given = jax.tree.map(lambda a: a.repeat(count, 0), whole(prefix, p))
    state = absorb(view, Prior() if q is None else q, given, before, particles if view is p else 1)
    new = np.asarray(imagine(voice, state, after, length))
    return [np.concatenate([prefix.x[i // count], x]) for i, x in enumerate(new)]


def activity(p: AbstractModel, q: AbstractPosterior, sequences: Sequences, key, samples: int = 20) -> list[np.ndarray]:
    """E_q[h_t] of the lowest layer of z, averaged over `samples` draws: arrays (T_i, J). Raises CounterpointError where
    p's likelihood cannot give these data."""
    trace, _ = eqx.filter_jit(rollout)(directed(p, q), q, whole(sequences, p), key, particles=samples)
    mean = np.asarray(layers_of(trace.z)[0].mean(2))  # (T, B, J)
    return [mean[:length, i] for i, length in enumerate(sequences.lengths)]


def reconstruct(
    p: AbstractModel, q: AbstractPosterior, sequences: Sequences, key, samples: int = 1
) -> list[np.ndarray]:
    """E[x_t | z_<=t, x_<t], z ~ q(z | x), averaged over `samples` draws: arrays (T_i, ...), for pictures.

    z_t has seen x_t, unlike in `predict`. What is missing is drawn from p on the way, so its mean here is what the
    pair fills in. A category's frames are its probabilities. Raises CounterpointError where p's likelihood cannot give
    these data.
    """
    return list(frames(p, q, sequences, key, samples, ahead=False))
