"""Which parts can meet, and few pairings in which all of them do."""

import collections
import functools
import itertools

import pytest

from conformance.parts import BOUNDS, DENOISERS, ESTIMATORS, MODELS, POSTERIORS

CHAINS_MEET = {  # the p that stand for all there
    "pcd-tempered": ("rbm-binary", "rbm-grey", "ssrbm"),
    "maximum_likelihood": ("rbm-binary", "rtrbm", "ssrbm"),
}
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
LAWS = ("vae-gumbel", "vae-concrete")  # p whose z are neither Gaussian nor discrete
REFINE = ("iterative", "optimised")  # q that move the parameters of a Gaussian or of what is discrete
DISCRETE = ("tsbn", "dtsbn_d", "hmm", "dbn", "dbm")  # p with discrete z
WEIGHTLESS = (
    *("prior", "kalman", "forward_backward", "noising", "mean_field_vb", "polya_gamma", "optimised"),
    *("dbn_recognition", "mean_field"),
)
PATHS = ("stl", "dreg")  # estimators that score a z twice, and so need x whole
MADE_FOR = {"greedy": "dbn_recognition", "persistent": "mean_field"}  # estimators, and the q without which they are not


def fits(model: str, posterior: str) -> bool:
    """Whether this q can guess this p's z."""
    name = posterior.split("-")[0]
    only = ONLY_FOR.get(name)
    return (only is None or model.startswith(only)) and (name not in REFINE or model not in LAWS)


def trains(model: str, posterior: str, bound: str, estimator: str) -> bool:
    """Whether this gradient of this bound exists."""
    stepwise = estimator.startswith("filtering_em")
    inexact = posterior not in ("kalman", "forward_backward")
    broken = (stepwise or (inexact and estimator in ("pathwise", *PATHS))) and model.startswith(DISCRETE)
    alone = BOUNDS[bound].particles < 2 or BOUNDS[bound].resampling is not None
    lonely = estimator in ("vimco", "wake_sleep") and alone
    cut = estimator in PATHS and BOUNDS[bound].resampling is not None
    summed = estimator == "dreg" and BOUNDS[bound].splits
    summing = stepwise or estimator in MADE_FOR
    whole = (estimator == "local" and bound == "iwae") or (summing and not bound.startswith("elbo"))
    blind = estimator == "filtering_em" and not posterior.startswith("iterative")
    approximate = estimator == "em" and inexact
    held = estimator == "monte_carlo_em" and not weightless(posterior)
    other = posterior != MADE_FOR.get(estimator, posterior)
    return not (broken or lonely or cut or summed or whole or blind or approximate or held or other)


def takes_gaps(estimator: str) -> bool:
    """Whether it learns from an x of which something is missing."""
    return estimator not in (*PATHS, *MADE_FOR)


def weightless(posterior: str) -> bool:
    """Whether q has nothing to learn."""
    return posterior.split("-")[0] in WEIGHTLESS and posterior != "optimised-filtering"


def chains(model: str, bound: str, estimator: str) -> bool:
    """The same for an undirected p."""
    still, drawn = model.startswith(("rbm", "ssrbm")), model.startswith("trbm")
    return (
        not (drawn and estimator == "maximum_likelihood")
        and (still or (bound != "trajectory_kl" and not estimator.startswith("pcd")))
        and (estimator != "cd-whole" or bound == "trajectory_kl")
    )


def corrupts(model: str, corruption: str) -> bool:
    """Whether there is such noise for frames of that kind."""
    kind = DENOISERS[model][0]
    return (corruption, kind) not in (("salt_and_pepper", "real"), ("gaussian_noise", "index"))


def denoises(model: str, corruption: str, bound: str, estimator: str) -> bool:
    """Whether what is learned has something to learn from."""
    bare = bound == "denoising-bare"
    alike = (DENOISERS[model][0], corruption) == ("grey", "salt_and_pepper")
    kept = not (model.startswith("gsn") and estimator == "walkback-1")  # what is kept is used from the second move on
    return kept and corrupts(model, corruption) and bare >= alike and not (bare and corruption.startswith("learned"))


MEETS = {  # q that fit many p and compile for long: the p that stand for all here; test_refusals builds them with all
    "prior": (
        *("autoregressive-0", "autoregressive-1", "autoregressive-2", "rnn-lstm", "rnn_nade"),
        *("tsbn-1", "dmm", "hmm-binary"),
    ),
    "convolutional": ("vae-conv",),
    "recurrent_filtering": ("srnn", "svg"),
    "smoothing": ("srnn", "hmm-index"),
    "iterative": ("srnn",),
    "iterative-rate": ("srnn",),
    "optimised": ("tsbn-1", "dmm"),
    "optimised-filtering": ("hmm-binary",),
}
PAIRS = [(p, q) for p in MODELS for q in POSTERIORS if fits(p, q) and p in MEETS.get(q, MODELS)]


LATENTS = {  # what bounds and estimators can tell p by: the law of z
    "none": ("autoregressive", "rnn"),
    "coins": ("tsbn", "dtsbn_d", "dbn", "dbm"),
    "categories": ("hmm",),
    "several": ("diffusion", "vae-2"),
}
ASKING = ("filtering_em", "em", *MADE_FOR)  # estimators that know which q they are for


def latents(model: str) -> str:
    return next((kind for kind, models in LATENTS.items() if model.startswith(models)), "gaussian")


def known(posterior: str, estimator: str) -> str:
    """What an estimator can tell q by."""
    return posterior.split("-")[0] if estimator in ASKING else f"learned: {not weightless(posterior)}"


def covering(designs: list, meetings) -> list:
    """Few of the designs in which all meetings happen that happen in any, chosen greedily."""
    left, chosen = {design: meetings(design) for design in designs}, []
    while left:
        chosen.append(max(left, key=lambda design: len(left[design])))
        met = left[chosen[-1]]
        left = {design: rest for design, meetings in left.items() if (rest := meetings - met)}
    return sorted(chosen)


def kinds(pair, estimator: str) -> tuple[str, str]:
    """What bounds and estimators know p and q by."""
    return latents(pair[0]), known(pair[1], estimator)


# few pairs in which each p is met and each q: where what is tested is between the two alone
FEW = covering(PAIRS, lambda pair: set(enumerate(pair)))


@functools.cache
def designs() -> list[tuple[str, str, str, str]]:
    """(p, q, bound, estimator) in which each p meets each q that it can, and any two others that can meet do, where p
    and q are known by their kinds."""
    able = lambda b, e: [pair for pair in PAIRS if trains(*pair, b, e)]
    pairs = {(b, e): able(b, e) for b in BOUNDS for e in ESTIMATORS}
    everything = {(*kinds(pair, e), b, e): None for (b, e), found in pairs.items() for pair in found}
    used, chosen = collections.Counter(), []
    for *kind, b, e in covering(list(everything), lambda design: set(itertools.combinations(enumerate(design), 2))):
        alike = [pair for pair in pairs[b, e] if kinds(pair, e) == tuple(kind)]
        chosen.append((*min(alike, key=used.__getitem__), b, e))
        used[chosen[-1][:2]] += takes_gaps(e)
    for i, pair in enumerate(pair for pair in PAIRS if not used[pair]):
        possible = [(b, e) for (b, e), found in pairs.items() if pair in found and takes_gaps(e)]
        chosen.append((*pair, *possible[i % len(possible)]))
    return sorted(chosen)


@functools.cache
def with_gaps() -> list[tuple[str, str, str, str]]:
    """Those of the designs that are tried where something of x is missing."""
    gaps = [design for design in designs() if takes_gaps(design[-1])]
    return covering(gaps, lambda d: {("p", d[0]), ("q", d[1]), (latents(d[0]), d[1])})


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
