"""Every part of the package, one line each, in tiny sizes. A new part joins here and is crossed with all others."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from counterpoint.bounds import ELBO, FIVO, IWAE, Annealed, Denoising, TrajectoryKL, Warmup
from counterpoint.core import Batch
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators import (
    EM,
    STL,
    ContrastiveDivergenceConfig,
    DReG,
    FilteringEMConfig,
    GreedyConfig,
    MaximumLikelihood,
    MonteCarloEM,
    Pathwise,
    PersistentConfig,
    ScoreFunctionConfig,
    VIMCOConfig,
    WakeSleepConfig,
    WalkbackConfig,
)
from counterpoint.inference import (
    BottomUpConfig,
    ConvolutionalConfig,
    DBNRecognitionConfig,
    DTSBNDRecognitionConfig,
    FilteringConfig,
    ForwardBackwardConfig,
    GaussianNoiseConfig,
    GibbsConfig,
    IterativeConfig,
    KalmanConfig,
    LearnedCorruptionConfig,
    MeanFieldConfig,
    MeanFieldVBConfig,
    NoisingConfig,
    OptimisedConfig,
    PolyaGammaConfig,
    PriorConfig,
    RecurrentFilteringConfig,
    SaltAndPepperConfig,
    SmoothingConfig,
    TSBNRecognitionConfig,
)
from counterpoint.models import (
    AutoregressiveConfig,
    ConvVAEConfig,
    CRBMConfig,
    DAEConfig,
    DBMConfig,
    DBNConfig,
    DiffusionConfig,
    DMMConfig,
    DTSBNDConfig,
    FCRBMConfig,
    HMMConfig,
    LDSConfig,
    RBMConfig,
    RNNConfig,
    RNNNADEConfig,
    RNNRBMConfig,
    RTRBMConfig,
    SRNNConfig,
    SRTRBMConfig,
    SSRBMConfig,
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
    "vae-conv": ("film", ConvVAEConfig(latent=2, base=2)),
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
    "dbn": ("binary", DBNConfig(units=(2, 3))),
    "dbm": ("grey", DBMConfig(units=(2, 3))),
}
POSTERIORS = {
    "filtering": FilteringConfig(width=3),
    "bottom_up": BottomUpConfig(width=(3, 2), depth=1),
    "convolutional": ConvolutionalConfig(base=2, width=3),
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
    "mean_field_vb": MeanFieldVBConfig(sweeps=2),
    "polya_gamma": PolyaGammaConfig(sweeps=2, augment=False),
    "polya_gamma-ahead": PolyaGammaConfig(sweeps=2, ahead=1),
    "dbn_recognition": DBNRecognitionConfig(),
    "mean_field": MeanFieldConfig(iterations=3),
    "optimised": OptimisedConfig(steps=2, samples=2),
    "optimised-filtering": OptimisedConfig("filtering", steps=2, samples=2),
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
    "monte_carlo_em": MonteCarloEM(),
    "greedy": GreedyConfig(updates=2),
    "persistent": PersistentConfig(chains=4),
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
    "fcrbm": ("real", FCRBMConfig(units=2, factors=3, styles=2, order=2)),
    "ssrbm": ("real", SSRBMConfig(units=2)),
    "srtrbm-slabs": ("real", SRTRBMConfig(units=2, groups=2, slabs=True)),
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
    "pcd-tempered": ContrastiveDivergenceConfig(chains=2, temperatures=3),
    "maximum_likelihood": MaximumLikelihood(),
}
CHAINS_MEET = {  # the p that stand for all there
    "pcd-tempered": ("rbm-binary", "rbm-grey", "ssrbm"),
    "maximum_likelihood": ("rbm-binary", "rtrbm", "ssrbm"),
}
# p that reconstruct what q corrupts, whose parts meet only each other
DENOISERS = {
    "dae-binary": ("binary", DAEConfig(width=3)),
    "dae-index": ("index", DAEConfig(depth=0)),
    "dae-grey": ("grey", DAEConfig(width=3, depth=2)),
    "dae-real": ("real", DAEConfig(width=3, activation="relu")),
}
CORRUPTIONS = {
    "salt_and_pepper": SaltAndPepperConfig(),
    "gaussian_noise": GaussianNoiseConfig(),
    "learned_corruption": LearnedCorruptionConfig(width=3),
    "learned_corruption-one": LearnedCorruptionConfig(depth=0),
}
DENOISING_BOUNDS = {
    "denoising": Denoising(particles=2),
    "denoising-all": Denoising(others=False),
    "denoising-bare": Denoising(particles=2, information=False),
}
DENOISING_ESTIMATORS = {"walkback-1": WalkbackConfig(), "walkback-3": WalkbackConfig(3)}
ONLY_FOR = {
    "bottom_up": ("vae-2", "dbn"),
    "convolutional": ("vae-conv", "svg"),
    "tsbn_recognition": "tsbn",
    "dtsbn_d_recognition": "dtsbn_d",
    "kalman": "lds",
    "noising": "diffusion",
    "forward_backward": "hmm",
    "iterative": ("vrnn", "srnn", "svg", "dmm", "lds", "vae"),
    "mean_field_vb": "tsbn-1",
    "polya_gamma": "tsbn-1",
    "dbn_recognition": "dbn",
    "mean_field": "dbm",
    "optimised": ("vrnn", "srnn", "svg", "dmm", "lds", "vae", "tsbn", "dtsbn_d", "hmm"),
}  # q, and the p it is made for
DISCRETE = ("tsbn", "dtsbn_d", "hmm", "dbn", "dbm")  # p with discrete z
WEIGHTLESS = (
    *("prior", "kalman", "forward_backward", "noising", "mean_field_vb", "polya_gamma", "optimised"),
    *("dbn_recognition", "mean_field"),
)
PATHS = ("stl", "dreg")  # estimators that score a z twice, and so need x whole
MADE_FOR = {"greedy": "dbn_recognition", "persistent": "mean_field"}  # estimators, and the q without which they are not

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
    summing = stepwise or estimator in MADE_FOR
    whole = (estimator == "local" and bound == "iwae") or (summing and not bound.startswith("elbo"))
    blind = estimator == "filtering_em" and not posterior.startswith("iterative")
    inexact = estimator == "em" and posterior not in ("kalman", "forward_backward")
    held = estimator == "monte_carlo_em" and not weightless(posterior)
    other = posterior != MADE_FOR.get(estimator, posterior)
    return not (broken or lonely or cut or summed or whole or blind or inexact or held or other)


def weightless(posterior: str) -> bool:
    """Whether q has nothing to learn."""
    return posterior.split("-")[0] in WEIGHTLESS and posterior != "optimised-filtering"


def chains(model: str, bound: str, estimator: str) -> bool:
    """The same for an undirected p."""
    still = model.startswith(("rbm", "ssrbm"))
    return (still or (bound != "trajectory_kl" and not estimator.startswith("pcd"))) and (
        estimator != "cd-whole" or bound == "trajectory_kl"
    )


def corrupts(model: str, corruption: str) -> bool:
    """Whether there is such noise for frames of that kind."""
    kind = DENOISERS[model][0]
    return (corruption, kind) not in (("salt_and_pepper", "real"), ("gaussian_noise", "index"))


def denoises(model: str, corruption: str, bound: str) -> bool:
    """Whether what is learned has something to learn from."""
    bare = bound == "denoising-bare"
    alike = (model, corruption) == ("dae-grey", "salt_and_pepper")
    return corrupts(model, corruption) and bare >= alike and not (bare and corruption.startswith("learned"))


MEETS = {  # q that fit many p and compile for long: the p that stand for all here; test_refusals builds them with all
    "prior": (
        *("autoregressive-0", "autoregressive-1", "autoregressive-2", "rnn-lstm", "rnn_nade"),
        *("tsbn-1", "dmm", "hmm-binary"),
    ),
    "convolutional": ("vae-conv",),
    "recurrent_filtering": ("srnn", "svg"),
    "smoothing": ("srnn", "hmm-index"),
    "iterative": ("srnn", "lds"),
    "iterative-rate": ("lds",),
    "optimised": ("tsbn-1", "dmm"),
    "optimised-filtering": ("hmm-binary",),
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
    kind, _ = (MODELS | UNDIRECTED | DENOISERS)[model]
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
    return stirred((MODELS | UNDIRECTED | DENOISERS)[model][1].build(facts_of(model), random.key(seed)), seed)


@per_precision
def build(model: str, posterior: str, seed=0):
    """p and q."""
    p, seed = build_p(model, seed), seed + 100
    return p, stirred(POSTERIORS[posterior].build(p, facts_of(model), random.key(seed)), seed)


@per_precision
def build_estimator(estimator: str, model: str):
    config = (ESTIMATORS | CHAIN_ESTIMATORS | DENOISING_ESTIMATORS)[estimator]
    return stirred(config.build(build_p(model), facts_of(model), random.key(7)), 7)


def batch_of(model: str, length=5, missing=False, lengths=STEPS) -> Batch:
    """Two sequences, padded with zeros. With `missing`, a frame of each, and an entry where frames have entries."""
    x = frames((MODELS | UNDIRECTED | DENOISERS)[model][0], 2, int(max(lengths)), seed=3)
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


LATENTS = {  # what bounds and estimators can tell p by: the law of z
    "none": ("autoregressive", "rnn"),
    "coins": ("tsbn", "dtsbn_d", "dbn", "dbm"),
    "categories": ("hmm",),
    "several": ("diffusion", "vae-2"),
}
OWN = ("iterative", "kalman", "forward_backward", "dbn_recognition", "mean_field")  # q that some estimator asks for


def latents(model: str) -> str:
    return next((kind for kind, models in LATENTS.items() if model.startswith(models)), "gaussian")


def learned(posterior: str) -> str:
    """What bounds and estimators can tell q by."""
    name = posterior.split("-")[0]
    return name if name in OWN else f"learned: {not weightless(posterior)}"


def covering(designs: list, meetings) -> list:
    """Few of the designs in which all meetings happen that happen in any, chosen greedily."""
    left, chosen = {design: meetings(design) for design in designs}, []
    while left:
        chosen.append(max(left, key=lambda design: len(left[design])))
        met = left[chosen[-1]]
        left = {design: rest for design, meetings in left.items() if (rest := meetings - met)}
    return sorted(chosen)


def meetings(design) -> set:
    """The pair of p and q, and each two parts, where bounds and estimators know p and q by their kinds."""
    model, posterior, *others = design
    names = latents(model), learned(posterior), *others
    return {design[:2]} | {((i, names[i]), (j, names[j])) for i in range(4) for j in range(i)}


def designs() -> list[tuple[str, str, str, str]]:
    """(p, q, bound, estimator) such that any two parts that can meet do meet."""
    everything = [(p, q, b, e) for p, q in PAIRS for b in BOUNDS for e in ESTIMATORS if trains(p, q, b, e)]
    return covering(everything, meetings)


SELDOM = {  # q for many p: with which of them in the default suite
    "recurrent_filtering": ("srnn",),
    "smoothing": ("srnn",),
    "iterative": (),
    "iterative-rate": (),
    "polya_gamma-ahead": (),
    "optimised": (),
    "optimised-filtering": (),
}
TWINS = ("stl",)  # estimators that share their code with another: with -m slow
COSTLY = ("svg", "vae-conv", "dbn", "dbm")  # p that meet the other q with -m slow


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
