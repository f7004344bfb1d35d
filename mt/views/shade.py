"""How dark a weight is drawn: everywhere alike, and so that a weight of a fifth is seen."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

KINK = 0.2
"""Up to this weight darkness grows steeply, and beyond it evenly to 1, so that more weight is always darker."""
DARK_AT_KINK = 0.44
Weights = TypeVar("Weights", float, NDArray[np.floating])


def darkness(weights: Weights) -> Weights:
    """Return how opaque weights are drawn, from 0 to 1; a weight below 0 or above 1 counts as these.

    attention.css and save.js have the same line, a test holds them equal.
    """
    ends: Sequence[float] = (0, KINK, 1)
    opaque: Weights = np.interp(weights, ends, (0, DARK_AT_KINK, 1))
    return opaque
