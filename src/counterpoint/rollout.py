"""q against p over a sequence.

    w_t = p(x_t, z_t | x_<t, z_<t) / q(z_t | z_<t, x),   z_t ~ q,   log p(x_1:T) >= E[ sum_t log w_t ]

One function draws and scores; the same with z given only scores. Three orders of the same arithmetic, chosen by
what depends on what, never by the model:

- score after: only what z_t depends on stays in the scan; prior and likelihood run after it, all t at once.
- sample, then score: where no gradient passes through z, it is drawn first without gradients, and then even
  `propose` leaves the differentiated scan; only `advance` stays.
- in the scan: where particles resample or something is missing, the next step needs this one's score.

Missing frames, generation and continuation are one rule: what is not observed is drawn from p's own likelihood
and costs nothing. The bound stays a bound on the log-probability of what was observed. Gradients through what is
drawn are pathwise, so for discrete x that the model feeds back they leave out how parameters change the draws.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import PyTree

from counterpoint.core import (
    AbstractDirected,
    AbstractDistribution,
    AbstractModel,
    AbstractPosterior,
    Batch,
    Proposal,
    Seen,
    State,
    Trace,
)
from counterpoint.distributions import divergence, has_divergence
from counterpoint.shapes import latent, observation, shapes


def stop(tree):
    """The same values, without gradient."""
    return jax.tree.map(lambda a: lax.stop_gradient(a) if eqx.is_inexact_array(a) else a, tree)


def where(condition, a, b):
    """Choose whole subtrees by a condition over their leading axes."""

    def choose(u, v):
        return jnp.where(condition.reshape(condition.shape + (1,) * (u.ndim - condition.ndim)), u, v)

    return jax.tree.map(choose, a, b)


def swap(tree):
    """(B, T, ...) <-> (T, B, ...)."""
    return jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), tree)


def initial_state(p: AbstractModel, q: AbstractPosterior, batch: int, particles: int = 1) -> State:
    """The state before the first step, for `batch` sequences of `particles` each."""

    def spread(tree, *axes):
        return jax.tree.map(lambda a: jnp.broadcast_to(a, (*axes, *jnp.shape(a))), tree)

    return State(
        spread(p.memory(), batch),
        spread(q.memory(), batch),
        spread(p.initial(), batch, particles),
        jnp.full((batch, particles), -jnp.log(particles)),
        jnp.zeros((), jnp.int32),
    )


def mask_of(batch: Batch):
    """Entry by entry, what counts: valid and observed, shaped like x."""

    def full(a, seen=None):
        mask = batch.valid if seen is None else batch.valid.reshape(batch.valid.shape + (1,) * (seen.ndim - 2)) & seen
        return jnp.broadcast_to(mask.reshape(mask.shape + (1,) * (a.ndim - mask.ndim)), a.shape)

    if batch.observed is None:
        return jax.tree.map(full, batch.x)
    return jax.tree.map(full, batch.x, batch.observed)


class Guess(NamedTuple):
    """What q says of one z_t."""

    z: PyTree
    log_q: Array
    law: AbstractDistribution | None  # kept where its divergence has a closed form and that is wanted
    seen: Array  # False: x_t is missing and the prior took over
    steps: Array


class Voices(NamedTuple):
    """One particle, one step: the arithmetic, wherever it runs."""

    p: AbstractDirected
    q: AbstractPosterior
    gaps: bool
    pathwise: bool
    detach: bool
    closed_form: bool

    def infer(self, carry, key, noise, x, context, mask, z=None) -> Guess:
        view = stop if self.detach else lambda tree: tree
        proposal = self.q.propose(view(self.p), view(carry), context, x, random.fold_in(key, 0))
        law = proposal.distribution
        drawn = law.drawn(noise) if z is None else z
        drawn = drawn if self.pathwise else stop(drawn)
        log_q, seen = law.log_prob(drawn), jnp.array(True)
        if self.gaps and not self.q.fills_gaps:  # nothing to infer from: the prior takes over
            prior = view(self.p).prior(view(carry))
            seen = jnp.stack([m.any() for m in jax.tree.leaves(mask)]).any()
            other = prior.sample(random.fold_in(key, 1))
            drawn = where(seen, drawn, other if self.pathwise else stop(other))
            log_q = jnp.where(seen, law.log_prob(drawn), prior.log_prob(drawn))
        keep = self.closed_form and not self.q.exact and has_divergence(law)
        return Guess(drawn, log_q, law if keep else None, seen, jnp.where(seen, proposal.steps, 0.0))

    def score(self, carry, guess: Guess, x, mask):
        """log p(z_t), log p(x_t | z_t) of what was observed, KL(q_t || prior_t)."""
        prior = self.p.prior(carry)
        log_prior = prior.log_prob(guess.z)
        log_likelihood = self.p.likelihood(carry, guess.z).log_prob(x, mask if self.gaps else None)
        law, log_q = stop((guess.law, guess.log_q)) if self.detach else (guess.law, guess.log_q)
        kl = None if law is None else divergence(law, prior, guess.z)
        kl = log_q - log_prior if kl is None else jnp.where(guess.seen, kl, 0.0)
        return log_prior, log_likelihood, kl

    def fill(self, carry, memory, key, z, x, mask):
        """Draw what is missing, then embed the whole."""
        x = self.p.likelihood(carry, z).complete(random.fold_in(key, 2), x, mask)
        memory, e = self.p.embed(memory, jax.tree.map(lambda a: a[None], x))
        return memory, x, jax.tree.map(lambda a: a[0], e)


def each(f, *own: bool):
    """f of one particle -> f over (B, K); an argument that is not the particle's own is shared by all K."""
    return jax.vmap(jax.vmap(f, tuple(0 if mine else None for mine in own)))


class Inputs(NamedTuple):
    """What a scan over time reads: (T, B, ...); keys (T, B, K), and the noise that q draws z with, (T, B, K, ...)."""

    x: PyTree
    e: PyTree
    context: PyTree
    mask: PyTree
    valid: Array
    key: Any
    noise: PyTree


def draw(voices: Voices, carry, inputs: Inputs):
    """z_t ~ q step by step. Returns the last carry, what of the carries before each step is z's, the guesses."""

    def one(carry, key, noise, x, e, context, mask):
        guess = voices.infer(carry, key, noise, x, context, mask)
        return voices.p.advance(carry, guess.z, e), guess

    def step(carry, now: Inputs):
        new, guess = each(one, True, True, True, False, False, False, False)(
            carry, now.key, now.noise, now.x, now.e, now.context, now.mask
        )
        return where(now.valid, new, carry), (parted(carry)[0], guess)

    carry, (carries, guess) = lax.scan(step, carry, inputs)
    return carry, carries, guess


def follow(voices: Voices, carry, inputs: Inputs, z):
    """What of the carries before each step is z's, along given z; nothing of q is computed."""

    def step(carry, now):
        e, valid, z = now
        new = each(voices.p.advance, True, True, False)(carry, z, e)
        return where(valid, new, carry), parted(carry)[0]

    return lax.scan(step, carry, (inputs.e, inputs.valid, z))


def parted(carry):
    """A carry's own part and its `Seen` part, each with None in place of the other."""
    marked = lambda a: isinstance(a, Seen)
    own = jax.tree.map(lambda a: None if marked(a) else a, carry, is_leaf=marked)
    return own, jax.tree.map(lambda a: a if marked(a) else None, carry, is_leaf=marked)


def joined(own, seen):
    """A carry from its two parts."""
    empty = lambda a: a is None
    return jax.tree.map(lambda a, b: b if a is None else a, own, seen, is_leaf=empty)


def seen_before(p: AbstractDirected, carry, e):
    """The `Seen` part of the carries before each step, (T, B, ...): that of `carry` (B, K, ...), then that of e_t-1."""
    begin, z = p.initial(), jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shapes(latent(p)))
    later = jax.vmap(jax.vmap(lambda e: parted(p.advance(begin, z, e))[1]))(jax.tree.map(lambda a: a[:-1], e))
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None, :, 0], b]), parted(carry)[1], later)


def within(voices: Voices, carry, memory, log_weight, inputs: Inputs, resampling):
    """Draw, score, fill and resample step by step."""

    def one(carry, memory, key, noise, x, e, context, mask):
        guess = voices.infer(carry, key, noise, x, context, mask)
        if voices.gaps:  # before it is scored: what was seen of a frame may depend on what was not
            memory, x, e = voices.fill(carry, memory, key, guess.z, x, mask)
        scores = voices.score(carry, guess, x, mask)
        return (voices.p.advance(carry, guess.z, e), memory), (x if voices.gaps else None, guess, scores)

    def step(loop, now: Inputs):
        carry, memory, log_weight = loop
        chance = jnp.zeros(log_weight.shape[0], log_weight.dtype)
        if resampling is not None:
            key = jax.vmap(lambda k: random.fold_in(k, 3))(now.key[:, 0])
            ancestors, even, chance = jax.vmap(resampling)(key, log_weight)
            moved = jax.vmap(lambda tree, i: jax.tree.map(lambda a: a[i], tree))((carry, memory), ancestors)
            carry, memory, log_weight = where(now.valid, (*moved, even), (carry, memory, log_weight))
            chance = jnp.where(now.valid, chance, 0.0)
        new, (x, guess, scores) = each(one, True, True, True, True, False, False, False, False)(
            carry, memory, now.key, now.noise, now.x, now.e, now.context, now.mask
        )
        new = where(now.valid, new, (carry, memory))
        change = where(now.valid, scores[0] + scores[1] - guess.log_q, jnp.zeros(()))
        increment = jnp.where(now.valid, jax.nn.logsumexp(log_weight + change, 1), 0.0)
        log_weight = log_weight + change - increment[:, None]
        return (*new, log_weight), (x, guess, scores, increment, chance)

    (carry, memory, log_weight), out = lax.scan(step, (carry, memory, log_weight), inputs)
    return carry, memory, log_weight, *out


def given(f):
    """f of a carry -> f of its two parts."""
    return lambda own, seen, *rest: f(joined(own, seen), *rest)


def rollout(
    p: AbstractDirected,
    q: AbstractPosterior,
    batch: Batch,
    key,
    *,
    particles: int = 1,
    resampling=None,
    pathwise: bool = True,
    detach: bool = False,
    closed_form: bool = False,
    z=None,
    defer: bool = True,
) -> tuple[Trace, State]:
    """Draw z (B sequences, K particles) and score it, or only score the z that is given.

    pathwise     gradients pass through z; else z is held fixed
    detach       q sees p and its carry without gradient, and in the KL p sees q so
    closed_form  compute KL(q_t || prior_t) exactly where the pair of types allows it
    z            (T, B, K, ...) latents to score instead of drawing; x must be whole, nothing resamples
    defer        False scores within the scan even where it could wait: the reference for tests

    Goes on from the batch's state, whose time keys the noise, so chunks with one key equal the whole. Returns the trace
    (T, B, K) and the state after the last valid step; but memories, which depend on x alone, run over padding too, so
    go on from sequences of different lengths by marking their ends as missing. With resampling, trace.z at step t holds
    the particles of that step; only the state knows lineages.
    """
    count, length = batch.valid.shape
    state = initial_state(p, q, count, particles) if batch.state is None else batch.state
    apart = differs(p, state)  # an earlier chunk had gaps: its particles saw different x
    gaps = batch.observed is not None or apart
    if z is not None and (gaps or resampling is not None):
        raise ValueError("where z is given, x must be whole and nothing may resample")
    mask = mask_of(batch)
    x = jax.tree.map(lambda m, a: jnp.where(m, a, jnp.zeros((), a.dtype)), mask, batch.x)
    memory, e = jax.vmap(p.embed)(first(state.memory) if apart else state.memory, x)
    hide = stop if detach else lambda tree: tree
    recognition, context = jax.vmap(lambda *a: q.encode(hide(p), *a))(state.recognition, x, hide(e), mask)
    keys = jax.vmap(lambda t: random.split(random.fold_in(key, t), (count, particles)))(state.time + jnp.arange(length))
    # made before the scan, where all of it is one call
    law = first_proposal(p, q).distribution
    noise = jax.vmap(jax.vmap(jax.vmap(lambda key: law.noise(random.fold_in(key, 1)))))(keys)
    inputs = Inputs(*swap((x, e, context, mask, batch.valid)), keys, noise)  # pyright: ignore[reportCallIssue]
    voices = Voices(p, q, gaps, pathwise, detach, closed_form)

    if resampling is not None or gaps or not defer:
        own = state.memory if apart else spread(state.memory, particles) if gaps else None
        carry, own, log_weight, filled, guess, scores, increment, chance = within(
            voices, state.carry, own, state.log_weight, inputs, resampling
        )
        memory, seen_x = (own, filled) if gaps else (memory, inputs.x)
    else:
        if z is None and not pathwise:  # sample, then score: only `advance` is differentiated in the scan
            z = draw(*stop((voices, state.carry, inputs)))[2].z
        seen = seen_before(p, state.carry, inputs.e)
        if z is None:
            carry, own, guess = draw(voices, state.carry, inputs)
        else:
            carry, own = follow(voices, state.carry, inputs, z)
            guess = jax.vmap(each(given(voices.infer), True, False, True, True, False, False, False, True))(
                own, seen, inputs.key, inputs.noise, inputs.x, inputs.context, inputs.mask, z
            )
        scores = jax.vmap(each(given(voices.score), True, False, True, False, False))(
            own, seen, guess, inputs.x, inputs.mask
        )
        change = jnp.where(inputs.valid[..., None], scores[0] + scores[1] - guess.log_q, 0.0)
        log_weight = state.log_weight[None] + jnp.cumsum(change, 0)
        total = jax.nn.logsumexp(log_weight, 2)
        increment = jnp.diff(total, axis=0, prepend=jnp.zeros((1, count)))
        log_weight, chance, seen_x = log_weight[-1] - total[-1][:, None], jnp.zeros_like(increment), inputs.x

    def counted(a):
        return jnp.where(inputs.valid.reshape(length, count, *(1,) * (a.ndim - 2)), a, 0.0)

    log_prior, log_likelihood, log_q, kl, steps = map(counted, (*scores[:2], guess.log_q, scores[2], guess.steps))
    trace = Trace(seen_x, guess.z, log_prior, log_likelihood, log_q, kl, increment, chance, steps, inputs.valid)
    return trace, State(memory, recognition, carry, log_weight, state.time + length)


def differs(p, state: State) -> bool:
    """Whether the particles of a state carry memories of their own."""
    pairs = zip(jax.tree.leaves(state.memory), jax.tree.leaves(p.memory()))
    return any(jnp.ndim(a) == jnp.ndim(b) + 2 for a, b in pairs)


def first(memory):
    """The first particle's."""
    return jax.tree.map(lambda a: a[:, 0], memory)


def spread(memory, particles: int):
    """(B, ...) -> (B, K, ...)."""
    return jax.tree.map(lambda a: jnp.repeat(a[:, None], particles, 1), memory)


def first_proposal(p: AbstractDirected, q: AbstractPosterior) -> Proposal:
    """The shapes of q's first proposal for a frame like those that p generates."""

    def one(p, q):
        x = jax.tree.map(lambda a: jnp.zeros((1, *a.shape), a.dtype), shapes(observation(p)))
        _, e = p.embed(p.memory(), x)
        mask = jax.tree.map(lambda a: jnp.ones(a.shape, bool), x)
        _, context = q.encode(p, q.memory(), x, e, mask)
        frame, context = jax.tree.map(lambda a: a[0], (x, context))
        return q.propose(p, p.initial(), context, frame, random.key(0))

    return eqx.filter_eval_shape(one, p, q)
