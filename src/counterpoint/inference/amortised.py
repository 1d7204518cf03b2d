"""What amortised posteriors share: from what was gathered of x, and p's past, to a guess of z_t."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractDirected, AbstractDistribution
from counterpoint.distributions.location import gaussian, moved
from counterpoint.errors import CounterpointError
from counterpoint.networks import ACTIVATIONS, Linear, Maps, mlp
from counterpoint.shapes import latent, observation, shapes


class Guess(eqx.Module):
    """The member of the family of p's prior that phi(context_t + W carry_t-1) determines; it reads all numbers in p's
    carry, feature maps excepted. Several latent layers are guessed independently of each other.

    past: False leaves the carry out, so that z_t is guessed from x alone.
    residual: the mean is that of the prior plus what phi says (Fraccaro et al. 2016, sec. 3.2, Res_q), so that q knows
    the prior's mean from the start and learns how x_t moves it.
    """

    from_carry: Linear | None
    rest: eqx.nn.Sequential
    activation: str = eqx.field(static=True)
    residual: bool = eqx.field(static=True)

    def __init__(self, p: AbstractDirected, config, past: bool = True, size: int | None = None, *, keys):
        """config has `width`, `depth`, `activation` and `residual`; size: of what `raw` gives, if not of all of z."""
        carry = eqx.filter_eval_shape(lambda p: p.initial(), p)
        inputs = sum(a.size for a in numbers(carry))
        size = latent(p).size if size is None else size
        self.activation, self.residual = config.activation, config.residual
        self.check(p)
        self.from_carry = Linear(inputs, config.width, use_bias=False, key=keys[0]) if past and inputs else None
        sizes = (*(config.width,) * config.depth, size)
        self.rest = mlp(sizes, key=keys[1], activation=ACTIVATIONS[config.activation], bias=jnp.zeros(size))

    def check(self, p: AbstractDirected) -> None:
        """Raise CounterpointError where a residual has no mean to start from."""
        law = latent(p)
        if self.residual and not gaussian(law):
            raise CounterpointError(
                f"a residual moves the prior's mean, and z of {type(p).__name__} is {type(law).__name__}, which is no"
                " Gaussian: choose residual = False"
            )

    def __call__(self, p: AbstractDirected, carry, context: Float[Array, " width"]) -> AbstractDistribution:
        raw = self.raw(carry, context)
        if self.residual:
            prior = p.prior(carry)
            return moved(prior.like(raw), prior.mean)
        return eqx.filter_eval_shape(p.prior, carry).like(raw)

    def raw(self, carry, context: Float[Array, " width"]) -> Float[Array, " size"]:
        """phi(context_t + W carry_t-1)."""
        if self.from_carry is not None:
            context = context + self.from_carry(jnp.concatenate([jnp.ravel(a) for a in numbers(carry)]))
        return self.rest(ACTIVATIONS[self.activation](context))


def numbers(carry) -> list:
    """The arrays of a carry that a network can read as one vector."""
    leaves = jax.tree.leaves(carry, is_leaf=lambda a: isinstance(a, Maps))
    return [a for a in leaves if not isinstance(a, Maps)]


def embedded(p: AbstractDirected, e, x) -> Float[Array, "T F"]:
    """What p offers of every frame."""
    return jax.vmap(p.features)(x, e)


def features(p: AbstractDirected) -> int:
    """How many numbers that are."""
    x = jax.tree.map(lambda a: jnp.zeros((1, *a.shape), a.dtype), shapes(observation(p)))
    return eqx.filter_eval_shape(lambda p: embedded(p, p.embed(p.memory(), x)[1], x), p).shape[1]


def seen_at(mask):
    """Whether anything was observed at each step, (T,)."""
    return jnp.stack([m.reshape(len(m), -1).any(1) for m in jax.tree.leaves(mask)]).any(0)
