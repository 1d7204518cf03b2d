"""One IWAE update (Burda et al. 2015: one layer, k = 50, batch 20) against PyTorch eager, and against its products.

    pip install torch
    python benchmarks/iwae_update.py [--particles 50] [--batch 20] [--rounds 30]

784-200-200-50-200-200-784, tanh; both sides draw z from q, take the pathwise gradient of the bound and make an Adam
step, on the same weights. Before anything is timed both score the same noise, and bounds and gradients must agree.
Rounds alternate between the sides; the ratio is that of medians. The floor is the time of this update's matrix products
alone, each in the shape it has here, in XLA: all at once, and each after the one whose result it needs.
"""

import argparse
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from jax import random
from timing import Learning, medians

from counterpoint.bounds import IWAE
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.distributions.gaussian import UNIT
from counterpoint.estimators import Pathwise
from counterpoint.inference import FilteringConfig
from counterpoint.models import VAEConfig
from counterpoint.networks import Linear
from counterpoint.rollout import rollout

PIXELS, WIDTH, LATENT, RATE = 784, 200, 50, 1e-3
SIZES = (PIXELS, WIDTH, WIDTH, 2 * LATENT)  # of q's network
BACK = (LATENT, WIDTH, WIDTH, PIXELS)  # of p's


def ours(images: np.ndarray, particles: int):
    """(weights, state, update, check): update(weights, state, call) is compiled and takes its arguments over."""
    known = facts(tuple(images[:, None]), "binary")
    p = VAEConfig().build(known, random.key(0))
    q = FilteringConfig(width=WIDTH, depth=2, activation="tanh").build(p, known, random.key(1))
    estimator, bound = Pathwise(), IWAE(particles)
    batch, rule = Batch(jnp.asarray(images[:, None]), jnp.ones((len(images), 1), bool)), optax.adam(RATE)
    weights, static = eqx.partition((p, q), eqx.is_inexact_array)

    def loss(weights, key):
        p, q = eqx.combine(weights, static)
        return estimator(p, q, bound, batch, key, (), 0)[0].surrogate

    def update(weights, state, call):
        change, state = rule.update(jax.grad(loss)(weights, random.key(call)), state)
        return optax.apply_updates(weights, change), state

    def check(weights, key):
        """z (B, K, latent), the loss in nats, and its gradient."""
        p, q = eqx.combine(weights, static)
        trace, _ = rollout(p, q, batch, key, particles=particles)
        return trace.z[0], *jax.value_and_grad(loss)(weights, key)

    return weights, rule.init(weights), jax.jit(update, donate_argnums=(0, 1)), jax.jit(check)


def linears(weights) -> list:
    """All layers, in the order of the data: q's, then p's."""
    p, q = weights
    layers = [q.from_x, *q.guess.rest.layers, *p.networks[0].layers]
    return [layer for layer in layers if isinstance(layer, Linear)]


class Torch:
    """The same arithmetic, eager."""

    def __init__(self, weights, images: np.ndarray, particles: int):
        tensor = lambda a: torch.tensor(np.array(a), requires_grad=True)
        self.layers = [(tensor(layer.weight), tensor(layer.bias)) for layer in linears(weights)]
        self.x, self.particles = torch.tensor(images), particles
        self.adam = torch.optim.Adam([a for pair in self.layers for a in pair], lr=RATE)

    def net(self, layers, a):
        for weight, bias in layers[:-1]:
            a = torch.tanh(torch.nn.functional.linear(a, weight, bias))
        return torch.nn.functional.linear(a, *layers[-1])

    def moments(self):
        loc, scale = self.net(self.layers[:3], self.x)[:, None].chunk(2, -1)
        return loc, torch.nn.functional.softplus(scale + UNIT) + 1e-4

    def surrogate(self, noise):
        """Minus the bound of z = loc + scale noise, noise (B, K, latent), mean over images."""
        loc, scale = self.moments()
        z = loc + scale * noise
        logits = self.net(self.layers[3:], z)
        seen = (self.x[:, None] * logits - torch.nn.functional.softplus(logits)).sum(-1)
        # the same constant in both densities
        weight = seen + (0.5 * noise**2 + torch.log(scale) - 0.5 * z**2).sum(-1)
        return -(torch.logsumexp(weight, 1) - np.log(self.particles)).mean()

    def update(self):
        self.adam.zero_grad(set_to_none=True)
        self.surrogate(torch.randn(len(self.x), self.particles, LATENT)).backward()
        self.adam.step()


def agree(weights, check, other: Torch) -> float:
    """The largest relative difference of a gradient; both sides score the noise that ours drew."""
    z, loss, grads = check(weights, random.key(5))
    with torch.no_grad():
        loc, scale = other.moments()
        noise = (torch.tensor(np.array(z)) - loc) / scale
    theirs = other.surrogate(noise)
    theirs.backward()
    assert abs(theirs.item() - float(loss)) < 1e-4 * abs(float(loss)), (theirs.item(), float(loss))
    worst = 0.0
    for (weight, bias), layer in zip(other.layers, linears(grads)):
        for found, want in ((weight, layer.weight), (bias, layer.bias)):
            want = np.asarray(want)
            worst = max(worst, float(np.abs(found.grad.numpy() - want).max() / np.abs(want).max()))
    assert worst < 1e-3, worst
    return worst


def floors(batch: int, particles: int):
    """Compiled functions of this update's products, forward, the gradient of each weight, and back to each input but
    the images: all at once, since none needs another, and each after the one that it needs in an update."""
    sizes = [(batch, *pair) for pair in itertools.pairwise(SIZES)]
    sizes += [(batch * particles, *pair) for pair in itertools.pairwise(BACK)]
    weights = [random.normal(random.key(1), pair) / pair[0] ** 0.5 for _, *pair in sizes]
    inputs = [random.normal(random.key(0), (rows, n)) for rows, n, _ in sizes]
    backs = [random.normal(random.key(2), (rows, m)) for rows, _, m in sizes]

    def at_once(inputs, weights, backs):
        found = [(a @ weight, a.T @ back) for a, weight, back in zip(inputs, weights, backs)]
        return found, [back @ weight.T for weight, back in zip(weights[1:], backs[1:])]

    def in_turn(inputs, weights, backs):
        a, read = inputs[0], []
        for given, weight in zip(inputs, weights):
            # each image is read by its particles; of what q says the first half
            a = a if a.shape == given.shape else jnp.repeat(a[:, : given.shape[1]], particles, 0)
            read.append(a)
            a = a @ weight
        back, found = a, []
        for i in range(len(weights))[::-1]:
            found.append(read[i].T @ back)
            if i == 0:
                return found
            back = back @ weights[i].T
            if back.shape != backs[i - 1].shape:
                back = jnp.tile(back.reshape(batch, particles, -1).sum(1), (1, 2))

    given = inputs, weights, backs
    return [lambda f=f: jax.block_until_ready(f(*given)) for f in (jax.jit(at_once), jax.jit(in_turn))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--particles", type=int, default=50)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    images = (np.random.default_rng(0).random((options.batch, PIXELS)) < 0.15).astype(np.float32)
    weights, state, update, check = ours(images, options.particles)
    other = Torch(weights, images, options.particles)
    worst = agree(weights, check, other)
    least, turn = floors(options.batch, options.particles)
    sides = {"ours": Learning(update, weights, state), "torch": other.update, "at once": least, "in turn": turn}
    mine, theirs, once, turn = medians(sides, options.rounds).values()
    print("| counterpoint, ms | PyTorch eager, ms | ratio | products at once, ms | share | in turn, ms | share |")
    print("|---|---|---|---|---|---|---|")
    row = f"{mine:.1f}", f"{theirs:.1f}", f"{theirs / mine:.2f}", f"{once:.1f}", f"{once / mine:.0%}", f"{turn:.1f}"
    print(f"| {' | '.join(row)} | {turn / mine:.0%} |")
    print(f"\nGradients of both sides differ by {worst:.0e} at most, as a share of the largest of their array.")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; JAX {jax.__version__}; float32")


if __name__ == "__main__":
    main()
