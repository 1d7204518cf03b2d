"""One update of amortised variational filtering (an SRNN for music, T = 25, B = 16) against PyTorch eager.

    pip install torch
    python benchmarks/avf_update.py [--iterations 1 5] [--rounds 30]

88 notes, z 100, LSTM of 300, networks of 500 units (two layers to x), an inference network of two highway layers of
1024: the sizes of Marino et al. 2018. Both sides refine q by the gradient of each step's free energy, teach the
inference network by the free energy after every iteration and the model by that of the last q, all from one draw with
the past held fixed, and make one Adam step, on the same weights. PyTorch runs the LSTM by its own module, scores the
last q all t at once, and evaluates each free energy once: the gradient that the next iteration reads is the one that
teaches the last. Before anything is timed, both use the same noise, and their bounds and gradients must agree. Rounds
alternate between the sides; the ratio is that of medians.
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
from torch.nn.functional import elu, leaky_relu, linear, softplus

from counterpoint import draws
from counterpoint.bounds import ELBO
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.distributions.gaussian import UNIT
from counterpoint.estimators import FilteringEM
from counterpoint.inference import IterativeConfig
from counterpoint.inference.iterative import LOG_VARIANCE
from counterpoint.models import SRNNConfig
from counterpoint.shapes import latent

NOTES, LATENT, HIDDEN, WIDTH, INNER, STEPS, BATCH, RATE = 88, 100, 300, 500, 1024, 25, 16, 1e-4


def ours(frames: np.ndarray, iterations: int):
    """weights, state, compiled update(weights, state, key), which takes over its arguments, and check(weights, key)."""
    known = facts(tuple(frames), "binary")
    config = SRNNConfig(latent=LATENT, hidden=HIDDEN, width=WIDTH, readout=2, cell="lstm")
    p = config.build(known, random.key(0))
    q = IterativeConfig(iterations=iterations, width=INNER).build(p, known, random.key(1))
    batch, rule = Batch(jnp.asarray(frames), jnp.ones(frames.shape[:2], bool)), optax.adam(RATE)
    weights, static = eqx.partition((p, q), eqx.is_inexact_array)

    def loss(weights, key):
        p, q = eqx.combine(weights, static)
        estimate, _ = FilteringEM()(p, q, ELBO(), batch, key, (), 0)
        return estimate.surrogate, estimate.value

    def update(weights, state, call):
        change, state = rule.update(jax.grad(loss, has_aux=True)(weights, random.key(call))[0], state)
        return optax.apply_updates(weights, change), state

    def check(weights, key):
        """The noise of z (T, B, LATENT) and of the evaluations (T, B, n + 1, LATENT), the bound in nats per step, and
        the gradient of the surrogate."""
        grads, value = jax.grad(loss, has_aux=True)(weights, key)
        return noise(q, latent(p).loc, key), value, grads

    return weights, rule.init(weights), jax.jit(update, donate_argnums=(0, 1)), jax.jit(check)


def noise(q, like, key):
    """What a rollout draws z with, and what the iterations of q draw."""
    keys = jax.vmap(lambda t: random.split(random.fold_in(key, t), BATCH))(jnp.arange(STEPS))
    each = lambda f: jax.vmap(jax.vmap(f))(keys)
    drawn = each(lambda key: draws.normal(random.fold_in(key, 1), like.shape, like.dtype))
    inner = each(lambda key: q.noise(random.fold_in(key, 0), jnp.zeros(LATENT))[:, 0])
    return drawn, inner


class Torch:
    """The same arithmetic, eager."""

    def __init__(self, weights, frames: np.ndarray, iterations: int):
        p, q = weights
        self.iterations = iterations
        self.lstm = torch.nn.LSTM(NOTES, HIDDEN)
        with torch.no_grad():
            for name, layer in (("ih", p.gates), ("hh", p.cell.recurrent)):
                getattr(self.lstm, f"weight_{name}_l0").copy_(torch.tensor(np.array(layer.weight)))
                getattr(self.lstm, f"bias_{name}_l0").copy_(torch.tensor(np.array(layer.bias)))
        self.layers = {name: pair(layer) for name, layer in layers(p, q).items()}
        self.x = torch.tensor(frames).transpose(0, 1).contiguous()  # (T, B, 88)
        self.before = torch.cat([torch.zeros_like(self.x[:1]), self.x[:-1]])
        parameters = [a for layer in self.layers.values() for a in layer]
        self.adam = torch.optim.Adam([*parameters, *self.lstm.parameters()], lr=RATE)

    def prior(self, z, d, hold: bool):
        a = self.run("prior_in", torch.cat([z, d], -1), hold)
        mean, raw = self.run("prior_out", clipped(a), hold).chunk(2, -1)
        return mean, softplus(raw + UNIT) + 1e-4

    def logits(self, z, d, hold: bool):
        a = clipped(self.run("x_in", torch.cat([z, d], -1), hold))
        return self.run("x_out", clipped(self.run("x_mid", a, hold)), hold)

    def run(self, name: str, a, hold: bool = False):
        weight, bias = self.layers[name]
        return linear(a, weight.detach(), bias.detach()) if hold else linear(a, weight, bias)

    def refined(self, mean, log_variance, gradient):
        a = torch.cat([normalised(one) for one in (*gradient, mean, log_variance)], -1)
        gate, new, carried = self.run("first", a).chunk(3, -1)
        gate = torch.sigmoid(gate)
        a = gate * carried + (1 - gate) * elu(new)
        gate, new = self.run("second", a).chunk(2, -1)
        gate = torch.sigmoid(gate)
        a = gate * a + (1 - gate) * elu(new)
        to_mean, to_log, of_mean, of_log = self.run("last", a).chunk(4, -1)
        of_mean, of_log = torch.sigmoid(of_mean), torch.sigmoid(of_log)
        log_variance = of_log * log_variance + (1 - of_log) * to_log
        return of_mean * mean + (1 - of_mean) * to_mean, log_variance.clamp(*LOG_VARIANCE)

    def descend(self, mean, log_variance, t: int, d, prior, drawn):
        """The gradient of step t's free energy by the moments, which are held."""
        mean, log_variance = (a.detach().requires_grad_() for a in (mean, log_variance))
        scale = torch.exp(0.5 * log_variance)
        logits = self.logits(mean + scale * drawn, d, hold=True)
        loss = (softplus(logits) - self.x[t] * logits).sum() + divergence(mean, scale, *prior).sum()
        return torch.autograd.grad(loss, (mean, log_variance))

    def backward(self, drawn, inner):
        """Leave the gradient of the surrogate with the weights, and return the bound in nats per step."""
        d, _ = self.lstm(self.before)
        held, z, past, laws = d.detach(), torch.zeros(self.x.shape[1], LATENT), [], []
        learned, signals = [], []
        for t in range(STEPS):
            past.append(z)
            with torch.no_grad():
                prior = self.prior(z, held[t], hold=True)
            mean, log_variance = prior[0], 2 * torch.log(prior[1])
            gradient = self.descend(mean, log_variance, t, held[t], prior, inner[t, :, 0])
            for i in range(self.iterations):
                new = self.refined(mean.detach(), log_variance.detach(), gradient)
                mean, log_variance = new
                gradient = self.descend(mean, log_variance, t, held[t], prior, inner[t, :, i + 1])
                learned += new
                signals += [a / (STEPS * BATCH) for a in gradient]
            mean, scale = mean.detach(), torch.exp(0.5 * log_variance.detach())
            z = mean + scale * drawn[t]
            laws.append((z, mean, scale))
        z, mean, scale = (torch.stack(part) for part in zip(*laws))
        logits = self.logits(z, d, hold=False)
        missed = (softplus(logits) - self.x * logits).sum(-1)
        loss = (missed + divergence(mean, scale, *self.prior(torch.stack(past), d, hold=False)).sum(-1)).mean()
        torch.autograd.backward([loss, *learned], [torch.ones(()), *signals])
        return -loss.item()

    def update(self):
        self.adam.zero_grad(set_to_none=True)
        count = self.x.shape[1]
        self.backward(torch.randn(STEPS, count, LATENT), torch.randn(STEPS, count, self.iterations + 1, LATENT))
        self.adam.step()

    def gradients(self) -> dict:
        """Of every layer by name, weight and bias."""
        found = {name: [a.grad for a in layer] for name, layer in self.layers.items()}
        ends = {"gates": "ih", "cell": "hh"}
        return found | {
            name: [getattr(self.lstm, f"{kind}_{end}_l0").grad for kind in ("weight", "bias")]
            for name, end in ends.items()
        }


def clipped(a):
    return leaky_relu(a, 1 / 3).clamp(-3.0, 3.0)


def normalised(a):
    return (a - a.mean(-1, keepdim=True)) / torch.sqrt(a.var(-1, correction=0, keepdim=True) + 1e-6)


def divergence(mean, scale, centre, spread):
    ratio = scale / spread
    return 0.5 * (ratio**2 + ((mean - centre) / spread) ** 2 - 1) - torch.log(ratio)


def layers(p, q) -> dict:
    """The linear layers of both voices by name, but for the LSTM's."""
    refiner = q.update.refiner
    return {
        "prior_in": p.to_prior[0],
        "prior_out": p.to_prior[2],
        "x_in": p.to_x[0],
        "x_mid": p.to_x[2],
        "x_out": p.to_x[4],
        "first": refiner.layers[0].products,
        "second": refiner.layers[1].products,
        "last": refiner.last,
    }


def pair(layer):
    tensor = lambda a: torch.tensor(np.array(a), requires_grad=True)
    return tensor(layer.weight), tensor(layer.bias)


def agree(weights, check, other: Torch) -> float:
    """The largest relative difference of a gradient, with the same noise on both sides."""
    (drawn, inner), value, (p, q) = check(weights, random.key(6))  # of key 5 a unit lies on the rectifier's kink
    bound = other.backward(*(torch.tensor(np.array(a)) for a in (drawn, inner)))
    assert abs(bound - float(value)) < 1e-4 * abs(float(value)), (bound, float(value))
    wanted, worst = layers(p, q) | {"gates": p.gates, "cell": p.cell.recurrent}, 0.0
    for name, found in other.gradients().items():
        for mine, theirs in zip((wanted[name].weight, wanted[name].bias), found):
            want = np.asarray(mine)
            worst = max(worst, float(np.abs(theirs.numpy() - want).max() / (np.abs(want).max() + 1e-12)))
    assert worst < 1e-3, worst
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    frames = (np.random.default_rng(0).random((BATCH, STEPS, NOTES)) < 0.1).astype(np.float32)
    print("| iterations | counterpoint, ms | PyTorch eager, ms | ratio |")
    print("|---|---|---|---|")
    worst = 0.0
    for iterations in options.iterations:
        weights, state, update, check = ours(frames, iterations)
        other = Torch(weights, frames, iterations)
        worst = max(worst, agree(weights, check, other))
        sides = {"ours": Learning(update, weights, state), "torch": other.update}
        mine, theirs = medians(sides, options.rounds).values()
        print(f"| {iterations} | {mine:.1f} | {theirs:.1f} | {theirs / mine:.2f} |")
    print(f"\nGradients of both sides differ by {worst:.0e} at most, as a share of the largest of their array.")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; JAX {jax.__version__}; float32")


if __name__ == "__main__":
    main()
