"""One iteration of expectation maximisation for a diagonal-Gaussian HMM (K = 50, 50 sequences of 100 steps, 88
dimensions) against hmmlearn and dynamax, with a plain loop in PyTorch as a control.

    pip install hmmlearn dynamax torch
    python benchmarks/hmm_em.py [--rounds 20]

All start from the same parameters, and their likelihoods and new parameters must agree before anything is timed.
hmmlearn's implementation is "scaling", in double precision; priors without weight make its M-step and dynamax's the
maximum of the likelihood. dynamax's E- and M-step are compiled once, as an iteration here is; a call of its `fit_em`
compiles them anew, so one call of each `fit` for one iteration is timed as well. PyTorch runs the same scaled messages
eagerly, a product a step, all sequences at once, in single precision. An iteration's matrix products alone, without
those that wait for each other along the chain, say what there is to gain. Rounds go round the sides, and ratios are
those of medians.
"""

import argparse
import warnings
from functools import partial

import dynamax
import hmmlearn
import jax
import jax.numpy as jnp
import numpy as np
import torch
from dynamax.hidden_markov_model import DiagonalGaussianHMM
from hmmlearn.hmm import GaussianHMM
from timing import medians

from counterpoint.core import Batch
from counterpoint.distributions import Family
from counterpoint.inference import ForwardBackward
from counterpoint.models import HMM
from counterpoint.training import em
from counterpoint.training.em import iterate

STATES, COUNT, STEPS, WIDTH = 50, 50, 100, 88


def problem():
    """x (COUNT, STEPS, WIDTH) drawn from an HMM, and what all sides start from: probabilities, means and scales."""
    rng = np.random.default_rng(0)
    move = rng.dirichlet(np.full(STATES, 0.3), STATES)
    means = rng.normal(size=(STATES, WIDTH))
    states = np.zeros((COUNT, STEPS), int)
    for t in range(1, STEPS):
        states[:, t] = [rng.choice(STATES, p=move[i]) for i in states[:, t - 1]]
    x = (means[states] + 2 * rng.normal(size=(COUNT, STEPS, WIDTH))).astype(np.float32)
    start, move = rng.dirichlet(np.ones(STATES)), rng.dirichlet(np.ones(STATES), STATES)
    return x, start, move, means + 0.5 * rng.normal(size=means.shape), np.full((STATES, WIDTH), 2.0)


def ours(start, move, means, scales):
    raw = np.concatenate([means, np.log(scales)], 1)
    family = Family("gaussian_log_std", (WIDTH,))
    return HMM(*(jnp.asarray(a, jnp.float32) for a in (np.log(start), np.log(move), raw)), family)


class Hmmlearn:
    """`GaussianHMM.fit` with one iteration."""

    def __init__(self, x, *begin):
        self.x, self.lengths, self.begin = x.reshape(-1, WIDTH).astype(np.float64), [STEPS] * COUNT, begin

    def fit(self):
        start, move, means, scales = self.begin
        model = GaussianHMM(STATES, n_iter=1, init_params="", implementation="scaling", covars_prior=0, min_covar=0)
        model.startprob_, model.transmat_, model.means_, model.covars_ = start, move, means, scales**2
        return model.fit(self.x, self.lengths)


class Dynamax:
    """`DiagonalGaussianHMM`: its steps compiled once, and its `fit_em`."""

    def __init__(self, x, start, move, means, scales):
        weight = dict(zip(("mean_concentration", "concentration", "scale"), (0.0, -1.5, 0.0)))
        none = {f"emission_prior_{name}": value for name, value in weight.items()}
        even = {f"{k}_concentration": 1.0 for k in ("initial_probs", "transition_matrix")}
        self.model, self.x = DiagonalGaussianHMM(STATES, WIDTH, **even, **none), jnp.asarray(x)
        single = lambda a: jnp.asarray(a, jnp.float32)
        self.params, self.props = self.model.initialize(
            initial_probs=single(start),
            transition_matrix=single(move),
            emission_means=single(means),
            emission_scale_diags=single(scales),
        )
        self.state = self.model.initialize_m_step_state(self.params, self.props)

        def step(params, state, x):
            stats, log_evidence = jax.vmap(partial(self.model.e_step, params))(x)
            return *self.model.m_step(params, self.props, stats, state), log_evidence.sum()

        self.compiled = jax.jit(step)

    def step(self):
        return self.compiled(self.params, self.state, self.x)

    def fit(self):
        return self.model.fit_em(self.params, self.props, self.x, num_iters=1, verbose=False)


class Torch:
    """Scaled messages and the maximum of the likelihood, eager."""

    def __init__(self, x, *begin):
        self.x = torch.tensor(x)
        self.begin = [torch.tensor(a, dtype=torch.float32) for a in begin]

    def step(self):
        """New start, moves, means and scales, and the log-likelihood under the old ones."""
        start, move, means, scales = self.begin
        rows = self.x.reshape(-1, WIDTH)
        precision = scales**-2
        constant = -0.5 * (means**2 * precision + np.log(2 * np.pi)).sum(1) - torch.log(scales).sum(1)
        said = rows @ (means * precision).T - 0.5 * rows**2 @ precision.T + constant
        said = said.reshape(COUNT, STEPS, STATES).transpose(0, 1)
        most = said.max(2, keepdim=True).values
        weight = torch.exp(said - most)
        forth, back, totals = [start * weight[0]], [torch.ones(COUNT, STATES)], []
        for t in range(STEPS):
            joint = forth[-1] if t == 0 else (forth[-1] @ move) * weight[t]
            totals.append(joint.sum(1, keepdim=True))
            forth[t:] = [joint / totals[-1]]
        for t in range(STEPS - 1, 0, -1):
            back.append((back[-1] * weight[t]) @ move.T / totals[t])
        a, c = torch.stack(forth), torch.stack(back[::-1])
        smoothed = a * c
        later = (weight * c)[1:] / torch.stack(totals)[1:]
        pairs = move * (a[:-1].reshape(-1, STATES).T @ later.reshape(-1, STATES))
        share = smoothed.transpose(0, 1).reshape(-1, STATES)
        count = share.sum(0)[:, None]
        mean = share.T @ rows / count
        spread = torch.sqrt(share.T @ rows**2 / count - mean**2)
        first = smoothed[0].sum(0)
        new = first / first.sum(), pairs / pairs.sum(1, keepdim=True), mean, spread
        return new, float((torch.log(torch.stack(totals)) + most).sum())


@jax.jit
def products(rows, weights, shares):
    """What scores all frames, what counts pairs of states, and what adds up the statistics of each state."""
    return rows @ weights, shares.T @ shares, shares.T @ rows


def agree(p, q, batch, learn: Hmmlearn, other: Dynamax, control: Torch) -> float:
    """The largest difference of a new parameter: probabilities, means, scales."""
    new, log_evidence = iterate(p, q, (batch,))
    law = jax.vmap(new.family)(new.emission)
    mine = (np.exp(new.start), np.exp(new.transition), law.loc, law.scale)
    model, (params, _, total) = learn.fit(), other.step()
    theirs = (model.startprob_, model.transmat_, model.means_, np.sqrt(np.stack([np.diag(a) for a in model.covars_])))
    dyna = (params.initial.probs, params.transitions.transition_matrix, *params.emissions)
    plain, plainly = control.step()
    for found in (model.monitor_.history[0], total, plainly):
        assert abs(float(log_evidence.sum()) - float(found)) < 1e-5 * abs(float(found)), (log_evidence.sum(), found)
    apart = lambda side: max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in zip(mine, side))
    worst = max(apart(theirs), apart(dyna), apart(plain))
    assert worst < 2e-3, worst
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    x, *begin = problem()
    p, q = ours(*begin), ForwardBackward()
    batch = Batch(jnp.asarray(x), jnp.ones(x.shape[:2], bool))
    learn, other, control = Hmmlearn(x, *begin), Dynamax(x, *begin), Torch(x, *begin)
    worst = agree(p, q, batch, learn, other, control)
    draw = np.random.default_rng(1).normal
    shapes = (COUNT * STEPS, 2 * WIDTH), (2 * WIDTH, STATES), (COUNT * STEPS, STATES)
    operands = [jnp.asarray(draw(size=shape), jnp.float32) for shape in shapes]
    sides = {
        "counterpoint": lambda: iterate(p, q, (batch,)),
        "counterpoint, a call of em": lambda: em(p, q, batch, 1),
        "hmmlearn, a call of fit": learn.fit,
        "dynamax": other.step,
        "dynamax, a call of fit_em": other.fit,
        "PyTorch eager": control.step,
        "products alone": lambda: products(*operands),
    }
    times = medians(sides, options.rounds)
    base = times["counterpoint"]
    print("| side | ms | times ours |\n|---|---|---|")
    for name, taken in times.items():
        print(f"| {name} | {taken:.2f} | {taken / base:.1f} |")
    print(f"\nNew parameters differ by {worst:.0e} at most.")
    print(f"hmmlearn {hmmlearn.__version__}, float64; dynamax {dynamax.__version__}; JAX {jax.__version__}; float32")


if __name__ == "__main__":
    main()
