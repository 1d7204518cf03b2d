"""Writes dynamax.json beside itself: what dynamax finds for the small cases of test_em.py, in float64. It is kept, for
dynamax wants a nightly build of TensorFlow Probability.

    pip install dynamax
    python tests/exact/dynamax_answers.py
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

CASES = {
    "gaussian": {
        "start": [0.6, 0.4],
        "move": [[0.7, 0.3], [0.2, 0.8]],
        "means": [[0.4, -1.2], [-0.9, 0.3]],
        "scales": [[0.5, 0.8], [1.1, 0.6]],
        "x": np.random.default_rng(2).normal(size=(3, 7, 2)).round(6).tolist(),
    },
    "bernoulli": {
        "start": [0.6, 0.4],
        "move": [[0.7, 0.3], [0.2, 0.8]],
        "probs": [[0.6, 0.25], [0.3, 0.55]],
        "x": np.random.default_rng(3).integers(0, 2, (3, 7, 2)).tolist(),
    },
    "categorical": {
        "start": [0.6, 0.4],
        "move": [[0.7, 0.3], [0.2, 0.8]],
        "probs": [[0.5, 0.2, 0.3], [0.1, 0.6, 0.3]],
        "x": np.random.default_rng(4).integers(0, 3, (3, 7)).tolist(),
    },
    "linear": {
        "mean": [0.3, -0.2],
        "covariance": [[1.0, 0.2], [0.2, 0.7]],
        "move": [[0.9, 0.2], [-0.1, 0.8]],
        "noise": [[0.3, 0.05], [0.05, 0.2]],
        "readout": [[1.0, 0.5], [-0.3, 0.8], [0.2, -0.6]],
        "offset": [0.1, -0.2, 0.3],
        "observation_noise": [[0.5, 0.1, 0.0], [0.1, 0.4, 0.05], [0.0, 0.05, 0.6]],
        "x": np.random.default_rng(5).normal(size=(3, 7, 3)).round(6).tolist(),
    },
}


def hidden_markov(name: str, case: dict) -> dict:
    """Evidence and marginals of each sequence, and the parameters after one iteration of EM on all, without priors."""
    from dynamax.hidden_markov_model import BernoulliHMM, CategoricalHMM, DiagonalGaussianHMM

    none = dict.fromkeys(("initial_probs_concentration", "transition_matrix_concentration"), 1.0)
    begin = {"initial_probs": jnp.asarray(case["start"]), "transition_matrix": jnp.asarray(case["move"])}
    x = jnp.asarray(case["x"], int if name == "categorical" else float)
    if name == "gaussian":
        weight = {"mean_concentration": 0.0, "concentration": -1.5, "scale": 0.0}
        model = DiagonalGaussianHMM(2, 2, **none, **{f"emission_prior_{k}": v for k, v in weight.items()})
        begin |= {"emission_means": jnp.asarray(case["means"]), "emission_scale_diags": jnp.asarray(case["scales"])}
    elif name == "bernoulli":
        model = BernoulliHMM(2, 2, **none, emission_prior_concentration0=1.0, emission_prior_concentration1=1.0)
        begin |= {"emission_probs": jnp.asarray(case["probs"])}
    else:
        model = CategoricalHMM(2, 1, 3, **none, emission_prior_concentration=1.0)
        begin |= {"emission_probs": jnp.asarray(case["probs"])[:, None]}
        x = x[..., None]
    params, properties = model.initialize(**begin)
    found = [model.smoother(params, one) for one in x]
    new, _ = model.fit_em(params, properties, x, num_iters=1, verbose=False)
    out = {"start": new.initial.probs, "move": new.transitions.transition_matrix}
    if name == "gaussian":
        out |= {"means": new.emissions.means, "scales": new.emissions.scale_diags}
    else:
        out |= {"probs": new.emissions.probs.reshape(2, -1)}
    return out | {
        "log_evidence": [one.marginal_loglik for one in found],
        "filtered": [one.filtered_probs for one in found],
        "smoothed": [one.smoothed_probs for one in found],
    }


def linear(case: dict) -> dict:
    """The same. Not the covariance of z_1: of several sequences theirs is sum E[zz'] - sum E[z] sum E[z]' over their
    number."""
    from dynamax.linear_gaussian_ssm import LinearGaussianSSM

    names = {
        "initial_mean": "mean", "initial_covariance": "covariance", "dynamics_weights": "move",
        "dynamics_covariance": "noise", "emission_weights": "readout", "emission_bias": "offset",
        "emission_covariance": "observation_noise",
    }  # fmt: skip
    model = LinearGaussianSSM(2, 3, has_dynamics_bias=False)
    params, properties = model.initialize(**{name: jnp.asarray(case[ours]) for name, ours in names.items()})
    x = jnp.asarray(case["x"])
    found = [model.smoother(params, one) for one in x]
    new, _ = model.fit_em(params, properties, x, num_iters=1, verbose=False)
    return {
        "log_evidence": [one.marginal_loglik for one in found],
        **{f"{kind}_{what}": [getattr(one, f"{kind}_{what}") for one in found]
           for kind in ("filtered", "smoothed") for what in ("means", "covariances")},
        "mean": new.initial.mean, "move": new.dynamics.weights, "noise": new.dynamics.cov,
        "readout": new.emissions.weights, "offset": new.emissions.bias, "observation_noise": new.emissions.cov,
    }  # fmt: skip


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    kept = {}
    for name, case in CASES.items():
        found = linear(case) if name == "linear" else hidden_markov(name, case)
        kept[name] = {"given": case, "found": {key: np.asarray(value).tolist() for key, value in found.items()}}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in kept.items())
    Path(__file__).with_name("dynamax.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
