"""What values a distribution can give."""

from typing import Any, NamedTuple

import numpy as np


class Support(NamedTuple):
    """What values a distribution can give: a name that q and p must share, and a test of data."""

    name: str
    contains: Any  # elementwise, in NumPy: array -> bool array


REAL = Support("real numbers", np.isfinite)
BINARY = Support("0 or 1", lambda x: (x == 0) | (x == 1))
UNIT_INTERVAL = Support("numbers between 0 and 1", lambda x: (x >= 0) & (x <= 1))
COUNTS = Support("counts 0, 1, 2, ...", lambda x: (x >= 0) & (x == np.round(x)))
