"""A posterior optimised for each observation by itself, from where another one starts it."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import optax
from jax import lax, random

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import divergence
from counterpoint.distributions.raw import raw
from counterpoint.errors import CounterpointError, at_least
from counterpoint.rollout import stop
from counterpoint.shapes import latent


@dataclass(frozen=True)
class OptimisedConfig:
    """Steps of Adam on the parameters of each z_t, whose rate falls to zero along a cosine.

    start    the posterior that they begin at, by name, with its usual settings
    samples  of z per step
    """

    name: ClassVar[str] = "optimised"
    start: str = "prior"
    steps: int = 50
    samples: int = 8
    rate: float = 0.1

    def __post_init__(self):
        at_least(self, 1, "steps")
        at_least(self, 2, "samples")
        at_least(self, 0, "rate")
        if self.start == self.name:
            raise CounterpointError("optimised starts at another posterior; choose start = prior or filtering")

    def build(self, p: AbstractDirected, facts, key) -> "Optimised":
        from counterpoint.registry import part

        check(p)
        start = part("q", self.start)().build(p, facts, key)
        return Optimised(start, self.steps, self.samples, self.rate)  # pyright: ignore


class Optimised(AbstractPosterior):
    """q(z_t; lambda_t) = argmax_lambda E_q[log p(x_t | z_<=t, x_<t)] - KL(q(z_t; lambda) || p(z_t | z_<t, x_<t)),
    z_<t held,   from lambda_t = that of `start`

    within the family of start's distribution, its layers independent (Marino et al. 2018, appendix, eq. 10-12; Cremer,
    Li and Duvenaud 2018): what an amortised q would say without the cost of being one function of x. `Optimised(q)` of
    a trained network q measures that cost (the amortisation gap); it may be trained as well, and then start's weights
    get the gradient at the optimum as though the way there were fixed (compare Kim et al. 2018). For one step it is the
    best q; of a sequence, as `Iterative` is, the best for each step by itself.

    Gradients are pathwise where z has them, else of the score function with the other samples' mean for a baseline; the
    KL is in closed form where there is one. Works with any directed p whose z are Bernoulli, categorical or
    Gaussian.
    """

    start: AbstractPosterior
    steps: int = eqx.field(static=True, default=50)
    samples: int = eqx.field(static=True, default=8)
    rate: float = eqx.field(static=True, default=0.1)
    fills_gaps: ClassVar[bool] = False

    @property
    def sees_future(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.start.sees_future

    def check(self, p):
        check(p)
        self.start.check(p)

    def memory(self):
        return self.start.memory()

    def encode(self, p, memory, x, e, mask):
        memory, context = self.start.encode(p, memory, x, e, mask)
        return memory, (context, mask)

    def propose(self, p, carry, context, x, key):
        context, mask = context
        of_start, key = random.split(key)
        law = self.start.propose(p, carry, context, x, of_start).distribution
        begin, rule = raw(law), optax.adam(optax.cosine_decay_schedule(self.rate, self.steps))
        p, carry, law, own = stop((p, carry, law, begin))
        prior = p.prior(carry)

        def loss(now, key):
            q = law.like(now)
            z = jax.vmap(q.sample)(random.split(key, self.samples))
            kl, z = divergence(q, prior), z if q.pathwise else stop(z)
            gain = jax.vmap(lambda z: p.likelihood(carry, z).log_prob(x, mask))(z)
            log_q = jax.vmap(q.log_prob)(z)
            if kl is None:
                gain = gain + jax.vmap(prior.log_prob)(z) - log_q
            if not q.pathwise:  # the value has a gradient of its own where it holds log q, of mean zero: left out
                gain = lax.stop_gradient(gain - gain.mean()) * log_q * self.samples / (self.samples - 1)
            return (0.0 if kl is None else kl) - gain.mean()

        def step(loop, key):
            now, state = loop
            change, state = rule.update(jax.grad(loss)(now, key), state)
            return (optax.apply_updates(now, change), state), None

        (best, _), _ = lax.scan(step, (own, rule.init(own)), random.split(key, self.steps))
        return direct(law.like(begin + lax.stop_gradient(best - own)))


def check(p: AbstractDirected) -> None:
    """Raise CounterpointError where z of p has no parameters that could be optimised."""
    try:
        eqx.filter_eval_shape(raw, latent(p))
    except CounterpointError as reason:
        raise CounterpointError(f"optimised has nothing to optimise in z of {type(p).__name__}: {reason}") from None
