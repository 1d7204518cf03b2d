"""Iterative inference: q starts at the prior and descends the free energy of its own step."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

from counterpoint import draws
from counterpoint.core import AbstractDirected, AbstractPosterior, Proposal
from counterpoint.distributions import Facts, divergence
from counterpoint.distributions.location import diagonal, gaussian, variance
from counterpoint.errors import CounterpointError, at_least
from counterpoint.inference.amortised import embedded, features
from counterpoint.inference.updates import AbstractUpdate, Descent, Gated, Moments, Rate, Refiner, normalised
from counterpoint.networks import Linear
from counterpoint.rollout import stop
from counterpoint.shapes import latent, observation, shapes

LOG_VARIANCE = (-15.0, 5.0)  # of q: beyond these a step has gone astray
UNROLLED = 8  # iterations at most in one piece: more of them compile for long


@dataclass(frozen=True)
class IterativeConfig:
    """How q is refined, how often, and on what. Sizes are those of Marino et al. (2018).

    update      "network" replaces the estimate behind gates, "rate" takes gradient steps of learned sizes, "gradient"
                such of the fixed size `step` and learns nothing
    iterations  per time step
    inputs      of the network, beside the present moments: "gradients" of the free energy by them, or "errors"
                weighted by precision
    observe     the network reads x_t, too
    samples     of z per evaluation of a free energy, in pairs at either side of the mean (of an odd number one is
                alone), so that odd terms cancel in the gradient, whose noise hinders one iteration most. 0 takes the
                2 D points mean +- sqrt(D) s_i e_i, whose average is the expectation of any quadratic: exact for
                linear-Gaussian models
    layer_norm  of each input of the network; not for one latent dimension, of which it leaves nothing
    layer_norm_mean  of q's mean after each iteration: steadier training
    """

    name: ClassVar[str] = "iterative"
    update: Literal["network", "rate", "gradient"] = "network"
    iterations: int = 1
    inputs: Literal["gradients", "errors"] = "gradients"
    observe: bool = False
    samples: int = 1
    layer_norm: bool = True
    layer_norm_mean: bool = False
    width: int = 1024
    depth: int = 2
    step: float = 0.1

    def __post_init__(self):
        at_least(self, 1, "iterations", "width", "depth")
        at_least(self, 0, "samples", "step")

    def build(self, p: AbstractDirected, facts: Facts, key) -> "Iterative":
        return Iterative(p, self, key=key)


class Iterative(AbstractPosterior):
    """lambda_0 = the prior's mean and variance,   lambda_i = f_phi(lambda_i-1, grad F_t(lambda_i-1)),   i = 1 .. n
    F_t(lambda) = -E_q[log p(x_t | z_<=t, x_<t)] + KL(q(z_t; lambda) || p(z_t | z_<t, x_<t)),   z_<t held

    (Marino, Cvitkovic and Yue 2018, Algorithm 1 and eq. 10 of its appendix): amortised variational filtering. q is
    independent Gaussians, lambda their means and log-variances, whatever p is, so long as its z are Gaussian given the
    past: one layer or several. Every evaluation of F_t draws noise of its own, or the network would learn to cancel it.
    Entries that are missing leave F_t.

    `steps` has both parts of F_t after each iteration; their gradient reaches phi through that iteration alone (the
    one before it is held), while that of `distribution` goes through all of them and, in them, through F_t's own
    gradient. Which of the two is followed, and whether p and the past are held, the estimator decides.
    """

    update: AbstractUpdate
    from_x: Linear | None
    config: IterativeConfig = eqx.field(static=True)
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def __init__(self, p: AbstractDirected, config: IterativeConfig, *, key):
        keys, self.config = random.split(key), config
        self.check(p)
        d, learned = sum(a.size for a in jax.tree.leaves(shapes(latent(p)))), config.update != "gradient"
        if d == 1 and ((config.layer_norm and learned) or config.layer_norm_mean):
            raise CounterpointError(
                f"iterative: z of {type(p).__name__} is one number, of which layer normalisation leaves nothing: choose"
                " layer_norm = False and layer_norm_mean = False"
            )
        self.from_x = None
        if not learned:
            self.update = Descent(config.step)
            return
        errors = d + sum(a.size for a in jax.tree.leaves(observation(p)))
        inputs = 2 * d + (errors if config.inputs == "errors" else 2 * d)
        refiner = Refiner(inputs, d, config.width, config.depth, config.layer_norm, key=keys[0])
        self.update = (Gated if config.update == "network" else Rate)(refiner)
        if config.observe:
            self.from_x = Linear(features(p), refiner.layers[0].size, use_bias=False, key=keys[1])

    def check(self, p):
        law = latent(p)
        if not gaussian(law):
            raise CounterpointError(
                f"iterative refines the means and variances of Gaussians; z of {type(p).__name__} is"
                f" {type(law).__name__}, which has none to refine: choose q = filtering"
            )

    def encode(self, p, memory, x, e, mask):
        return memory, (None if self.from_x is None else jax.vmap(self.from_x)(embedded(p, e, x)), mask)

    def propose(self, p, carry, context, x, key):
        (read, mask), prior = context, p.prior(carry)
        mean, event = ravel_pytree(prior.mean)
        now = Moments(mean, jnp.log(ravel_pytree(variance(prior))[0]))

        def draws(now: Moments, noise: Float[Array, "S D"]):
            """S of z_t."""
            return jax.vmap(event)(now.mean[None] + jnp.exp(0.5 * now.log_variance)[None] * noise)

        def parts(now: Moments, noise: Float[Array, "S D"]) -> Float[Array, "2"]:
            """-E log p(x_t | z) and KL, in nats."""
            q, z = diagonal(*map(event, now)), draws(now, noise)
            missed = -jax.vmap(lambda z: p.likelihood(carry, z).log_prob(x, mask))(z).mean()
            kl = divergence(q, prior)
            drawn = lambda: jax.vmap(lambda z: q.log_prob(z) - prior.log_prob(z))(z).mean()
            return jnp.stack([missed, drawn() if kl is None else kl])

        def errors(now: Moments, noise: Float[Array, "S D"]):
            """d log p(x_t | z) by the parameters of its distribution, (x - mu) / s^2 for the mean of a Gaussian, x -
            s(a) for the logit of a Bernoulli variable; and -d log p(z_t) at q's mean, (z - mu) / s^2."""
            said = lambda z: eqx.filter_grad(lambda law: law.log_prob(x, mask))(p.likelihood(carry, z))
            seen = [jnp.ravel(a.mean(0)) for a in jax.tree.leaves(jax.vmap(said)(draws(now, noise)))]
            return [*seen, -jax.grad(lambda m: prior.log_prob(event(m)))(now.mean)]

        def refined(now: Moments, gradient: Moments, other) -> Moments:
            new = self.update(now, gradient, (*other, *now), read)
            mean = normalised(new.mean) if self.config.layer_norm_mean else new.mean
            return Moments(mean, jnp.clip(new.log_variance, *LOG_VARIANCE))

        def iteration(now: Moments, noise):
            before, after = noise
            gradient = jax.grad(lambda now: parts(now, before).sum())(now)
            known = now, gradient, errors(now, before) if self.config.inputs == "errors" else gradient
            return refined(*known), parts(refined(*stop(known)), after)

        noise, count = self.noise(key, mean), self.config.iterations
        # unrolled, an iteration and the one before it share their evaluation
        now, steps = lax.scan(iteration, now, (noise[:-1], noise[1:]), unroll=min(count, UNROLLED))
        return Proposal(diagonal(*map(event, now)), steps)

    def noise(self, key, mean: Float[Array, " D"]) -> Float[Array, "evaluations S D"]:
        """Standard normal numbers for every evaluation, or the points that stand for them."""
        count, d = self.config.iterations + 1, len(mean)
        if self.config.samples:
            half = draws.normal(key, (count, -(-self.config.samples // 2), d), mean.dtype)
            return jnp.concatenate([half, -half], 1)[:, : self.config.samples]
        axes = d**0.5 * jnp.eye(d, dtype=mean.dtype)
        return jnp.broadcast_to(jnp.concatenate([axes, -axes]), (count, 2 * d, d))
