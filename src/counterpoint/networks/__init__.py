"""Networks that models and posteriors share."""

from counterpoint.networks.cells import ACTIVATIONS, CELLS, GRU, LSTM, clipped, mlp
from counterpoint.networks.convolutional import Architecture, Decoder, Encoder, Maps
from counterpoint.networks.dropout import thinned
from counterpoint.networks.factored import Factored, factored
from counterpoint.networks.highway import Highway
from counterpoint.networks.lagged import Layer, back, lagged, layer, shift
from counterpoint.networks.linear import Linear
from counterpoint.networks.recurrence import Recurrence
from counterpoint.networks.stacked import Stacked

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "GRU",
    "LSTM",
    "Architecture",
    "Decoder",
    "Encoder",
    "Factored",
    "Highway",
    "Layer",
    "Linear",
    "Maps",
    "Recurrence",
    "Stacked",
    "back",
    "clipped",
    "factored",
    "lagged",
    "layer",
    "mlp",
    "shift",
    "thinned",
]
