"""Stochastic video generation with a learned prior."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Float, Int, PyTree

from counterpoint.core import AbstractDirected, Seen
from counterpoint.distributions import Facts, Family, Gaussian
from counterpoint.errors import at_least
from counterpoint.networks import Architecture, Decoder, Encoder, Linear, Maps, Stacked
from counterpoint.networks.convolutional import side_of


@dataclass(frozen=True)
class SVGConfig:
    """Sizes of an SVG-LP; by default those of Denton and Fergus (2018) for the videos of KTH.

    encoded       numbers of h_t
    hidden        units of the LSTMs; `depth` of them predict, `prior_depth` say what z_t may be
    base          channels of the first convolutions; `architecture` is "dcgan" or "vgg"
    conditioning  how many first frames a decoder copies maps from: after them, the last one's are kept; 0 copies from
                  none, None from the last frame throughout
    """

    name: ClassVar[str] = "svg"
    latent: int = 24
    encoded: int = 128
    hidden: int = 256
    depth: int = 2
    prior_depth: int = 1
    base: int = 64
    architecture: Architecture = "vgg"
    conditioning: int | None = None

    def __post_init__(self):
        at_least(self, 1, "latent", "encoded", "hidden", "depth", "prior_depth", "base")
        at_least(self, 0, "conditioning")

    def build(self, facts: Facts, key) -> "SVG":
        return SVG(self, facts, key=key)


class Sight(NamedTuple):
    """What the frames up to x_t say of step t + 1."""

    gates: Float[Array, " gates"]  # h_t's share of the lowest predicting LSTM
    prior: Float[Array, " 2*latent"]
    skips: Maps


class Past(NamedTuple):
    """What `embed` remembers: the prior's LSTM, and the maps that are kept where `conditioning` ends."""

    prior: PyTree
    skips: tuple[Int[Array, ""], Maps] | None  # and frames so far


class SVG(AbstractDirected):
    """h_t = Enc(x_t)
    p(z_t | x_<t)       = N(phi(LSTM_prior(h_<t)))
    g_t                 = tanh(W LSTM_predictor((h_t-1, z_t), ...))
    p(x_t | z_<=t, x_<t) = family(Dec(g_t, maps of Enc(x_s)) + b),   s < t         (Denton and Fergus 2018, sec. 3)

    with x_0 blank. h, the prior and the maps are functions of x alone: they run over all t before the scan that draws
    z, and stand in the carry (states of the predictor, `Sight`) as `Seen`.

    Which frame s the decoder copies from: in the paper's code, while it is given frames, the last one, and from then on
    the last of those. By the number of the step that is causal as it stands, s = min(t - 1, conditioning), and the same
    when learning, streaming and generating. None is that code's `last_frame_skip`, s = t - 1 throughout. 0 copies from
    the blank frame alone, and so says nothing of x: the code of Marino et al. 2018 multiplies the maps by zero.

    Departures: the likelihood is the family of the data, with a variance for each pixel where it has one (Marino et al.
    2018, appendix, sec. B.3), where the paper has a squared error, and a mean is no sigmoid; b, a number for each
    pixel, starts at the best constant frame, where the paper has a bias for each channel. The paper scores no frame of
    the beginning; here each counts, x_1 given the blank. Its linear layers before an LSTM are one with the LSTM's own.
    A scale is the softplus of its number. Its q is `RecurrentFiltering` with past = False; Marino et al. have
    `Iterative`.

    Frames are square images of one channel, (side, side) or flattened.
    """

    encoder: Encoder
    from_code: Linear
    past: Stacked
    to_prior: Linear
    code_gates: Linear
    z_gates: Linear
    predictor: Stacked
    to_g: Linear
    decoder: Decoder
    offset: Float[Array, " size"]
    latent: int = eqx.field(static=True)
    side: int = eqx.field(static=True)
    conditioning: int | None = eqx.field(static=True)
    family: Family = eqx.field(static=True)

    def __init__(self, config: SVGConfig, facts: Facts, *, key):
        keys, self.family, self.side = random.split(key, 9), facts.family, side_of(facts.family, config.name)
        outputs = self.family.size // self.family.width
        kind, side, base, z, h = config.architecture, self.side, config.base, config.latent, config.encoded
        self.encoder = Encoder(kind, side, base, h, key=keys[0])
        self.past = Stacked("lstm", config.hidden, config.prior_depth, key=keys[1])
        self.from_code = Linear(h, self.past.gates, key=keys[2])
        to_prior = Linear(config.hidden, 2 * z, key=keys[3])
        # a prior begins near N(0, 1), as in the other models
        start = 0.1 * to_prior.weight, jnp.zeros(2 * z)
        self.to_prior = eqx.tree_at(lambda layer: (layer.weight, layer.bias), to_prior, start)
        self.predictor = Stacked("lstm", config.hidden, config.depth, key=keys[4])
        self.code_gates = Linear(h, self.predictor.gates, key=keys[5])
        self.z_gates = Linear(z, self.predictor.gates, use_bias=False, key=keys[6])
        self.to_g = Linear(config.hidden, h, key=keys[7])
        self.decoder = Decoder(kind, side, base, h, outputs, key=keys[8])
        self.offset = jnp.asarray(facts.marginal)
        self.latent, self.conditioning = z, config.conditioning

    def memory(self):
        code, maps = self._blank()
        kept = None if self.conditioning is None else (jnp.zeros((), jnp.int32), maps)
        return Past(self.past(self.from_code(code), self.past.initial()), kept)

    def embed(self, memory, x):
        """e = h_t and `Sight`."""
        codes, maps = jax.vmap(lambda x: self.encoder(self.family.flatten(x).reshape(1, self.side, self.side)))(x)

        def step(state, gates):
            state = self.past(gates, state)
            return state, self.past.output(state)

        state, outputs = lax.scan(step, memory.prior, jax.vmap(self.from_code)(codes))
        kept, skips = self._kept(memory.skips, maps)
        sight = Sight(jax.vmap(self.code_gates)(codes), jax.vmap(self.to_prior)(outputs), skips)
        return Past(state, kept), (codes, sight)

    def features(self, x, e):
        return e[0]

    def initial(self):
        code, maps = self._blank()
        prior = self.to_prior(self.past.output(self.memory().prior))
        return self.predictor.initial(), Seen(Sight(self.code_gates(code), prior, maps))

    def advance(self, carry, z, e):
        return self._predicted(carry, z), Seen(e[1])

    def prior(self, carry):
        return Gaussian(jnp.zeros(self.latent), jnp.ones(self.latent)).like(carry[1].value.prior)

    def likelihood(self, carry, z):
        g = jnp.tanh(self.to_g(self.predictor.output(self._predicted(carry, z))))
        return self.family(self.decoder(g, carry[1].value.skips).ravel() + self.offset)

    def _predicted(self, carry, z):
        state, seen = carry
        return self.predictor(seen.value.gates + self.z_gates(z), state)

    def _blank(self):
        """h_0 and the maps of x_0 = 0."""
        return self.encoder(jnp.zeros((1, self.side, self.side), self.offset.dtype))

    def _kept(self, memory, maps):
        """What is remembered, and of maps a_t the a_s of step t + 1, s = min(t, conditioning)."""
        if self.conditioning is None:
            return None, maps
        before, last = memory
        length = len(maps.maps[0])
        newest = jnp.minimum(jnp.arange(1, length + 1), jnp.maximum(self.conditioning - before, 0))  # 0 is from before
        skips = jax.tree.map(lambda old, a: jnp.concatenate([old[None], a])[newest], last, maps)
        return (before + length, jax.tree.map(lambda a: a[-1], skips)), skips
