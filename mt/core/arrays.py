"""Types of NumPy's arrays."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
"""Whole numbers: numbers of pieces, rows, counts."""
