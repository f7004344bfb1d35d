"""How far apart two computations of one number may be, on any processor: bounds from the unit roundoff, no guesses.

A processor adds in the order of its own vectors, and fuses products with sums or does not; each result is within the
rounding errors of what is exact.
"""

import torch


def bound(roundings: int, dtype: torch.dtype = torch.float64, size: float = 1.0) -> float:
    """Return gamma_n = n u / (1 - n u) times `size`, the greatest number met: Higham 2002, 3.1.

    So far are n roundings, one after another, from what is exact; u is the unit roundoff, half of eps.
    """
    error = roundings * torch.finfo(dtype).eps / 2
    return size * error / (1 - error)


FLOAT64 = bound(1000, size=9)
"""Of the tiny models: at most five steps through three layers, with numbers below nine."""
FLOAT32 = bound(200, torch.float32)
"""Of weights, of one model in batches of another shape: a rounding can grow no more than a weight can."""
LOSS32 = bound(1000, torch.float32)
"""Of a sum of some hundred terms, as a share of it."""
