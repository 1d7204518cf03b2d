"""One CD-1 update of an RBM (784 visible units, 500 hidden ones, 100 images) against rbms, learnergy and PyTorch eager,
and against its products.

    pip install torch rbms learnergy
    python benchmarks/rbm_update.py [--rounds 30]

All sides draw z from the images, x from z, take the gradient of F(x_0) - F(x_1) and make a plain gradient step, from
the same weights. Before anything is timed each takes that gradient for the same x_1, and all must agree. rbms and
learnergy are used as their own training loops use them, less what these report; rbms also divides the gradient by its
length, and takes it without centering here. Either may be missing. Rounds go round the sides, and ratios are those of
medians. The floor is the time of this update's matrix products alone, each in the shape it has here, in XLA.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import random
from timing import medians

from counterpoint.bounds import TrajectoryKL
from counterpoint.core import Batch
from counterpoint.estimators import ContrastiveDivergence
from counterpoint.inference import Gibbs
from counterpoint.models import RBM

PIXELS, UNITS, COUNT, RATE = 784, 500, 100, 0.01


class Ours:
    """One compiled update; `reports` keeps what `fit` shows beside it."""

    def __init__(self, weights, images, reports: bool):
        self.p = RBM(jnp.array(weights.T), jnp.zeros(UNITS), jnp.zeros(PIXELS))
        self.step, batch = 0, Batch(jnp.asarray(images)[:, None], jnp.ones((len(images), 1), bool))
        estimator, q, bound = ContrastiveDivergence(None), Gibbs(), TrajectoryKL()

        def loss(p, key):
            estimate, _ = estimator(p, q, bound, batch, key, (), 0)
            return estimate.surrogate, estimate.value if reports else ()

        def update(p, call):
            grad, value = jax.grad(loss, has_aux=True)(p, random.key(call))
            return jax.tree.map(lambda a, g: a - RATE * g, p, grad), value

        self.compiled = jax.jit(update, donate_argnums=0)

        @jax.jit
        def check(p, key):
            """x_1, and the gradient that the estimator took."""
            x = bound.run(p, q, batch, random.split(key)[0]).z[1][0, :, 0, 0]
            return x, jax.grad(loss, has_aux=True)(p, key)[0]

        self.check = check

    def update(self):
        self.step += 1
        self.p, _ = jax.block_until_ready(self.compiled(self.p, self.step))


class Torch:
    """The same arithmetic, eager: means in the place of z in the gradient."""

    def __init__(self, weights, images):
        self.w, self.b, self.c = torch.tensor(weights), torch.zeros(UNITS), torch.zeros(PIXELS)
        self.x = torch.tensor(images)

    def gradient(self, x, mean):
        """Of F(x_0) - F(x_1), by W (784, 500), b and c."""
        later = torch.sigmoid(x @ self.w + self.b)
        count = len(x)
        return (
            (x.T @ later - self.x.T @ mean) / count,
            (later - mean).mean(0),
            (x - self.x).mean(0),
        )

    def update(self):
        mean = torch.sigmoid(self.x @ self.w + self.b)
        x = torch.bernoulli(torch.sigmoid(torch.bernoulli(mean) @ self.w.T + self.c))
        for parameter, grad in zip((self.w, self.b, self.c), self.gradient(x, mean)):
            parameter -= RATE * grad

    def check(self, x):
        return self.gradient(x, torch.sigmoid(self.x @ self.w + self.b))


class Rbms:
    """As in rbms.training.pcd with training_type "cd"."""

    def __init__(self, weights, images):
        from rbms.bernoulli_bernoulli.classes import BBRBM
        from rbms.training.pcd import fit_batch_pcd

        self.fit, tensor = fit_batch_pcd, torch.tensor
        self.p = BBRBM(tensor(weights), torch.zeros(PIXELS), torch.zeros(UNITS))
        self.batch = tensor(images), torch.ones(len(images), 1)
        for parameter in self.p.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self.optimiser = torch.optim.SGD(self.p.parameters(), lr=RATE, maximize=True)

    def begun(self, x):
        return self.p.init_chains(len(x), weights=self.batch[1], start_v=x)

    def update(self):
        with torch.no_grad():
            self.optimiser.zero_grad(set_to_none=False)
            self.fit(self.batch, self.begun(self.batch[0]), self.p, 1, 1.0, centered=False)
            self.optimiser.step()

    def check(self, x):
        with torch.no_grad():
            self.p.compute_gradient(data=self.begun(self.batch[0]), chains=self.begun(x), centered=False)
        return tuple(-a.grad for a in (self.p.weight_matrix, self.p.hbias, self.p.vbias))


class Learnergy:
    """As in learnergy's RBM.fit."""

    def __init__(self, weights, images):
        from learnergy.models.bernoulli import RBM

        self.p = RBM(PIXELS, UNITS, learning_rate=RATE)
        self.p.W.data = torch.tensor(weights)
        self.x = torch.tensor(images)

    def cost(self, x):
        cost = torch.mean(self.p.energy(self.x)) - torch.mean(self.p.energy(x))
        self.p.optimizer.zero_grad()
        cost.backward()

    def update(self):
        self.cost(self.p.gibbs_sampling(self.x)[-1].detach())
        self.p.optimizer.step()

    def check(self, x):
        self.cost(x)
        return tuple(a.grad for a in (self.p.W, self.p.b, self.p.a))


def agree(ours: Ours, others: dict) -> float:
    """The largest relative difference of a gradient; all sides have the x_1 that ours drew."""
    x, grad = ours.check(ours.p, random.key(5))
    x, worst = torch.tensor(np.array(x)), 0.0
    assert set(np.unique(x)) == {0.0, 1.0}, "x_1 is not binary"
    for name, side in others.items():
        for want, found in zip((grad.weights.T, grad.hidden, grad.visible), side.check(x)):
            want = np.asarray(want)
            apart = float(np.abs(found.numpy() - want).max() / np.abs(want).max())
            assert apart < 1e-3, (name, apart)
            worst = max(worst, apart)
    return worst


def floor():
    """A compiled function of this update's products: three to draw, two of the gradient."""
    x, z, w = (
        random.normal(random.key(i), s) for i, s in enumerate(((COUNT, PIXELS), (COUNT, UNITS), (PIXELS, UNITS)))
    )
    compiled = jax.jit(lambda x, z, w: (x @ w, z @ w.T, (x + 1) @ w, x.T @ z, (x + 1).T @ (z + 1)))
    return lambda: jax.block_until_ready(compiled(x, z, w))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    images = (rng.random((COUNT, PIXELS)) < 0.15).astype(np.float32)
    weights = (0.1 * rng.normal(size=(PIXELS, UNITS))).astype(np.float32)
    ours, others, missing = Ours(weights, images, False), {}, []
    for name, side in {"PyTorch eager": Torch, "rbms": Rbms, "learnergy": Learnergy}.items():
        try:
            others[name] = side(weights, images)
        except ImportError:
            missing.append(name)
    worst = agree(ours, others)
    sides = {
        "counterpoint": ours.update,
        "counterpoint, with what it reports": Ours(weights, images, True).update,
        **{name: side.update for name, side in others.items()},
        "products alone": floor(),
    }
    times = medians(sides, options.rounds)
    base = times["counterpoint"]
    print("| side | ms | times ours |\n|---|---|---|")
    for name, taken in times.items():
        print(f"| {name} | {taken:.2f} | {taken / base:.2f} |")
    print(f"\nGradients differ by {worst:.0e} at most, as a share of the largest of their array.")
    print("".join(f"{name} is not installed and was left out. " for name in missing), end="")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; JAX {jax.__version__}; float32")


if __name__ == "__main__":
    main()
