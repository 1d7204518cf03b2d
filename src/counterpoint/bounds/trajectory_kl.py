"""The divergence between two chains that run against each other."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Bool, Float, PyTree

from counterpoint.core import AbstractBound, AbstractModel, AbstractUndirected, Batch, Trace
from counterpoint.errors import CounterpointError
from counterpoint.numerics import log_mean
from counterpoint.rollout import swap
from counterpoint.walk import Path, log_forward, walk, whole

PAIRED = 64  # ends that meet all laws at once


class TrajectoryKL(AbstractBound):
    """-KL(q(tau) || p(tau)) - H(D) = E_q[ log p(tau) - log q(tau | x_0) ]
                                 = E_q[ F(x_k) - F(x_0) + log p(x_k) ],   p(x_k) = q_k(x_k)
    (Bachman and Precup 2015, eq. 24-40)

    q runs the Gibbs chain k sweeps from the data x_0 ~ D; p runs the same moves the other way, from x_k. All but the
    ends cancels (eq. 37). With p(x_k) the distribution q_k of q's own ends (eq. 32), KL(q || p) =
    KL(D || p_rbm) - KL(q_k || p_rbm), Hinton's contrastive divergence: so this exceeds E_D[log p_rbm(x)] by KL(q_k ||
    p_rbm), which shrinks as k grows. It bounds log p(x_0) of the directed model that draws x_k ~ q_k and then runs the
    chain; for that of the RBM itself see `log_partition`.

    nats, summed over frames. q_k(x_k) = E[p(x_k | z_k-1)] is estimated from the other chains of the batch, so what is
    reported is on average below the exact value (Jensen), by much for small batches of wide frames: to stop early or to
    compare, take large ones, or none. A frame that is alone in its batch has itself only. Frames must be whole.
    """

    name: ClassVar[str] = "trajectory_kl"
    particles: ClassVar[int] = 1  # pyright: ignore[reportIncompatibleMethodOverride]
    closed_form: ClassVar[bool] = False
    splits: ClassVar[bool] = True
    chain: ClassVar[bool] = True
    weighs_paths: ClassVar[bool] = True

    def check(self, p):
        need_energy(self.name, p)
        if jax.tree.leaves(p.initial()):
            raise CounterpointError(
                f"trajectory_kl: {type(p).__name__} carries a past, and the distribution q_k of chains given one"
                " past is not that of a batch: choose bound = annealed, or p = rbm"
            )

    def side(self, p):
        """What is estimated is above log p_rbm, the estimate below that."""
        return "neither"

    def run(self, p, q, batch: Batch, key, defer=True):
        """A trace whose z_t is (z_0 .. z_k-1, x_1 .. x_k). Nothing is differentiated: tau is held."""
        x = whole(batch, self.name)
        keys = random.split(key, batch.valid.shape)
        each = lambda f: jax.vmap(jax.vmap(f))
        path = each(lambda x, key: walk(p, q, p.initial(), x, key, q.sweeps))(x, keys)
        forward = each(lambda path, key: log_forward(p, q, p.initial(), path, key))(path, keys)
        energy = each(lambda x: p.free_energy(p.initial(), x))
        at = lambda tree, i: jax.tree.map(lambda a: a[:, :, i], tree)
        start = each(lambda x, z: p.likelihood(p.initial(), z).log_prob(x))(x, at(path.z, 0))
        last = at(path.x, -1)
        backward = forward + energy(last) - energy(x)  # eq. 37
        log_prior = backward - start + log_ends(p, last, at(path.z, -1), batch.valid)
        return traced(x, path, log_prior, start, forward, batch.valid)

    def __call__(self, trace: Trace, step=None):
        return trace.log_weight.sum(0).mean(-1)

    def signal(self, trace: Trace, step, local):
        return trace.log_weight


def need_energy(name: str, p: AbstractModel) -> None:
    """Raise CounterpointError, in the name of a part, for a p that has no free energy."""
    if not isinstance(p, AbstractUndirected):
        raise CounterpointError(
            f"{name} compares free energies F(x), and {type(p).__name__} has none: choose p = rbm, or for p = dae"
            " bound = denoising and estimator = walkback"
        )


def traced(x, path: Path, log_prior, log_likelihood, log_q, valid: Bool[Array, "B T"]) -> Trace:
    """The trace of paths (B, T) from x and their scores, each (B, T), or (B, T, K)."""
    later = jax.tree.map(lambda a: a[:, :, 1:], path.x)
    z = jax.tree.map(lambda a: a[:, :, None], swap((path.z, later)))
    counted = lambda a: swap(jnp.where(valid[..., None], a.reshape(*valid.shape, -1), 0.0))
    log_prior, log_likelihood, log_q = map(counted, (log_prior, log_likelihood, log_q))
    weight = log_mean(log_prior + log_likelihood - log_q)
    none = jnp.zeros((*log_q.shape, 0, 2))
    kl = log_q - log_prior
    return Trace(swap(x), z, log_prior, log_likelihood, log_q, kl, weight, jnp.zeros_like(weight), none, valid.T)


def log_ends(p: AbstractModel, x: PyTree, z: PyTree, valid: Bool[Array, "B T"]) -> Float[Array, "B T"]:
    """log q_k(x_k) = log E[p(x_k | z_k-1)], the mean over all other chains (B, T, ...) that are valid."""
    flat = lambda tree: jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), tree)
    (x, z), counts = flat((x, z)), valid.ravel()
    laws = jax.vmap(lambda z: p.likelihood(p.initial(), z))(z)
    return log_mixture(laws, x, counts).reshape(valid.shape)


def log_mixture(laws, values: PyTree, counts: Bool[Array, " N"], others: bool = True) -> Float[Array, " N"]:
    """log mean_j p_j(v_i), the mean over all N distributions that count, with `others` but the i-th itself, unless
    it is alone.

    laws, values: (N, ...), pytrees.
    """
    # (value, law), in parts: every pair of frames at once may be much
    each = lax.map(lambda v: jax.vmap(lambda law: law.log_prob(v))(laws), values, batch_size=PAIRED)
    alone = counts.sum() < 2
    itself = others & ~alone & jnp.eye(len(counts), dtype=bool)
    used = counts[None] & ~itself
    total = jax.nn.logsumexp(jnp.where(used, each, -jnp.inf), 1, where=used.any(1, keepdims=True))
    return total - jnp.log(jnp.maximum(used.sum(1), 1))
