"""Every part of the package, one line each, in tiny sizes. A new part joins here and is crossed with all others."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.bounds import ELBO, FIVO, IWAE, Annealed, TrajectoryKL, Warmup
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators import (
    EM,
    STL,
    ContrastiveDivergenceConfig,
    DReG,
    FilteringEMConfig,
    Pathwise,
    ScoreFunctionConfig,
    VIMCOConfig,
    WakeSleepConfig,
)
from counterpoint.inference import (
    BottomUpConfig,
    DTSBNDRecognitionConfig,
    FilteringConfig,
    ForwardBackwardConfig,
    GibbsConfig,
    IterativeConfig,
    KalmanConfig,
    NoisingConfig,
    PriorConfig,
    RecurrentFilteringConfig,
    SmoothingConfig,
    TSBNRecognitionConfig,
)
from counterpoint.models import (
    AutoregressiveConfig,
    CRBMConfig,
    DiffusionConfig,
    DMMConfig,
    DTSBNDConfig,
    HMMConfig,
    LDSConfig,
    RBMConfig,
    RNNConfig,
    RNNNADEConfig,
    RNNRBMConfig,
    RTRBMConfig,
    SRNNConfig,
    SRTRBMConfig,
    SVGConfig,
    TRBMConfig,
    TSBNConfig,
    VAEConfig,
    VRNNConfig,
)

MODELS = {  # what the data are, the configuration
    "vrnn-gru": ("binary", VRNNConfig(latent=2, hidden=3, width=4, cell="gru")),
    "vrnn-lstm": ("real", VRNNConfig(latent=2, hidden=2, width=3, depth=2, cell="lstm")),
    "srnn": ("binary", SRNNConfig(latent=2, hidden=3, width=4, readout=2, cell="lstm")),
    "svg": ("film", SVGConfig(latent=2, encoded=3, hidden=2, base=2, architecture="dcgan", conditioning=3)),
    "diffusion": ("real", DiffusionConfig(steps=2, width=3, depth=1)),
    "dmm": ("real", DMMConfig(latent=2, transition=3, emission=3)),
    "vae": ("binary", VAEConfig(latent=(2,), width=(3,), depth=1)),
    "vae-2": ("index", VAEConfig(latent=(2, 1), width=(3, 2), depth=1)),
    "tsbn-1": ("binary", TSBNConfig(units=(2,))),
    "tsbn-deep": ("real", TSBNConfig(units=(2, 1, 2), order=2, first_step=True, residual=True)),
    "tsbn-static": ("count", TSBNConfig(units=(2,), order=0, sees=False)),
    "dtsbn_d": ("grey", DTSBNDConfig(units=(3, 2), order=2, first_step=True)),
    "lds": ("real", LDSConfig(latent=2)),
    "hmm-index": ("index", HMMConfig(states=3)),
    "hmm-binary": ("binary", HMMConfig(states=2)),
    "autoregressive-0": ("binary", AutoregressiveConfig(order=0)),
    "autoregressive-1": ("real", AutoregressiveConfig(order=1)),
    "autoregressive-2": ("index", AutoregressiveConfig(order=2)),
    "rnn-logistic": ("real", RNNConfig(hidden=3)),
    "rnn-lstm": ("index", RNNConfig(hidden=2, depth=2, cell="lstm")),
    "rnn_nade": ("binary", RNNNADEConfig(hidden=3, units=2, cell="gru")),
}
POSTERIORS = {
    "filtering": FilteringConfig(width=3),
    "bottom_up": BottomUpConfig(width=(3, 2), depth=1),
    "recurrent_filtering": RecurrentFilteringConfig(hidden=3, width=3),
    "smoothing": SmoothingConfig(hidden=3, width=3),
    "iterative": IterativeConfig(iterations=2, observe=True, width=3),
    "iterative-rate": IterativeConfig(
        update="rate", inputs="errors", samples=0, layer_norm=False, layer_norm_mean=True, width=3
    ),
    "noising": NoisingConfig(),
    "prior": PriorConfig(),
    "tsbn_recognition": TSBNRecognitionConfig(),
    "dtsbn_d_recognition": DTSBNDRecognitionConfig(),
    "kalman": KalmanConfig(),
    "kalman-now": KalmanConfig(smooth=False),
    "forward_backward": ForwardBackwardConfig(),
    "forward_backward-now": ForwardBackwardConfig(smooth=False),
}
BOUNDS = {
    "elbo": ELBO(particles=2, closed_form=False),
    "elbo-closed": ELBO(particles=2),
    "elbo-warmup": ELBO(particles=1, kl_weight=Warmup(10, 0.1, 2.0)),
    "iwae": IWAE(particles=3),
    "fivo": FIVO(particles=3, threshold=0.9),
    "fivo-scored": FIVO(particles=3, threshold=0.9, score_resampling=True),
}
ESTIMATORS = {
    "pathwise": Pathwise(),
    "stl": STL(),
    "dreg": DReG(),
    "local": ScoreFunctionConfig(signal="local", baseline=2),
    "to-go": ScoreFunctionConfig(baseline=2),
    "to-go-bare": ScoreFunctionConfig(baseline=0, centre=False, normalise=False),
    "vimco": VIMCOConfig(),
    "wake_sleep": WakeSleepConfig(wake=0.7, sleep=0.3),
    "filtering_em": FilteringEMConfig(),
    "filtering_em-through": FilteringEMConfig(through_time=True),
    "em": EM(),
}
# the undirected side, whose parts meet only each other
UNDIRECTED = {
    "rbm-binary": ("binary", RBMConfig(units=3)),
    "rbm-real": ("real", RBMConfig(units=2)),
    "rbm-grey": ("grey", RBMConfig(units=2)),
    "trbm": ("binary", TRBMConfig(units=2)),
    "rtrbm": ("binary", RTRBMConfig(units=3)),
    "rtrbm-real": ("real", RTRBMConfig(units=2)),
    "srtrbm": ("grey", SRTRBMConfig(units=3, groups=2)),
    "rnn_rbm": ("binary", RNNRBMConfig(units=2, hidden=2, depth=2)),
    "crbm": ("real", CRBMConfig(units=2, order=2)),
}
CHAIN_POSTERIORS = {"gibbs": GibbsConfig(), "gibbs-2": GibbsConfig(sweeps=2)}
CHAIN_BOUNDS = {
    "trajectory_kl": TrajectoryKL(),
    "annealed": Annealed(temperatures=2, counted=0),
    "annealed-ais": Annealed(temperatures=2, particles=2, conservative=False, counted=0),
    "annealed-counted": Annealed(),
}
CHAIN_ESTIMATORS = {
    "cd": ContrastiveDivergenceConfig(),
    "cd-whole": ContrastiveDivergenceConfig(policy_gradient=True),
    "pcd": ContrastiveDivergenceConfig(chains=4),
}
ONLY_FOR = {
    "bottom_up": "vae-2",
    "tsbn_recognition": "tsbn",
    "dtsbn_d_recognition": "dtsbn_d",
    "kalman": "lds",
    "noising": "diffusion",
    "forward_backward": "hmm",
    "iterative": ("vrnn", "srnn", "svg", "dmm", "lds", "vae"),
}  # q, and the p it is made for
DISCRETE = ("tsbn", "dtsbn_d", "hmm")  # p with discrete z
PATHS = ("stl", "dreg")  # estimators that score a z twice, and so need x whole

STEPS = np.array([5, 3])  # of the two sequences of a batch


def fits(model: str, posterior: str) -> bool:
    """Whether this q can guess this p's z."""
    only = ONLY_FOR.get(posterior.split("-")[0])
    return only is None or model.startswith(only)


def trains(model: str, posterior: str, bound: str, estimator: str) -> bool:
    """Whether this gradient of this bound exists."""
    stepwise = estimator.startswith("filtering_em")
    broken = (estimator in ("pathwise", *PATHS) or stepwise) and model.startswith(DISCRETE)
    alone = BOUNDS[bound].particles < 2 or BOUNDS[bound].resampling is not None
    lonely = estimator in ("vimco", "wake_sleep") and alone
    cut = estimator in PATHS and BOUNDS[bound].resampling is not None
    summed = estimator == "dreg" and BOUNDS[bound].splits
    whole = (estimator == "local" and bound == "iwae") or (stepwise and not bound.startswith("elbo"))
    blind = estimator == "filtering_em" and not posterior.startswith("iterative")
    inexact = estimator == "em" and posterior not in ("kalman", "forward_backward")
    return not (broken or lonely or cut or summed or whole or blind or inexact)


def chains(model: str, bound: str, estimator: str) -> bool:
    """The same for an undirected p."""
    still = model.startswith("rbm")
    return (still or (bound != "trajectory_kl" and estimator != "pcd")) and (
        estimator != "cd-whole" or bound == "trajectory_kl"
    )


MEETS = {  # q that fit many p and compile for long: the p that stand for all here; test_refusals builds them with all
    "prior": (
        *("autoregressive-0", "autoregressive-1", "autoregressive-2", "rnn-lstm", "rnn_nade"),
        *("tsbn-1", "dmm", "hmm-binary"),
    ),
    "recurrent_filtering": ("srnn", "svg"),
    "smoothing": ("srnn", "hmm-index"),
    "iterative": ("srnn", "lds"),
    "iterative-rate": ("lds",),
}
PAIRS = [(p, q) for p in MODELS for q in POSTERIORS if fits(p, q) and p in MEETS.get(q, MODELS)]


def frames(kind: str, rows: int, length: int, seed=0) -> np.ndarray:
    """Data of a kind: (rows, length, ...)."""
    rng = np.random.default_rng(seed)
    if kind == "binary":
        return rng.integers(0, 2, (rows, length, 3)).astype(float)
    if kind == "real":
        return rng.normal(0.3, 1.1, (rows, length, 2))
    if kind == "grey":
        return rng.uniform(0, 1, (rows, length, 3))
    if kind == "film":
        return rng.uniform(0, 1, (rows, length, 16))
    if kind == "count":
        return rng.poisson(1.5, (rows, length, 3)).astype(float)
    return (
        np.concatenate([np.arange(3), rng.integers(0, 3, rows * length)])[: rows * length]
        .reshape(rows, length)
        .astype(np.int32)
    )


def facts_of(model: str):
    kind, _ = (MODELS | UNDIRECTED)[model]
    return facts(tuple(frames(kind, 4, 6)), {"film": "grey"}.get(kind, kind))


def stirred(tree, seed: int):
    """All parameters away from zero and from their first values, so that nothing hides behind a zero."""
    rng = np.random.default_rng(seed)
    move = lambda a: jnp.asarray(np.asarray(a) + 0.3 * rng.normal(size=a.shape), a.dtype)
    return jax.tree.map(lambda a: move(a) if eqx.is_inexact_array(a) else a, tree)


def per_precision(f):
    """Kept for the process, float32 and float64 apart."""
    kept = cache(lambda wide, *args: f(*args))
    return lambda *args: kept(jax.config.jax_enable_x64, *args)


@per_precision
def build_p(model: str, seed=0):
    return stirred((MODELS | UNDIRECTED)[model][1].build(facts_of(model), random.key(seed)), seed)


@per_precision
def build(model: str, posterior: str, seed=0):
    """p and q."""
    p, seed = build_p(model, seed), seed + 100
    return p, stirred(POSTERIORS[posterior].build(p, facts_of(model), random.key(seed)), seed)


@per_precision
def build_estimator(estimator: str, model: str):
    return stirred((ESTIMATORS | CHAIN_ESTIMATORS)[estimator].build(build_p(model), facts_of(model), random.key(7)), 7)


def batch_of(model: str, length=5, missing=False, lengths=STEPS) -> Batch:
    """Two sequences, padded with zeros. With `missing`, a frame of each, and an entry where frames have entries."""
    x = frames((MODELS | UNDIRECTED)[model][0], 2, int(max(lengths)), seed=3)
    valid = np.arange(length) < lengths[:, None]
    x = np.concatenate([x, np.zeros((2, length - x.shape[1], *x.shape[2:]), x.dtype)], 1)
    x = np.where(valid.reshape(*valid.shape, *(1,) * (x.ndim - 2)), x, np.zeros((), x.dtype))
    observed = np.ones(x.shape, bool)
    if missing:
        observed[0, 1] = observed[1, 0] = False
    if missing and x.ndim == 3:
        observed[0, 3, 0] = observed[1, 2, 1] = False
    return Batch(jnp.asarray(x), jnp.asarray(valid), jnp.asarray(observed) if missing else None)


def spoiled(batch: Batch, value) -> Batch:
    """`value` wherever nothing counts: at padding and where something is missing."""
    counts = np.asarray(batch.valid).reshape(*batch.valid.shape, *(1,) * (batch.x.ndim - 2))
    counts = np.broadcast_to(counts, batch.x.shape) & (True if batch.observed is None else np.asarray(batch.observed))
    value = value if batch.x.dtype.kind == "f" else {1e30: 10**6}.get(value, -1)
    return batch._replace(x=jnp.where(counts, batch.x, jnp.asarray(value, batch.x.dtype)))


def designs() -> list[tuple[str, str, str, str]]:
    """(p, q, bound, estimator) such that any two parts that can meet do meet, chosen greedily: every pair of p and q,
    and of each with every bound and estimator; there a posterior that looks ahead and one that does not are one.
    """
    everything = [(p, q, b, e) for p, q in PAIRS for b in BOUNDS for e in ESTIMATORS if trains(p, q, b, e)]

    def meetings(design):
        names = (design[0], design[1].removesuffix("-now").removesuffix("-rate"), *design[2:])
        return {design[:2]} | {((i, names[i]), (j, names[j])) for i in range(4) for j in range(i)}

    open_, chosen = set().union(*map(meetings, everything)), []
    while open_:
        best = max(everything, key=lambda d: len(meetings(d) & open_))
        chosen.append(best)
        open_ -= meetings(best)
    return sorted(chosen)


SELDOM = {  # q for many p: with which of them in the default suite
    "recurrent_filtering": ("srnn",),
    "smoothing": ("srnn",),
    "iterative": (),
    "iterative-rate": (),
}
TWINS = ("stl",)  # estimators that share their code with another: with -m slow
COSTLY = ("svg",)  # p that meet the other q with -m slow


def shared_out(cases, every: int) -> list:
    """Each `every`-th case (p, q, ...) in the default suite, the others with -m slow: they compile for minutes."""
    usual = lambda i, case: i % every == 0 and case[0] not in COSTLY
    seldom = lambda i, case: case[0] in SELDOM[case[1]] if case[1] in SELDOM else usual(i, case)
    often = lambda i, case: case[-1] not in TWINS and seldom(i, case)
    slow = pytest.mark.slow
    return [case if often(i, case) else pytest.param(case, marks=slow) for i, case in enumerate(cases)]


def refusal(call) -> str:
    """The message of the CounterpointError that `call` must raise."""
    try:
        call()
    except CounterpointError as error:
        return str(error)
    raise AssertionError("nothing was refused")
