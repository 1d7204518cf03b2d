"""Small models whose answers are known by enumeration; build them inside a test, so that they take its precision."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.scipy.special import logsumexp

from counterpoint.bounds import Annealed
from counterpoint.core import AbstractDirected, AbstractPosterior, Batch, direct
from counterpoint.distributions import Categorical, Family
from counterpoint.estimators import ContrastiveDivergence
from counterpoint.inference import Gibbs, TSBNRecognition
from counterpoint.models import LDS, TSBN
from counterpoint.networks import Layer
from counterpoint.rollout import rollout, swap
from counterpoint.walk import pasts

KEY = 0
COINS = Family("bernoulli", (2,))


def mk(shape, start, scale):
    """Deterministic numbers: scale * sin(start), scale * sin(start + 1), ... in C order."""
    size = int(np.prod(shape))
    return jnp.asarray(scale * np.sin(np.arange(start, start + size)).reshape(shape))


FRAMES = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
LATENTS = np.array(list(itertools.product([0.0, 1.0], repeat=6))).reshape(64, 3, 2)  # (paths, T, units)


def tsbn(order=1, memory=True, family=COINS, more=None):
    """A TSBN with 2 units, 2 visibles and its recognition model; matrices of lag 2 are half those of lag 1.
    Without memory of x (W3 = W4 = 0) it is the HMSBN. `more` (now, below, bias) are the likelihood's other numbers."""
    lags = lambda start, scale: jnp.stack([0.5**i * mk((2, 2), start, scale) for i in range(order)])
    kept = 1.0 if memory else 0.0
    visible = (mk((2, 2), 5, 1.2), kept * lags(13, 1.2), mk(2, 19, 0.4))
    if more is not None:
        visible = tuple(jnp.concatenate(pair, -2 if pair[0].ndim > 1 else -1) for pair in zip(visible, more))
    now, below, bias = visible
    hidden = Layer(None, lags(1, 1.2), kept * lags(9, 1.2), mk(2, 17, 0.4))
    p = TSBN((hidden,), Layer(now, None, below, bias), family)
    guess = Layer(mk((2, 2), 25, 0.9), lags(21, 0.9), lags(29, 0.9), mk(2, 33, 0.3))
    return p, TSBNRecognition((guess,))


def lds():
    """The scalar LDS z_1 ~ N(0, 1), z_t = .9 z + N(0, .5), x = z + N(0, .8)."""
    one = lambda value: np.full((1, 1), value)
    return LDS.of(one(0.9), one(0.5), one(1.0), one(0.8), np.zeros(1), one(1.0))


LDS_FRAMES = np.array([0.5, -0.3, 1.2, 0.7])[:, None]


def whole(x, rows=1):
    """A batch of `rows` copies of one sequence without gaps."""
    x = jnp.asarray(x)
    return Batch(jnp.broadcast_to(x, (rows, *x.shape)), jnp.ones((rows, len(x)), bool))


def score_paths(p, q, x, paths):
    """The trace of one sequence with every path (N, T, ...) as a particle."""
    z = jnp.moveaxis(jnp.asarray(paths), 0, 1)[:, None]
    return rollout(p, q, whole(x), random.key(KEY), particles=len(paths), pathwise=False, z=z)[0]


def log_marginal(trace):
    """log sum over paths of p(x, z)."""
    return logsumexp((trace.log_prior + trace.log_likelihood).sum(0)[0])


def expected_elbo(trace):
    """sum over paths of q(z) (log p(x, z) - log q(z))."""
    return (jnp.exp(trace.log_q.sum(0)) * trace.log_weight.sum(0)).sum()


@eqx.filter_jit
def sigma_paths(p, q, x):
    """All 2^T paths z_t = m_t +- s_t through a scalar Gaussian q: equally weighted, they integrate quadratics
    exactly, as free energies of linear-Gaussian models are. (2^T, T, 1)"""
    mask = jnp.ones(x.shape, bool)
    context = q.encode(p, q.memory(), x, x, mask)[1]
    paths = [((), p.initial())]
    for t in range(len(x)):
        now = context[t] if isinstance(context, jax.Array) else tuple(a[t] for a in context)
        grown = []
        for path, carry in paths:
            law = q.propose(p, carry, now, x[t], random.key(KEY)).distribution
            for sign in (-1.0, 1.0):
                z = law.loc + sign * law.cholesky[0]
                grown.append(((*path, z), p.advance(carry, z, x[t])))
        paths = grown
    return jnp.stack([jnp.stack(path) for path, _ in paths])


class Table(AbstractDirected):
    """One step, three values of z, two of x, all by table."""

    log_prior: jax.Array  # (3,)
    log_likelihood: jax.Array  # (3, 2)

    def initial(self):
        return jnp.zeros(())

    def advance(self, carry, z, e):
        return carry

    def prior(self, carry):
        return Categorical(self.log_prior)

    def likelihood(self, carry, z):
        return Categorical(self.log_likelihood[z])


class Guess(AbstractPosterior):
    """q by table: z does not look at the past. logits (values of x, values of z)."""

    logits: jax.Array
    sees_future = False
    fills_gaps = False

    def propose(self, p, carry, context, x, key):
        return direct(Categorical(self.logits[x]))


def table():
    """p(z) = (.5, .3, .2), p(x = 0 | z) = (.9, .2, .05), q(z | x = 0) = (.2, .3, .5)."""
    seen = np.array([0.9, 0.2, 0.05])
    p = Table(jnp.log(np.array([0.5, 0.3, 0.2])), jnp.log(np.stack([seen, 1 - seen], 1)))
    return p, Guess(jnp.log(np.array([[0.2, 0.3, 0.5], [0.4, 0.3, 0.3]])))


def tuples(values, particles):
    """Every way for `particles` particles to take `values` values: (values^K, K)."""
    return np.array(list(itertools.product(range(values), repeat=particles)), np.int32)


def loss_from_the_exact_law(p, sequence, ends):
    """What contrastive divergence minimises of one sequence (T, M) where its chains end in `ends` (N, M), a grid, each
    weighed by its density given the past."""
    ends, batch = jnp.broadcast_to(jnp.asarray(ends), (len(sequence), *ends.shape)), whole(sequence, len(ends))
    before = swap(pasts(p, Gibbs(), batch, random.key(0))[0])
    trace = Annealed().run(p, Gibbs(), batch, random.key(0))
    z, later = trace.z
    trace = trace._replace(z=(z, later.at[:, :, 0, -1].set(ends)))
    each = ContrastiveDivergence(None).loss(p, Gibbs(), before, trace, jnp.zeros(ends.shape[:2]))
    law = jax.nn.softmax(-jax.vmap(jax.vmap(p.free_energy))(before, ends), 1)
    return (each * jax.lax.stop_gradient(law)).sum()
