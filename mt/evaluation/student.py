"""Student's t distribution, also with a fraction of a degree of freedom, as Welch's test asks for."""

import math

import numpy as np
from numpy.typing import NDArray

LARGEST = 10_000.0
"""Degrees of freedom beyond which nothing changes in the digits that anybody reads."""
POINTS = 4_001


def tail(t: float, freedom: float) -> float:
    """Return P(|T| >= t) for T with so many degrees of freedom."""
    freedom = min(freedom, LARGEST)
    angles, tails = _tails(freedom)
    return float(np.interp(math.atan(abs(t) / math.sqrt(freedom)), angles, tails))


def quantile(p: float, freedom: float) -> float:
    """Return the t with P(|T| >= t) = p."""
    freedom = min(freedom, LARGEST)
    angles, tails = _tails(freedom)
    return math.sqrt(freedom) * math.tan(float(np.interp(p, tails[::-1], angles[::-1])))


def _tails(freedom: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return angles and the probability beyond each, where t = sqrt(freedom) tan(angle).

    The density in the angle is cos(angle) ** (freedom - 1), on a finite interval, so the trapezoid rule does. Points
    are denser where the angle nears 90 degrees, and so where t is large.
    """
    # Beyond twelve standard deviations nothing is left where freedom is large.
    end = min(math.pi / 2, 12 / math.sqrt(freedom))
    angles = end * (1 - np.linspace(1, 0, POINTS) ** 2)
    density = np.maximum(np.cos(angles), 0) ** (freedom - 1)
    steps = np.diff(angles) * (density[1:] + density[:-1]) / 2
    beyond = np.append(np.cumsum(steps[::-1])[::-1], 0)
    return angles, beyond / beyond[0]
