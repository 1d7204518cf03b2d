"""Networks that models and posteriors share."""

from counterpoint.networks.cells import CELLS, GRU, LSTM, mlp

__all__ = ["CELLS", "GRU", "LSTM", "mlp"]
