"""The exact posterior of a hidden Markov model."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from counterpoint.core import AbstractDirected, direct
from counterpoint.distributions import Categorical
from counterpoint.distributions.exponential import exponential
from counterpoint.errors import CounterpointError
from counterpoint.inference.exact import AbstractExact, Marginals, begins
from counterpoint.inference.messages import LEAST, chained
from counterpoint.models.hmm import HMM
from counterpoint.numerics import finite, log_sum_exp
from counterpoint.rollout import mask_of, swap


@dataclass(frozen=True)
class ForwardBackwardConfig:
    """`smooth` looks ahead and is exact; without it, q sees only x_t and z_t-1."""

    name: ClassVar[str] = "forward_backward"
    smooth: bool = True

    def build(self, p: AbstractDirected, facts, key) -> "ForwardBackward":
        q = ForwardBackward(self.smooth)
        q.check(p)
        return q


class Sums(NamedTuple):
    """Expected counts."""

    start: Float[Array, " N"]
    move: Float[Array, "N N"]
    emission: Float[Array, "N S"]  # statistics of the frames of each state


class ForwardBackward(AbstractExact):
    """q(z_t = i | z_t-1, x) prop. to p(z_t = i | z_t-1) exp(beta_t(i)),

        beta_t(i) = log p(x_t | i) + log sum_j p(z_t+1 = j | i) exp(beta_t+1(j)):

    backward messages, forward sampling. Every path has weight p(x_1:T): bounds equal the log-likelihood and have no
    variance. smooth=False stops at log p(x_t | i).

    Expectation maximisation is that of Baum et al. (1970); marginals are probabilities (B, T, N).
    """

    smooth: bool = eqx.field(static=True, default=True)
    fills_gaps: ClassVar[bool] = True

    @property
    def sees_future(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.smooth

    def check(self, p):
        if not isinstance(p, HMM):
            raise CounterpointError(
                f"forward_backward sums over the states of a hidden Markov model; p is {type(p).__name__}, which has"
                " none to sum over: choose q = filtering"
            )

    def encode(self, p, memory, x, e, mask):
        log_move, said = jax.nn.log_softmax(p.transition), heard(p, x, mask)
        if not self.smooth:
            return memory, said

        def back(message, now):
            beta = now + message
            new = log_sum_exp(log_move + beta[None], 1)
            return new - finite(new.max()), beta  # only differences between states count

        return memory, lax.scan(back, jnp.zeros_like(said[0]), said, reverse=True)[1]

    def propose(self, p, carry, context, x, key):
        return direct(Categorical(jax.nn.log_softmax(carry) + context))

    def marginals(self, p, batch):
        x, mask = seen(batch)
        said = jnp.where(batch.valid[..., None], jax.vmap(lambda x, mask: heard(p, x, mask))(x, mask), 0.0)
        found = along(p, *swap((said, batch.valid)))
        return Marginals(*swap((found.log_evidence, found.filtered, found.smoothed)))

    def foretell(self, p, batch):
        start, move = jax.nn.softmax(p.start), jax.nn.softmax(p.transition)
        moved = self.marginals(p, batch).filtered[:, :-1] @ move
        before = jnp.concatenate([jnp.broadcast_to(start, (len(moved), 1, len(start))), moved], 1)
        return jnp.tensordot(before, jax.vmap(lambda raw: p.family(raw).mean)(p.emission), 1)

    def expect(self, p, batch):
        family, whole = exponential(p.family, p.emission), batch.observed is None
        (x, mask), valid = seen(batch), batch.valid
        # in a frame of one entry, such as an index, that entry is the frame
        entries = None if whole else mask.reshape(*valid.shape, *(-1,) * (x.ndim > 2))
        statistics = family.statistics(x, entries)
        said = family.told(statistics, whole)
        found = along(p, *swap((jnp.where(valid[..., None], said, 0.0), valid)))
        smoothed = jnp.where(valid[..., None], swap(found.smoothed), 0.0)
        flat = lambda rows: rows.reshape(-1, rows.shape[2])
        emission = flat(smoothed).T @ flat(statistics)
        return found.log_evidence.sum(0), Sums(smoothed[:, 0].sum(0), found.pairs, emission)

    def maximise(self, p, sums: Sums):
        """Probabilities stay above LEAST, so that messages may run scaled; what is impossible stays so."""
        start = shares(p.start[None], sums.start[None])[0]
        emission = exponential(p.family, p.emission).maximum(sums.emission)
        return HMM(start, shares(p.transition, sums.move), emission, p.family)


def seen(batch):
    """x with zeros where nothing was seen, and what was, entry by entry."""
    begins(batch)
    mask = mask_of(batch)
    return jnp.where(mask, batch.x, jnp.zeros((), batch.x.dtype)), mask


def heard(p: HMM, x, mask) -> Float[Array, "T N"]:
    """log p(x_t | z_t = i) of what was seen of one sequence."""
    emissions = jax.vmap(p.family)(p.emission)
    return jax.vmap(lambda x, m: jax.vmap(lambda law: law.log_prob(x, m))(emissions))(x, mask)


def along(p: HMM, said, valid):
    """The messages of all sequences, time first."""
    return chained(jax.nn.log_softmax(p.start), jax.nn.log_softmax(p.transition), said, valid)


def shares(logits: Float[Array, "M N"], counts: Float[Array, "M N"]) -> Float[Array, "M N"]:
    """Logarithms of each row's shares; a row without counts, and what is impossible, stay as they are."""
    total = counts.sum(1, keepdims=True)
    new = jnp.log(jnp.maximum(counts / jnp.maximum(total, 1e-30), LEAST))
    return jnp.where((total > 0) & (logits > -jnp.inf), new, jax.nn.log_softmax(logits))
