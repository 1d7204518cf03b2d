"""Draws docs/images/amortisation.png and writes docs/results/amortisation.md: what it costs that one network guesses
for all observations.

    python scripts/amortisation.py [FOLDER]

A sigmoid belief network of 8 units is learned, with its recognition network, from the frames of the chorales that come
with the package; both then stay. On frames of the test set log p(x) is counted over all 256 states, and so is the ELBO
of every q that is a product of coins: of the network, of mean-field variational Bayes, and of a q optimised for each
frame by itself, from the network's guess and from the prior. FOLDER stands for docs/.
"""

import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, random

from counterpoint.bounds import ELBO, IWAE
from counterpoint.core import Batch
from counterpoint.data import load
from counterpoint.distributions import facts
from counterpoint.estimators import VIMCOConfig, WakeSleepConfig
from counterpoint.files import replacing
from counterpoint.inference import MeanFieldVB, Optimised, PolyaGamma, PolyaGammaConfig, Prior, TSBNRecognitionConfig
from counterpoint.models import TSBNConfig
from counterpoint.report.canvas import QUIET, TRAIN, VALID, new_figure, save
from counterpoint.rollout import rollout

UNITS, UPDATES, ROWS = 8, 2000, 50
TESTED = 50  # frames of the test set, evenly spaced among those that differ
SWEEPS, STEPS, SAMPLES = (1, 4, 16, 64), (20, 100, 500), 16
GIBBS, CHAINS = (1, 8, 64), 16
STATES = (np.arange(2**UNITS)[:, None] >> np.arange(UNITS)) % 2


def frames(sequences) -> np.ndarray:
    """(N, 1, notes) all frames of some sequences, each a sequence of one step."""
    return np.concatenate(sequences.x).astype(np.float32)[:, None]


def learned(x: np.ndarray, bound, config, held=None):
    """p, or the one that is `held`, and its recognition network, by one estimator."""
    known, keys = facts(tuple(x)), random.split(random.key(0), 4)
    p = held or TSBNConfig(units=(UNITS,), order=0, sees=False, scale=0.1).build(known, keys[0])
    q = TSBNRecognitionConfig(scale=0.1).build(p, known, keys[1])
    estimator = config.build(p, known, keys[2])
    rule, data = optax.adam(optax.cosine_decay_schedule(0.01, UPDATES, 0.01)), jnp.asarray(x)
    learns = jax.tree.map(eqx.is_inexact_array, (p, q))
    learns = (jax.tree.map(lambda _: False, p), learns[1]) if held else learns
    params, static = eqx.partition((p, q), learns)

    @jax.jit
    def run(params):
        def step(loop, key):
            params, state, memory = loop
            rows, key = random.split(key)
            seen = data[random.randint(rows, (ROWS,), 0, len(data))]
            batch = Batch(seen, jnp.ones(seen.shape[:2], bool))

            def loss(params):
                estimate, new = estimator(*eqx.combine(params, static), bound, batch, key, memory, 0)
                return estimate.surrogate, new

            grads, memory = jax.grad(loss, has_aux=True)(params)
            change, state = rule.update(grads, state)
            return (optax.apply_updates(params, change), state, memory), None

        begin = params, rule.init(params), estimator.initial()
        return lax.scan(step, begin, random.split(keys[3], UPDATES))[0][0]

    return eqx.combine(run(params), static)


@eqx.filter_jit
def joint(p, x):
    """log p(x, z) of each frame and state, (N, states)."""
    carry, states = p.initial(), jnp.asarray(STATES, x.dtype)
    one = lambda x, z: p.prior(carry).log_prob(z) + p.likelihood(carry, z).log_prob(x)
    return jax.vmap(lambda x: jax.vmap(lambda z: one(x, z))(states))(x[:, 0])


@eqx.filter_jit
def guessed(p, q, x) -> jax.Array:
    """The logits of q(z | x), (N, UNITS)."""
    _, e = jax.vmap(lambda x: p.embed(p.memory(), x))(x)
    keys = random.split(random.key(2), len(x))

    def one(x, e, key):
        mask = jnp.ones(x.shape, bool)
        context = q.encode(p, q.memory(), x, e, mask)[1]
        return q.propose(p, p.initial(), jax.tree.map(lambda a: a[0], context), x[0], key).distribution.logits

    return jax.vmap(one)(x, e, keys)


def elbo(p, q, x) -> np.ndarray:
    """Of each frame, for a q that is a product of coins: a sum over all states."""
    logits, log_joint = np.asarray(guessed(p, q, x)), np.asarray(joint(p, x))
    log_q = logits @ STATES.T - np.logaddexp(0, logits).sum(1, keepdims=True)
    return (np.exp(log_q) * (log_joint - log_q)).sum(1)


@eqx.filter_jit
def sampled(p, q, x):
    """ELBO and IWAE of each frame from CHAINS draws."""
    batch = Batch(x, jnp.ones(x.shape[:2], bool))
    trace, _ = rollout(p, q, batch, random.key(3), particles=CHAINS)
    return ELBO(CHAINS, closed_form=False)(trace), IWAE(CHAINS)(trace)


def main() -> int:
    docs = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "docs"
    corpus = load("chorales")
    train, dreams = frames(corpus.train), WakeSleepConfig(wake=0.0, sleep=1.0)
    p, q = learned(train, IWAE(8), VIMCOConfig())
    anew = {
        "VIMCO of the ELBO": (ELBO(8), VIMCOConfig()),
        "VIMCO of IWAE-8": (IWAE(8), VIMCOConfig()),
        "the wake phase": (IWAE(8), WakeSleepConfig(wake=1.0, sleep=0.0)),
        "the sleep phase": (ELBO(), dreams),
    }
    other = learned(train, ELBO(), dreams)
    test = np.unique(frames(corpus.test), axis=0)
    x = jnp.asarray(test[np.linspace(0, len(test) - 1, TESTED).astype(int)])
    log_p, network = np.logaddexp.reduce(np.asarray(joint(p, x), float), 1), elbo(p, q, x)
    curves = {
        "mean-field VB": {n: elbo(p, MeanFieldVB(n), x) for n in SWEEPS},
        "optimised, from the network": {0: network} | {n: elbo(p, Optimised(q, n, SAMPLES), x) for n in STEPS},
        "optimised, from the prior": {0: elbo(p, Prior(), x)}
        | {n: elbo(p, Optimised(Prior(), n, SAMPLES), x) for n in STEPS},
    }
    chains = {n: np.asarray(sampled(p, PolyaGamma(PolyaGammaConfig(n)), x)) for n in GIBBS}
    ends = {"the network": network} | {name: curve[max(curve)] for name, curve in curves.items()}
    ends |= {f"a network anew, by {name}": elbo(p, learned(train, *how, p)[1], x) for name, how in anew.items()}
    draw(docs / "images" / "amortisation.png", log_p, ends, curves, chains)
    rows = list(ends.items())
    rows += [(f"Gibbs, {max(GIBBS)} sweeps: ELBO of the last", chains[max(GIBBS)][0])]
    rows += [(f"Gibbs, {max(GIBBS)} sweeps: IWAE-{CHAINS}", chains[max(GIBBS)][1])]
    rows += [(f"the network: IWAE-{CHAINS}", np.asarray(sampled(p, q, x)[1]))]
    pair = np.logaddexp.reduce(np.asarray(joint(other[0], x), float), 1), elbo(*other, x)
    write(docs / "results" / "amortisation.md", log_p, rows, len(ends), pair)
    return 0


def error(a: np.ndarray) -> float:
    return float(a.std(ddof=1) / len(a) ** 0.5)


def write(path: Path, log_p: np.ndarray, rows: list, products: int, pair: tuple) -> None:
    """rows: name and nats of each frame; the first is the network, the first `products` are products of coins; pair:
    log p(x) and ELBO of what wake-sleep learned."""
    lost = {name: log_p - value for name, value in rows}
    line = lambda name, value: f"| {name} | {value.mean():.3f} | {lost[name].mean():.3f} ± {error(lost[name]):.3f} |"
    table = "\n".join(line(*row) for row in rows)
    best = np.max([value for _, value in rows[:products]], axis=0)
    whole, gap = lost[rows[0][0]].mean(), (best - rows[0][1]).mean()
    text = f"""# What amortisation costs

A network that guesses z for every x at once is cheaper than to optimise a guess for each, and worse. How much worse
is counted here (`python scripts/amortisation.py`, which writes this page): a sigmoid belief network of {UNITS} units
on single frames of the shipped chorales, learned by VIMCO together with its recognition network ({UPDATES} updates,
batches of {ROWS}), then held. For {len(log_p)} distinct test frames log p(x) is the sum over all {len(STATES)} states,
{log_p.mean():.3f} nats on average, and ELBOs of products of coins are such sums, too; those of Gibbs chains, and IWAE,
are measured with {CHAINS} draws. The error is that of the mean over frames.

| q | nats per frame | below log p(x) |
|---|---|---|
{table}

- The network loses {whole:.3f} nats, {gap:.3f} of them ({gap / whole:.0%}) because it is one function of x (the
  amortisation gap: to the best product of coins that was found for each frame, which may not be the best there is),
  the rest because the posterior is no such product.
- `optimised` follows the ELBO itself, {max(STEPS)} steps of Adam with {SAMPLES} draws each, from either start;
  where a line of the figure still falls at its end, it has not arrived.
- `mean_field_vb` maximises a bound of the ELBO, {max(SWEEPS)} sweeps. That bound never falls, but the ELBO may:
  its quadratics are loose where logits are large and uncertain.
- A network anew has as many updates while p is held, where the first followed a p that moved: by VIMCO, which raises
  the ELBO or, as for the first, IWAE-8; by the wake phase of reweighted wake-sleep; and by the sleep phase, which sees
  nothing but what p draws. The last two lower KL(p(z | x) || q), not the other way round.
- Classic wake-sleep in place of VIMCO, with as many updates, makes a p of {pair[0].mean():.3f} nats whose network is
  {(pair[0] - pair[1]).mean():.3f} ± {error(pair[0] - pair[1]):.3f} below.
- A chain of `polya_gamma` draws from p(z | x) in the end, but its density is that of its last sweep given what was
  before: the ELBO pays for what that sweep remembers of a start at no units, and importance weights take some of it
  back.

![ELBO against sweeps and steps, and gaps frame by frame](../images/amortisation.png)
"""
    with replacing(path) as file:
        file.write(text.encode())
    print(text)


def draw(path: Path, log_p: np.ndarray, ends: dict, curves: dict, chains: dict) -> None:
    from matplotlib.ticker import LogLocator

    figure = new_figure(3.4)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    colours = ("#b8860b", VALID, "#7a3b8f")
    for (name, curve), colour in zip(curves.items(), colours):
        left.plot(list(curve), [(log_p - value).mean() for value in curve.values()], ".-", color=colour, label=name)
    for row, style, name in ((0, ".--", "ELBO of the last sweep"), (1, ".:", f"IWAE-{CHAINS}")):
        values = [(log_p - value[row]).mean() for value in chains.values()]
        left.plot(list(chains), values, style, color=TRAIN, label=f"Polya-Gamma Gibbs, {name}")
    gap = (log_p - ends["the network"]).mean()
    left.axhline(gap, color="#b03030", linewidth=0.9)
    left.annotate("the network", (0.25, gap), xycoords=("axes fraction", "data"), va="bottom", fontsize=7)
    left.set_xscale("symlog", linthresh=1)
    left.set_xlim(-0.15, 1.3 * max(STEPS))
    left.set_yscale("log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_formatter("")
    left.set_xlabel("sweeps over the units, or steps of Adam")
    left.set_title("nats below log p(x), mean over frames", fontsize=9)
    left.set_ylim(top=8 * left.get_ylim()[1])  # room for the legend
    left.legend(frameon=False, fontsize=6.5, loc="upper right")
    best = np.max([ends[name] for name in ends if name != "the network"], axis=0)
    order = np.argsort(log_p - ends["the network"])
    at = np.arange(len(order)) / len(order)
    right.fill_between(at, (log_p - best)[order], (log_p - ends["the network"])[order], color="#b03030", alpha=0.35,
                       label="one network for all x", linewidth=0)  # fmt: skip
    right.fill_between(at, 0, (log_p - best)[order], color=QUIET, alpha=0.5, label="a product of coins", linewidth=0)
    right.set_xlabel("frames, by the network's gap")
    right.set_title("what the gap comes of, nats", fontsize=9)
    right.legend(frameon=False, fontsize=7, loc="upper left")
    right.margins(x=0, y=0.02)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


if __name__ == "__main__":
    sys.exit(main())
