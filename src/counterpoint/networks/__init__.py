"""Networks that models and posteriors share."""

from counterpoint.networks.cells import CELLS, GRU, LSTM, mlp
from counterpoint.networks.lagged import Layer, back, lagged, layer, shift

__all__ = ["CELLS", "GRU", "LSTM", "Layer", "back", "lagged", "layer", "mlp", "shift"]
