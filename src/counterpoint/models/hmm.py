"""The hidden Markov model."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected
from counterpoint.distributions import Categorical, Facts, Family
from counterpoint.errors import at_least


@dataclass(frozen=True)
class HMMConfig:
    """`states` hidden states; emissions start near the training marginal, told apart by noise of size `spread`."""

    name: ClassVar[str] = "hmm"
    states: int = 16
    spread: float = 0.5

    def __post_init__(self):
        at_least(self, 1, "states")
        at_least(self, 0, "spread")

    def build(self, facts: Facts, key) -> "HMM":
        a, b = random.split(key)
        emission = jnp.asarray(facts.marginal)[None] + self.spread * random.normal(a, (self.states, facts.family.size))
        transition = 0.1 * random.normal(b, (self.states, self.states)) + jnp.eye(self.states)
        return HMM(jnp.zeros(self.states), transition, emission, facts.family)


class HMM(AbstractDirected):
    """p(z_1) = softmax(a), p(z_t | z_t-1 = i) = softmax(A_i), p(x_t | z_t = i) = family(B_i)     (Rabiner 1989)

    start (N,) and transition (N, N) are logits; emission (N, R) holds each state's parameters of the likelihood.
    z is an index. Its q is `ForwardBackward`.

    Expectation maximisation, of Bernoulli, categorical and diagonal Gaussian likelihoods, has floors: rates stay 1e-6
    from 0 and 1, and the scale of a Gaussian entry at least a hundredth of that entry's scale over all frames; the
    chances to begin in a state and to move to one stay above 1e-15. What is impossible, a logit of -inf, stays so.
    """

    start: Float[Array, " N"]
    transition: Float[Array, "N N"]
    emission: Float[Array, "N R"]
    family: Family = eqx.field(static=True)

    def features(self, x, e):
        return self.family.flatten(x)

    def initial(self):
        return self.start

    def advance(self, carry, z, e):
        return self.transition[z]

    def prior(self, carry):
        return Categorical(carry)

    def likelihood(self, carry, z):
        return self.family(self.emission[z])
