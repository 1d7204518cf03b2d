"""One VRNN update (x 88, z 64, GRU of 200, T = 100, B = 16) against PyTorch eager.

    pip install torch
    python benchmarks/vrnn_update.py [--batch 16] [--rounds 30]

Both sides take products with x before the loop over t, draw z in it, score all t at once after it, take the pathwise
gradient of the ELBO with its KL in closed form, and make an Adam step, on the same weights. Before anything is timed,
both draw z with the same noise, and their bounds and gradients must agree. Rounds alternate between the sides; the
ratio is that of medians.
"""

import argparse

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from jax import random
from timing import Learning, medians
from torch.nn.functional import relu, softplus

from counterpoint import draws
from counterpoint.bounds import ELBO
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.distributions.gaussian import UNIT
from counterpoint.estimators import Pathwise
from counterpoint.inference import FilteringConfig
from counterpoint.models import VRNNConfig
from counterpoint.shapes import latent

NOTES, LATENT, HIDDEN, STEPS, RATE = 88, 64, 200, 100, 1e-3


def ours(frames: np.ndarray):
    """weights, state, compiled update(weights, state, key), which takes over its arguments, and check(weights, key)."""
    known = facts(tuple(frames), "binary")
    config = VRNNConfig(latent=LATENT, hidden=HIDDEN, width=HIDDEN, cell="gru")
    p = config.build(known, random.key(0))
    q = FilteringConfig(width=HIDDEN).build(p, known, random.key(1))
    batch, rule = Batch(jnp.asarray(frames), jnp.ones(frames.shape[:2], bool)), optax.adam(RATE)
    weights, static = eqx.partition((p, q), eqx.is_inexact_array)

    def loss(weights, key):
        p, q = eqx.combine(weights, static)
        estimate, _ = Pathwise()(p, q, ELBO(), batch, key, (), 0)
        return estimate.surrogate, estimate.value

    def update(weights, state, call):
        change, state = rule.update(jax.grad(loss, has_aux=True)(weights, random.key(call))[0], state)
        return optax.apply_updates(weights, change), state

    def check(weights, key):
        """The noise (T, B, LATENT) that z is drawn with, the bound in nats per step, and the gradient of minus it."""
        grads, value = jax.grad(loss, has_aux=True)(weights, key)
        return noise(latent(p), key, len(frames))[:, :, 0], value, grads

    return weights, rule.init(weights), jax.jit(update, donate_argnums=(0, 1)), jax.jit(check)


def noise(law, key, count: int):
    """What a rollout draws z with: (T, B, 1, ...)."""
    keys = jax.vmap(lambda t: random.split(random.fold_in(key, t), (count, 1)))(jnp.arange(STEPS))
    each = lambda key: draws.normal(random.fold_in(key, 1), law.loc.shape, law.loc.dtype)
    return jax.vmap(jax.vmap(jax.vmap(each)))(keys)


class Torch:
    """The same arithmetic, eager."""

    def __init__(self, weights, frames: np.ndarray):
        p, q = weights
        self.layers = {name: pair(layer) for name, layer in layers(p, q).items()}
        self.x = torch.tensor(frames).transpose(0, 1).contiguous()  # (T, B, 88)
        parameters = [a for layer in self.layers.values() for a in layer if a is not None]
        self.adam = torch.optim.Adam(parameters, lr=RATE)

    def linear(self, name: str, a):
        return torch.nn.functional.linear(a, *self.layers[name])

    def normal(self, name: str, a):
        mean, raw = self.linear(name, a).chunk(2, -1)
        return mean, softplus(raw + UNIT) + 1e-4

    def surrogate(self, drawn):
        seen = relu(self.linear("read_x", self.x))
        gates, reads = self.linear("gates_x", seen), self.linear("q_x", seen)
        h, past, laws, latents = torch.zeros(self.x.shape[1], HIDDEN), [], [], []
        for t in range(STEPS):
            past.append(h)
            mean, scale = self.normal("q_out", relu(reads[t] + self.linear("q_h", h)))
            read = relu(self.linear("read_z", mean + scale * drawn[t]))
            laws.append((mean, scale))
            latents.append(read)
            r, u, n = (gates[t] + self.linear("gates_z", read)).chunk(3, -1)
            h_r, h_u, h_n = self.linear("cell", h).chunk(3, -1)
            new = torch.tanh(n + torch.sigmoid(r + h_r) * h_n)
            h = new + torch.sigmoid(u + h_u) * (h - new)
        past, latents = torch.stack(past), torch.stack(latents)
        mean, scale = (torch.stack(part) for part in zip(*laws))
        centre, spread = self.normal("prior_out", relu(self.linear("prior_in", past)))
        ratio = scale / spread
        kl = (0.5 * (ratio**2 + ((mean - centre) / spread) ** 2 - 1) - torch.log(ratio)).sum(-1)
        logits = self.linear("x_out", relu(self.linear("x_in", torch.cat([latents, past], -1))))
        seen = (self.x * logits - softplus(logits)).sum(-1)
        return -(seen - kl).mean()

    def update(self):
        self.adam.zero_grad(set_to_none=True)
        self.surrogate(torch.randn(STEPS, self.x.shape[1], LATENT)).backward()
        self.adam.step()


def layers(p, q) -> dict:
    """Every linear layer of both voices by name."""
    return {
        "read_x": p.read_x[0],
        "read_z": p.read_z[0],
        "gates_x": p.gates_x,
        "gates_z": p.gates_z,
        "cell": p.cell.recurrent,
        "prior_in": p.to_prior[0],
        "prior_out": p.to_prior[2],
        "x_in": p.to_x[0],
        "x_out": p.to_x[2],
        "q_x": q.from_x,
        "q_h": q.guess.from_carry,
        "q_out": q.guess.rest[0],
    }


def pair(layer):
    tensor = lambda a: None if a is None else torch.tensor(np.array(a), requires_grad=True)
    return tensor(layer.weight), tensor(layer.bias)


def agree(found: dict, wanted: dict) -> float:
    """The largest relative difference of a gradient."""
    worst = 0.0
    for name, layer in found.items():
        for mine, theirs in zip((wanted[name].weight, wanted[name].bias), layer):
            assert (mine is None) == (theirs is None)
            if mine is not None:
                want = np.asarray(mine)
                worst = max(worst, float(np.abs(theirs.grad.numpy() - want).max() / (np.abs(want).max() + 1e-12)))
    assert worst < 1e-3, worst
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[16])
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    print("| batch | counterpoint, ms | PyTorch eager, ms | ratio |")
    print("|---|---|---|---|")
    for batch in options.batch:
        frames = (np.random.default_rng(0).random((batch, STEPS, NOTES)) < 0.1).astype(np.float32)
        weights, state, update, check = ours(frames)
        other = Torch(weights, frames)
        drawn, value, grads = check(weights, random.key(5))
        loss = other.surrogate(torch.tensor(np.array(drawn)))
        assert abs(loss.item() + float(value)) < 1e-4 * abs(float(value)), (loss.item(), float(value))
        loss.backward()
        worst = agree(other.layers, layers(*grads))
        sides = {"ours": Learning(update, weights, state), "torch": other.update}
        mine, theirs = medians(sides, options.rounds).values()
        print(f"| {batch} | {mine:.1f} | {theirs:.1f} | {theirs / mine:.2f} |")
    print(f"\nGradients of both sides differ by {worst:.0e} at most, as a share of the largest of their array.")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; JAX {jax.__version__}; float32")


if __name__ == "__main__":
    main()
