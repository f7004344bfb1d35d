"""Where the numbers of an axis stand."""

import math
from collections.abc import Sequence


def round_numbers(values: Sequence[float]) -> list[float]:
    """Return about five round numbers that hold all values."""
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    step = 10 ** math.floor(math.log10(span / 4))
    step = next(step * times for times in (1, 2, 5, 10) if step * times * 5 >= span)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]
