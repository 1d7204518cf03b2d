"""One DTSBN-S update (J = 100-100, M = 900, order 2, T = 100) against PyTorch eager, and against its matrix products.

    pip install torch
    python benchmarks/dtsbn_update.py [--batch 1 16] [--rounds 30]

Both sides draw h and z from q without gradients, score all t at once, take the gradient of NVIL with the local signal
(no baselines, one sample) and make an Adam step, on the same weights. Before anything is timed, both score the same h
and z, and their bounds and gradients must agree. Rounds alternate between the sides; the ratio is that of medians. The
floor is the time of this update's matrix products alone, each in the shape it has here, in XLA.
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

from counterpoint.bounds import ELBO
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.estimators import ScoreFunctionConfig
from counterpoint.inference import TSBNRecognitionConfig
from counterpoint.models import TSBNConfig
from counterpoint.rollout import rollout

UNITS, PIXELS, ORDER, STEPS, RATE = 100, 900, 2, 100, 1e-3
ESTIMATOR = ScoreFunctionConfig(signal="local", centre=False, normalise=False, baseline=0)


def ours(frames: np.ndarray):
    """(parts, update): update(parts, state, key) is compiled and takes its arguments over."""
    known = facts(tuple(frames), "binary")
    p = TSBNConfig(units=(UNITS, UNITS), order=ORDER, scale=0.05).build(known, random.key(0))
    q = TSBNRecognitionConfig(scale=0.05).build(p, known, random.key(1))
    estimator, bound = ESTIMATOR.build(p, known, random.key(2)), ELBO(1, closed_form=False)
    batch, rule = Batch(jnp.asarray(frames), jnp.ones(frames.shape[:2], bool)), optax.adam(RATE)
    weights, static = eqx.partition((p, q), eqx.is_inexact_array)

    def loss(weights, key):
        p, q = eqx.combine(weights, static)
        return estimator(p, q, bound, batch, key, estimator.initial(), 0)[0].surrogate

    def update(weights, state, call):
        change, state = rule.update(jax.grad(loss)(weights, random.key(call)), state)
        return optax.apply_updates(weights, change), state

    def check(weights, key):
        """h, z, the bound in nats and the gradient of the surrogate for them."""
        p, q = eqx.combine(weights, static)
        trace, _ = rollout(p, q, batch, key, pathwise=False)
        return trace.z, trace.log_weight.sum(), jax.grad(loss)(weights, key)

    return weights, rule.init(weights), jax.jit(update, donate_argnums=(0, 1)), jax.jit(check)


class Torch:
    """The same arithmetic, eager: products with v before the loop, a loop over t to draw, densities over all t."""

    def __init__(self, weights, frames: np.ndarray):
        p, q = weights
        tensor = lambda a: torch.tensor(np.array(a), requires_grad=True)
        take = lambda part: {
            name: tensor(getattr(part, name))
            for name in ("now", "across", "below", "bias")
            if getattr(part, name) is not None
        }
        self.low, self.top, self.visible = take(p.hidden[0]), take(p.hidden[1]), take(p.visible)
        self.rise, self.peak = take(q.layers[0]), take(q.layers[1])
        self.parts = (self.low, self.top, self.visible, self.rise, self.peak)
        self.v = torch.tensor(frames).transpose(0, 1).contiguous()  # (T, B, M)
        self.adam = torch.optim.Adam([a for part in self.parts for a in part.values()], lr=RATE)

    def lagged(self, weights, u):
        """sum_d W_d u_t-d over all t."""
        found = 0
        for d in range(1, ORDER + 1):
            found = found + torch.nn.functional.pad(u[:-d], (0, 0, 0, 0, d, 0)) @ weights[d - 1].T
        return found

    @torch.no_grad()
    def draw(self):
        rise, peak, count = self.rise, self.peak, self.v.shape[1]
        drive = self.v @ rise["now"].T + self.lagged(rise["below"], self.v) + rise["bias"]
        fuse = lambda w: w.permute(0, 2, 1).reshape(-1, w.shape[1])
        across, below, over = fuse(rise["across"]), fuse(peak["below"]), fuse(peak["across"])
        h, z = (torch.zeros(STEPS, count, UNITS) for _ in range(2))
        past_h, past_z = (torch.zeros(count, ORDER * UNITS) for _ in range(2))
        noise = torch.rand(2, STEPS, count, UNITS)
        for t in range(STEPS):
            h[t] = (noise[0, t] < torch.sigmoid(drive[t] + past_h @ across)).float()
            a = h[t] @ peak["now"].T + past_z @ over + past_h @ below + peak["bias"]
            z[t] = (noise[1, t] < torch.sigmoid(a)).float()
            past_h = torch.cat([h[t], past_h[:, :-UNITS]], 1)
            past_z = torch.cat([z[t], past_z[:, :-UNITS]], 1)
        return h, z

    def surrogate(self, h, z):
        low, top, visible, rise, peak, v = *self.parts, self.v
        coins = lambda a, value: (value * a - torch.nn.functional.softplus(a)).sum(-1)
        prior = coins(self.lagged(top["across"], z) + self.lagged(top["below"], h) + top["bias"], z)
        down = z @ low["now"].T + self.lagged(low["across"], h) + self.lagged(low["below"], v) + low["bias"]
        prior = prior + coins(down, h)
        seen = coins(h @ visible["now"].T + self.lagged(visible["below"], v) + visible["bias"], v)
        up = v @ rise["now"].T + self.lagged(rise["across"], h) + self.lagged(rise["below"], v) + rise["bias"]
        tip = h @ peak["now"].T + self.lagged(peak["across"], z) + self.lagged(peak["below"], h) + peak["bias"]
        log_q = coins(up, h) + coins(tip, z)
        weight = (prior + seen - log_q).detach()
        return -(prior + seen + weight * log_q).sum() / weight.numel(), weight.sum()

    def update(self):
        self.adam.zero_grad(set_to_none=True)
        self.surrogate(*self.draw())[0].backward()
        self.adam.step()


def agree(weights, check, other: Torch) -> float:
    """The largest relative difference of a gradient; both sides score what ours drew."""
    (h, z), value, grads = check(weights, random.key(5))
    loss, bound = other.surrogate(*(torch.tensor(np.array(a[:, :, 0])) for a in (h, z)))
    loss.backward()
    assert abs(float(bound) - float(value)) < 1e-3 * abs(float(value)), (float(bound), float(value))
    layers = (*grads[0].hidden, grads[0].visible, *grads[1].layers)
    worst = 0.0
    for part, layer in zip(other.parts, layers):
        for name, a in part.items():
            want = np.asarray(getattr(layer, name))
            worst = max(worst, float(np.abs(a.grad.numpy() - want).max() / (np.abs(want).max() + 1e-12)))
    assert worst < 1e-3, worst
    return worst


def floor(batch: int):
    """A compiled function of this update's products: forward, and the gradient of each weight."""
    rows = STEPS * batch
    shapes = [(PIXELS, PIXELS)] * ORDER + [(PIXELS, UNITS)] * (2 * ORDER + 1) + [(UNITS, PIXELS)]
    shapes += [(UNITS, UNITS)] * (6 * ORDER + 2)
    weights = [random.normal(random.key(i), shape) for i, shape in enumerate(shapes)]
    inputs = {n: random.normal(random.key(n), (rows, n)) for n in (UNITS, PIXELS)}

    def products(weights, inputs):
        forward = [inputs[a.shape[0]] @ a for a in weights]
        return [inputs[a.shape[0]].T @ out for a, out in zip(weights, forward)]

    compiled = jax.jit(products)
    return lambda: jax.block_until_ready(compiled(weights, inputs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    print("| batch | counterpoint, ms | PyTorch eager, ms | ratio | products alone, ms | share of them |")
    print("|---|---|---|---|---|---|")
    for batch in options.batch:
        frames = (np.random.default_rng(0).random((batch, STEPS, PIXELS)) < 0.15).astype(np.float32)
        weights, state, update, check = ours(frames)
        other = Torch(weights, frames)
        worst = agree(weights, check, other)
        least = floor(batch)
        sides = {"ours": Learning(update, weights, state), "torch": other.update, "floor": least}
        mine, theirs, base = medians(sides, options.rounds).values()
        print(f"| {batch} | {mine:.1f} | {theirs:.1f} | {theirs / mine:.2f} | {base:.1f} | {base / mine:.0%} |")
    print(f"\nGradients of both sides differ by {worst:.0e} at most, as a share of the largest of their array.")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; JAX {jax.__version__}; float32")


if __name__ == "__main__":
    main()
