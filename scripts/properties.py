"""Writes docs/models.md: the table of properties of Gan et al. 2015 (slides), with every model, found by asking it.

    python scripts/properties.py [--check]

directed     z and x can be drawn one after the other, without a Markov chain (the top of a dbn needs one)
latent       the model has latent variables z
nonlinear    some mean on the way to the next frame is not a linear function of what it depends on. Tested with real
             frames where the model takes them; a state that is one of K counts as its one-hot vector
distributed  z is several binary units, so that N of them distinguish 2^N states; – where z is real or there is none.
             Of a dae and a gsn z is a corrupted frame: real of the one, binary of the other, as the frames here are
past         what the next step depends on: earlier x, earlier z, both, or nothing

--check writes nothing, and fails where the file differs.
"""

import inspect
import os
import sys
from pathlib import Path

# what is run is small: the time goes into compiling it
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false")

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from counterpoint.core import AbstractDirected, AbstractUndirected
from counterpoint.distributions import facts
from counterpoint.errors import CounterpointError
from counterpoint.models.boltzmann import AbstractBoltzmann
from counterpoint.registry import parts
from counterpoint.report.markdown import markdown_table
from counterpoint.support import REAL, Support

PAGE = Path(__file__).resolve().parent.parent / "docs" / "models.md"
HEAD = ("model", "directed", "latent", "nonlinear", "distributed", "past", "its equations")
SIZES = {
    "units": 12,
    "latent": 5,
    "hidden": 5,
    "states": 5,
    "width": 6,
    "steps": 4,
    "readout": 2,
    "base": 2,
    "encoded": 5,
}
FRAMES = {"real": lambda rng: rng.normal(size=(20, 16)), "binary": lambda rng: rng.integers(0, 2, (20, 16)) * 1.0}


def built(config):
    """The model, small, for real frames, or for binary ones where it has no likelihood of real ones."""
    fields = config.__dataclass_fields__
    usual = {name: fields[name].default for name in SIZES if name in fields}
    small = {name: SIZES[name] for name, size in usual.items() if isinstance(size, int)}
    small |= {name: (SIZES[name],) * len(size) for name, size in usual.items() if isinstance(size, tuple)}
    for kind, frames in FRAMES.items():
        try:
            return sized(config, small).build(facts((frames(np.random.default_rng(0)),), kind), random.key(0)), kind
        except CounterpointError:
            continue
    raise SystemExit(f"{config.name}: no model of real or binary frames")


def sized(config, small):
    """The configuration in small sizes, where they go together, else as it is."""
    try:
        return config(**small)
    except CounterpointError:
        return config()


def stirred(p):
    """All parameters away from where they start, so that nothing is linear because it is zero."""
    leaves, tree = jax.tree.flatten(p)
    keys = random.split(random.key(1), len(leaves))
    move = lambda a, key: a + 0.3 * random.normal(key, a.shape) if isinstance(a, jax.Array) else a
    return jax.tree.unflatten(tree, [move(a, key) for a, key in zip(leaves, keys)])


@eqx.filter_jit
def example(p):
    """Some z: of a deep machine it takes a chain, and is compiled once."""
    return p.example()


@eqx.filter_jit
def next_step(p, z, x):
    """What x_1 and z_1 lead to: the means of z_2, where p has a law of it, and, for z_2 held, of x_2. Of an undirected
    p, of z_1 given x."""
    _, e = p.embed(p.memory(), x[None])
    carry = p.advance(p.initial(), z, jax.tree.map(lambda a: a[0], e))
    if isinstance(p, AbstractUndirected):
        return [p.posterior(carry, x).mean]
    first = p.prior(carry).mean if isinstance(p, AbstractDirected) else ()
    return jax.tree.leaves((first, p.likelihood(carry, example(p)).mean))


def moved(f, a, b):
    """Whether f changes between a and b."""
    return any(not np.allclose(u, v, atol=1e-5) for u, v in zip(f(a), f(b)))


def bent(f, a, b):
    """Whether f half way between a and b is not half way between its values."""
    half = jax.tree.map(lambda u, v: (u + v) / 2, a, b)
    return any(not np.allclose(h, (u + v) / 2, atol=1e-4) for h, u, v in zip(f(half), f(a), f(b)))


def row(config) -> tuple[str, ...]:
    """The properties of one model."""
    p, kind = built(config)
    p, directed, machine = stirred(p), isinstance(p, AbstractDirected), isinstance(p, AbstractUndirected)
    shapes = jax.tree.leaves(eqx.filter_eval_shape(example, p))
    x = [jnp.asarray(FRAMES[kind](np.random.default_rng(seed))[0], jnp.float32) for seed in (1, 2)]
    one_of = bool(shapes) and jnp.issubdtype(shapes[0].dtype, jnp.integer)
    z = [example(p), example(p)]
    if one_of:
        z = [jnp.asarray(0), jnp.asarray(1)]
    elif shapes:
        draw = lambda seed: jax.tree.map(lambda a: 1.0 * random.bernoulli(random.key(seed), 0.5, a.shape), example(p))
        z = [draw(1), draw(2)]
    of_x, of_z = lambda x: next_step(p, z[0], x), lambda z: next_step(p, z, x[0])
    past = [name for name, f, pair in (("x", of_x, x), ("z", of_z, z)) if not machine and moved(f, *pair)]
    if machine:  # the machine of the next step depends on the past by its biases alone
        past = [name for name, changed in depends(p, z, x).items() if changed]
    outputs = [of_x] if one_of else [of_x, of_z]
    curved = bent(outputs[0], *x) or (len(outputs) > 1 and bool(shapes) and bent(of_z, *z))
    curved = curved or (not machine and bool(shapes) and not one_of and decoded(p, z))
    if machine:
        law = p.posterior(p.initial(), x[0])
    else:  # z of neither kind is a frame
        law = p.prior(p.initial()) if directed else p.likelihood(p.initial(), example(p))
    support = law.support
    units = support if isinstance(support, Support) else next(iter(jax.tree.leaves(support, is_leaf=supported)), REAL)
    spread = "–" if not shapes or units.name == REAL.name else ("no" if one_of else "yes")
    said = (inspect.getdoc(type(p)) or "").split("\n\n")[0].splitlines()
    yes = lambda flag: "yes" if flag else "no"
    cells = (
        yes(directed and not isinstance(p, AbstractBoltzmann)),
        yes(shapes),
        yes(curved),
        spread,
        " and ".join(past) or "nothing",
    )
    return (f"`{config.name}`", *cells, "<br>".join(f"`{line.strip()}`" for line in said))


def supported(a) -> bool:
    return isinstance(a, Support)


def decoded(p, z) -> bool:
    """Whether the mean of x bends in its own z."""
    return bent(lambda z: [p.likelihood(p.initial(), z).mean], *z)


def depends(p, z, x) -> dict[str, bool]:
    """Of an undirected p: whether its next step changes with x_1, and with z_1."""
    probe = x[0]

    def machine(z, x):
        _, e = p.embed(p.memory(), x[None])
        carry = p.advance(p.initial(), z, jax.tree.map(lambda a: a[0], e))
        return [p.posterior(carry, probe).mean, p.likelihood(carry, z * 0).mean]

    return {"x": moved(lambda x: machine(z[0], x), *x), "z": moved(lambda z: machine(z, x[0]), *z)}


def page() -> str:
    """The whole file."""
    rows = [row(config) for config in parts("p").values()]
    about = (__doc__ or "").split("\n\n")[2]
    return (
        "\n\n".join(
            [
                "# Every model and its properties",
                "This is the table of properties in Gan's slides (2015), for every model here. The class of a "
                "model says whether it\nis directed, and every other entry is found by testing the model itself: "
                "`python scripts/properties.py` writes this page.",
                "    " + about.replace("\n", "\n    "),
                markdown_table(HEAD, rows, "l" * len(HEAD)),
            ]
        )
        + "\n"
    )


def main() -> int:
    text = page()
    if "--check" in sys.argv[1:]:
        stale = not PAGE.is_file() or PAGE.read_text() != text
        print(f"{PAGE.name} {'is not what the models say: run python scripts/properties.py' if stale else 'holds'}")
        return int(stale)
    PAGE.write_text(text)
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
