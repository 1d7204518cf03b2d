"""Lines about z that evaluate prints: how particles share their weight, and which units are in use."""

import math

import equinox as eqx
import jax

from counterpoint.core import Pairing
from counterpoint.data.sequences import Sequences
from counterpoint.distributions import layers_of
from counterpoint.evaluation import active_units, unit_variances, weight_spread
from counterpoint.matching import names
from counterpoint.shapes import latent
from counterpoint.support import REAL


def lines(pairing: Pairing, sequences: Sequences, key) -> list[str]:
    """What there is to say of this pairing."""
    return [line for line in (weights(pairing, sequences, key), units(pairing, sequences, key)) if line]


def weights(pairing: Pairing, sequences: Sequences, key) -> str | None:
    """Of the particles of a bound that weighs whole paths."""
    count = pairing.bound.particles
    if pairing.bound.splits or count < 2:
        return None
    entropy, upper = weight_spread(pairing.p, pairing.q, sequences, count, key)
    return (
        f"weights of {count} particles: mean entropy {entropy:.3f} nats, as of {math.exp(entropy):.1f} of {count} that"
        f" weigh the same; sum of w log r: {upper:.3f} nats per step, which estimates log p(x) + KL(p(z | x) || q),"
        " above log p(x): no bound"
    )


def units(pairing: Pairing, sequences: Sequences, key) -> str | None:
    """Of p without a past, whose z are real and differentiable functions of what q has learned."""
    p, q = pairing.p, pairing.q
    learned, past = (jax.tree.leaves(a) for a in (eqx.filter(q, eqx.is_inexact_array), (p.initial(), p.memory())))
    if q.chain or past or not learned:
        return None
    law = latent(p)
    layers = layers_of(names(law.support))
    if not (layers and law.pathwise and all(name == REAL.name for name in layers)):
        return None
    each = [f"{active_units((a,))} of {a.size}" for a in unit_variances(p, q, sequences, key)]
    order = ", the lowest layer first" if len(each) > 1 else ""
    return f"active units: {', '.join(each)}{order}; their mean under q varies over frames by more than 0.01"
