"""The divergence between corrupting and reconstructing."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import random
from jaxtyping import PyTree

from counterpoint.bounds.trajectory_kl import log_mixture
from counterpoint.core import AbstractBound, AbstractModel, AbstractPosterior, AbstractUndirected, Batch, Trace
from counterpoint.errors import CounterpointError, at_least
from counterpoint.numerics import log_mean
from counterpoint.rollout import swap
from counterpoint.walk import whole


class Denoising(AbstractBound):
    """-KL(q(x, z) || p(x, z)) - H(D) = E_q[ log p(x | z) ] - I_q(x; z)  <=  E_D[ log p(x) ]
    I_q(x; z) = E_q[ log q(z | x) - log q(z) ],   p(z) = q(z) = E_D[ q(z | x) ]      (Bachman and Precup 2015, eq. 6-9)

    p(x) is that of p(x | z) under z of that distribution. The paper drops I(x; z) from the gradient for q (eq. 9 and
    20): its two terms cancel at held samples alone, and what is left is the gradient of I. It is kept here. Where the
    corruption is fixed it is a constant, and nothing to learn from.

    nats, summed over frames, averaged over `particles` corruptions of each.
    information  False: E_q[log p(x | z)] alone, what a fixed corruption leaves to learn. No bound by itself
    others       q(z) is a mean over the other frames of the batch, which makes the value on average too small (Jensen),
                 by much for small batches of wide frames. False: over all of them, exact where a batch is the whole of
                 D, else I is cut at the log of their number, and the value too high

    Frames must be whole.
    """

    name: ClassVar[str] = "denoising"
    particles: int = eqx.field(static=True, default=1)
    information: bool = eqx.field(static=True, default=True)
    others: bool = eqx.field(static=True, default=True)
    closed_form: ClassVar[bool] = False
    splits: ClassVar[bool] = True
    chain: ClassVar[bool] = True

    def __check_init__(self):
        at_least(self, 1, "particles")

    def side(self, p):
        return "below" if self.information and self.others else "neither"

    @property
    def label(self):
        """Another name where the information is left out."""
        return "DENOISING" if self.information else "RECONSTRUCTION"

    def check(self, p):
        if isinstance(p, AbstractUndirected):
            raise CounterpointError(
                f"denoising takes p(z) to be what q makes of the data, and {type(p).__name__} has a"
                " distribution of z of its own: choose bound = trajectory_kl or annealed, or p = dae"
            )

    def run(self, p, q, batch: Batch, key, defer=True):
        """A trace with `log_prior` the estimate of log q(z); without `information` it and log_q are zero. Gradients
        pass through z where its distribution lets them."""
        x, carry = whole(batch, self.name), p.initial()

        def corrupted(x, key):
            of_q, of_z = random.split(key)
            return q.propose(p, carry, x, x, of_q).distribution.sample(of_z)

        each = jax.vmap(jax.vmap(jax.vmap(corrupted, (None, 0))))
        return self.scored(p, q, x, each(x, random.split(key, (*batch.valid.shape, self.particles))), batch.valid)

    def scored(self, p: AbstractModel, q: AbstractPosterior, x: PyTree, z: PyTree, valid) -> Trace:
        """The trace of frames x (B, T, ...) and corruptions z (B, T, K, ...) of them."""
        carry, unused = p.initial(), random.key(0)  # a corruption's law is not drawn
        each = jax.vmap(jax.vmap(jax.vmap(lambda x, z: p.likelihood(carry, z).log_prob(x), (None, 0))))
        log_likelihood = each(x, z)
        log_q = log_prior = jnp.zeros_like(log_likelihood)
        if self.information:
            flat = lambda tree: jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), tree)
            laws = jax.vmap(lambda x: q.propose(p, carry, x, x, unused).distribution)(flat(x))
            own = jax.vmap(lambda law, z: jax.vmap(law.log_prob)(z))(laws, flat(z))
            mixed = jax.vmap(lambda z: log_mixture(laws, z, valid.ravel(), self.others), 1, 1)(flat(z))
            log_q, log_prior = own.reshape(log_q.shape), mixed.reshape(log_q.shape)
        counted = lambda a: swap(jnp.where(valid[..., None], a, 0.0))
        log_likelihood, log_q, log_prior = map(counted, (log_likelihood, log_q, log_prior))
        kl = log_q - log_prior
        weight = log_mean(log_likelihood - kl)
        none = jnp.zeros((*kl.shape, 0, 2))
        return Trace(
            swap(x), swap(z), log_prior, log_likelihood, log_q, kl, weight, jnp.zeros_like(weight), none, valid.T
        )

    def __call__(self, trace: Trace, step=None):
        return trace.log_weight.sum(0).mean(-1)

    def signal(self, trace: Trace, step, local):
        return trace.log_weight / trace.log_weight.shape[-1]
