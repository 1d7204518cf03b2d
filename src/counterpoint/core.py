"""The protocol: two voices, a bound and an estimator.

Everything here speaks of *one* sequence, *one* time step and *one* particle; `rollout` adds the axes
(T, B, K) with scan and vmap. A model, posterior, bound or estimator that keeps to these few methods works
with all the others, with `fit`, `evaluate` and the command.
"""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jax.core import Tracer
from jaxtyping import Bool, Float, Int, PyTree

from counterpoint.errors import CounterpointError
from counterpoint.event import AbstractDistribution

THINNED = 2**31 + 1  # a stream of randomness of its own


class Seen(NamedTuple):
    """Marks a part of a carry that is a function of e_t alone, computed once for all particles and over all t at once.
    A model that has it has a `memory`, too: by that it is known where particles have seen different x."""

    value: PyTree


class Batch(NamedTuple):
    """B sequences of at most T steps.

    x         (B, T, ...) what was seen; a pytree where an observation has parts
    valid     (B, T) False is padding, after the end of a sequence: nothing moves there and nothing counts
    observed  None, or shaped like x (or (B, T)): False is missing; the sequence goes on through it
    state     a State to go on from; None: the sequences begin
    """

    x: PyTree
    valid: Bool[Array, "B T"]
    observed: PyTree | None = None
    state: PyTree = None


class AbstractModel(eqx.Module):
    """p, the generative voice."""

    estimated: ClassVar[bool] = False  # True: its log-probabilities hold an estimate of log Z
    determined: ClassVar[bool] = False  # True: the units of its dictionary follow from z, and are not drawn

    def memory(self) -> PyTree:
        """What `embed` remembers from chunk to chunk: a function of x alone."""
        return None

    def embed(self, memory, x) -> tuple[PyTree, PyTree]:
        """x (T, ...) -> memory, e (T, ...): all that depends on x alone, recurrences included, causal."""
        return memory, x

    def features(self, x, e) -> Float[Array, " F"]:
        """The vector that a recognition network reads of one frame x_t and its embedding."""
        return jnp.concatenate([jnp.ravel(a) for a in jax.tree.leaves(x)])

    def dictionary(self) -> Float[Array, "R J"] | None:
        """What each hidden unit next to a frame adds to its parameters; None where that is no matrix."""
        return None

    def thinned(self, key) -> "AbstractModel":
        """p for one step of training, where some of its connections are left out by chance. Here: none is."""
        return self

    @abstractmethod
    def initial(self) -> PyTree:
        """The carry before the first step: what depends on z as well."""

    @abstractmethod
    def advance(self, carry, z, e) -> PyTree:
        """Fold z_t and the embedded x_t into the past. What depends on e alone may stand in a `Seen`."""

    def kept(self, carry, z) -> PyTree:
        """The carry for the next move of a chain x -> z -> x within one step. Here: the same."""
        return carry

    @abstractmethod
    def likelihood(self, carry, z) -> AbstractDistribution:
        """p(x_t | z_<=t, x_<t)."""

    @abstractmethod
    def prior(self, carry) -> AbstractDistribution:
        """p(z_t | z_<t, x_<t)."""

    @abstractmethod
    def example(self) -> PyTree:
        """Some z_1; only its shape is asked for."""


class AbstractDirected(AbstractModel):
    """p that draws z, then x."""

    def example(self):
        return self.prior(self.initial()).sample(jax.random.key(0))


class AbstractUndirected(AbstractModel):
    """p(x, z) = exp(-E(x, z)) / Z, given the past: Z is not known, but either side given the other is."""

    @abstractmethod
    def free_energy(self, carry, x) -> Float[Array, ""]:
        """F(x) = -log sum_z exp(-E(x, z)): log p(x_t | past) = -F(x_t) - log Z."""

    @abstractmethod
    def posterior(self, carry, x) -> AbstractDistribution:
        """p(z_t | x_t, past), exact and factorial."""

    def at(self, carry) -> "AbstractUndirected":
        """p of one step, as a machine that has no past: itself, where there is none."""
        return self

    def penalty(self) -> Float[Array, ""] | float:
        """What is minimised beside -log p(x_t | past), in nats a step, to learn a structure. Here: nothing."""
        return 0.0

    def prior(self, carry):
        """Raises CounterpointError: what needs a prior cannot be done."""
        raise CounterpointError(
            f"{type(self).__name__} is undirected: p(z) = exp(-F(z)) / Z is known up to Z, so it can neither be scored"
            f" nor drawn from at once; {CHAIN}"
        )


CHAIN = "choose q = gibbs, bound = trajectory_kl and estimator = contrastive_divergence, which need neither"


class Proposal(NamedTuple):
    distribution: AbstractDistribution
    steps: Float[Array, "iterations 2"]  # -E log p(x_t | z) and KL after each iteration of an iterative q; else empty


def direct(distribution: AbstractDistribution) -> Proposal:
    """The proposal of a posterior that does not iterate."""
    return Proposal(distribution, jnp.zeros((0, 2)))


class AbstractPosterior(eqx.Module):
    """q, the recognition voice."""

    sees_future: eqx.AbstractVar[bool]  # True: q(z_t) has seen x_>t; it cannot stream or predict
    fills_gaps: eqx.AbstractVar[bool]  # True: right where x_t is missing; else the prior takes over there
    chain: ClassVar[bool] = False  # True: a chain x -> z -> x, for a p without a prior

    @property
    def exact(self) -> bool:
        """Whether q is p(z | x): every path has the weight p(x), to which a KL in closed form would only add noise."""
        return False

    def check(self, p) -> None:
        """Raise CounterpointError with the mathematical reason where q cannot guess p's z."""

    def memory(self) -> PyTree:
        """What `encode` remembers from chunk to chunk."""
        return None

    def encode(self, p, memory, x, e, mask) -> tuple[PyTree, PyTree]:
        """x, e (T, ...), mask like x (False: missing or padding) -> memory, context (T, ...)."""
        return memory, x

    @abstractmethod
    def propose(self, p, carry, context, x, key) -> Proposal:
        """q(z_t | context_t, z_<t)."""


class State(NamedTuple):
    """All that passes from chunk to chunk; a given beginning and its continuation, truncated sequences."""

    memory: PyTree  # p's, (B, ...); (B, K, ...) where something was missing, for then x differs by particle
    recognition: PyTree  # q's, (B, ...)
    carry: PyTree  # (B, K, ...)
    log_weight: Float[Array, "B K"]  # normalised over K
    time: Int[Array, ""]  # steps so far: noise is drawn by (key, time), so chunks equal the whole


class Trace(NamedTuple):
    """(T, B, K): all that a bound may look at. Everything in nats; zero at padding."""

    x: PyTree  # as seen, gaps filled by p: (T, B, ...), or (T, B, K, ...) where something is missing
    z: PyTree
    log_prior: Float[Array, "T B K"]
    log_likelihood: Float[Array, "T B K"]
    log_q: Float[Array, "T B K"]
    kl: Float[Array, "T B K"]  # KL(q_t || prior_t), closed where the pair has a form, else log q - log prior
    log_evidence: Float[Array, "T B"]  # increments of log sum_k w_k
    log_resample: Float[Array, "T B"]  # log-probability of the ancestors drawn before step t
    steps: Float[Array, "T B K iterations 2"]  # as in a Proposal
    valid: Bool[Array, "T B"]

    @property
    def log_weight(self) -> Float[Array, "T B K"]:
        """log p(x_t, z_t | past) - log q(z_t): the paper's l_t."""
        return self.log_prior + self.log_likelihood - self.log_q


class Estimate(NamedTuple):
    surrogate: Float[Array, ""]  # minimise this: its gradient is the estimate
    value: Float[Array, ""]  # report this: nats per step, higher is better
    metrics: dict[str, Array]
    state: State | None = None  # after the batch; None where it cannot be gone on from


class AbstractBound(eqx.Module):
    """A bound on log p(x_1:T), a function of the trace."""

    particles: eqx.AbstractVar[int]
    closed_form: eqx.AbstractVar[bool]  # wants closed-form divergences where they exist
    splits: eqx.AbstractVar[bool]  # a sum over steps, so that a step has a signal of its own
    chain: ClassVar[bool] = False  # True: of a chain x -> z -> x, for a p without a prior
    weighs_paths: ClassVar[bool] = False  # True: `signal` is log p - log q of each path of that chain

    def check(self, p) -> None:
        """Raise CounterpointError with the mathematical reason where it bounds nothing of p."""

    def side(self, p) -> str:
        """On which side of log p it is, on average: here "below"; or "above", "neither" for certain, or "exact"."""
        return "below"

    @property
    def warmup(self) -> int:
        """Steps of training until what it follows is the bound itself. Here: none."""
        return 0

    @property
    def resampling(self) -> Any:
        """An AbstractResampling, or None where particles keep their lines."""
        return None

    def run(self, p, q, batch: Batch, key, defer: bool = True) -> Trace:
        """Draw what it is a function of. `defer` as in rollout."""
        from counterpoint.rollout import rollout

        how = {"particles": self.particles, "resampling": self.resampling, "closed_form": self.closed_form}
        return rollout(p, q, batch, key, defer=defer, **how)[0]

    @abstractmethod
    def __call__(self, trace: Trace, step=None) -> Float[Array, " B"]:
        """The bound for each sequence, in nats, summed over its steps. With a step: what training follows there
        (schedules apply); without: the bound itself."""

    @abstractmethod
    def signal(self, trace: Trace, step, local: bool) -> Float[Array, "T B K"]:
        """What multiplies grad log q(z_t^k): all of the bound that z_t^k can change ("reward to go"), or
        with `local` the part of step t alone, for a bound that splits."""

    def hold(self, trace: Trace) -> Trace:
        """The trace with what has expected score zero held fixed; a score-function estimator differentiates the
        bound of it directly. Here: nothing is."""
        return trace

    def portions(self, most: int) -> tuple["AbstractBound", int]:
        """(b, n): this bound is the log-mean-exp of n independent b, each of at most `most` particles, so that many
        particles need little memory. Here: itself, once."""
        return self, 1

    @property
    def label(self) -> str:
        """What a table calls it: its name, and its particles where more of them make it tighter."""
        many = f"-{self.particles}" if self.particles > 1 else ""
        return str(getattr(self, "name", type(self).__name__)).upper() + many

    def title(self, p) -> str:
        """What a table of p calls it: its label, unless what the label says makes no difference to p."""
        return self.label

    def build(self) -> "AbstractBound":
        """A bound is its own configuration."""
        return self


class AbstractEstimator(eqx.Module):
    """How the bound's gradient is taken. Owns what outlives a batch in `memory`."""

    chain: ClassVar[bool] = False  # True: compares the two ends of a chain x -> z -> x
    reports: ClassVar[str] = ""  # what `value` is where it is not the bound, in a word or two

    def unbiased(self, bound: AbstractBound) -> bool:
        """Whether its mean is the gradient of that bound, which it accepts."""
        return False

    def settling(self, q) -> int:
        """How many calls, p and q held, its memory takes to forget where it began."""
        return 25

    def check(self, p, q, bound) -> None:
        """Raise CounterpointError with the mathematical reason where the gradient does not exist."""

    def initial(self) -> PyTree:
        """The memory before the first step."""
        return ()

    @abstractmethod
    def __call__(self, p, q, bound, batch: Batch, key, memory, step) -> tuple[Estimate, PyTree]: ...


class Pairing(eqx.Module):
    """(p, q, bound, estimator): what a recipe builds, fit trains, a checkpoint holds, evaluate scores."""

    p: Any  # an AbstractDirected or an AbstractUndirected
    q: AbstractPosterior
    bound: AbstractBound
    estimator: AbstractEstimator

    def __check_init__(self):
        # transformations rebuild modules around tracers and placeholders; only real ones are checked
        leaves = jax.tree.leaves((self.p, self.q), is_leaf=lambda a: a is None)
        if all(isinstance(a, Array) and not isinstance(a, Tracer) for a in leaves if eqx.is_array(a)):
            from counterpoint.matching import check

            check(self.p, self.q, self.bound, self.estimator)

    def initial(self) -> PyTree:
        """The estimator's memory before the first step."""
        return self.estimator.initial()

    def __call__(self, batch: Batch, key, memory, step) -> tuple[Estimate, PyTree]:
        """The estimate for one step of training, of a p that dropout has thinned."""
        p = self.p.thinned(random.fold_in(key, THINNED))
        return self.estimator(p, self.q, self.bound, batch, key, memory, step)
