"""Every part of the package, one line each, in tiny sizes. A new part joins here and is crossed with all others."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
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
    GSNConfig,
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
    "vae-gumbel": ("binary", VAEConfig(latent=(2,), width=(3,), depth=1, law="gumbel_minimum")),
    "vae-concrete": ("real", VAEConfig(latent=(3,), width=(3,), depth=1, law="concrete", temperature=0.7)),
    "tsbn-1": ("binary", TSBNConfig(units=(2,))),
    "tsbn-deep": ("real", TSBNConfig(units=(2, 1, 2), order=2, first_step=True, residual=True)),
    "tsbn-static": ("count", TSBNConfig(units=(2,), order=0, sees=False)),
    "dtsbn_d": ("grey", DTSBNDConfig(units=(3, 2), order=2, first_step=True)),
    "lds": ("real", LDSConfig(latent=2)),
    "hmm-index": ("index", HMMConfig(states=3)),
    "hmm-binary": ("binary", HMMConfig(states=2)),
    "hmm-real": ("real", HMMConfig(states=2)),
    "autoregressive-0": ("binary", AutoregressiveConfig(order=0)),
    "autoregressive-1": ("real", AutoregressiveConfig(order=1)),
    "autoregressive-2": ("index", AutoregressiveConfig(order=2)),
    "rnn-logistic": ("real", RNNConfig(hidden=3)),
    "rnn-lstm": ("index", RNNConfig(hidden=2, depth=2, cell="lstm")),
    "rnn_nade": ("binary", RNNNADEConfig(hidden=3, units=2, cell="gru")),
    "rnn_nade-static": ("binary", RNNNADEConfig(hidden=0, units=2)),
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
    "trbm-real": ("real", TRBMConfig(units=2)),
    "rtrbm": ("binary", RTRBMConfig(units=3)),
    "rtrbm-real": ("real", RTRBMConfig(units=2)),
    "rtrbm-slabs": ("real", RTRBMConfig(units=2, slabs=True)),
    "srtrbm": ("grey", SRTRBMConfig(units=3, groups=2)),
    "rnn_rbm": ("binary", RNNRBMConfig(units=2, hidden=2, depth=2)),
    "crbm": ("real", CRBMConfig(units=2, order=2)),
    "crbm-binary": ("binary", CRBMConfig(units=2, order=2)),
    "fcrbm": ("real", FCRBMConfig(units=2, factors=3, styles=2, order=2)),
    "ssrbm": ("real", SSRBMConfig(units=2)),
    "srtrbm-slabs": ("real", SRTRBMConfig(units=2, groups=2, slabs=True)),
}
CHAIN_POSTERIORS = {
    "gibbs": GibbsConfig(),
    "gibbs-2": GibbsConfig(sweeps=2),
    "gibbs-previous": GibbsConfig(sweeps=2, previous=True),
}
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
# p that reconstruct what q corrupts, whose parts meet only each other
DENOISERS = {
    "dae-binary": ("binary", DAEConfig(width=3)),
    "dae-index": ("index", DAEConfig(depth=0)),
    "dae-grey": ("grey", DAEConfig(width=3, depth=2)),
    "dae-real": ("real", DAEConfig(width=3, activation="relu")),
    "gsn-binary": ("binary", GSNConfig(units=(3, 2), noise=0.7)),
    "gsn-grey": ("grey", GSNConfig(units=(3, 2))),
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

STEPS = np.array([5, 3])  # of the two sequences of a batch


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


def refusal(call) -> str:
    """The message of the CounterpointError that `call` must raise."""
    try:
        call()
    except CounterpointError as error:
        return str(error)
    raise AssertionError("nothing was refused")
