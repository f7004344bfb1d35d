"""What the programs in scripts/ compute themselves: bins of lengths."""

import pytest
from script_loader import script


@pytest.mark.parametrize(
    ("lengths", "bins", "expected"),
    [
        ([3, 1, 2, 4], 2, [[1, 2], [0, 3]]),
        ([5, 5, 5, 5], 2, [[0, 1, 2, 3]]),  # one length is one bin
        ([1, 2, 2, 2, 3], 5, [[0], [1, 2, 3], [4]]),
        ([1] * 5 + [2] * 4 + [3], 3, [list(range(5)), list(range(5, 10))]),  # the rest of one joins the last bin
    ],
)
def test_bins_hold_whole_lengths_the_shortest_first(lengths: list[int], bins: int, expected: list[list[int]]) -> None:
    assert script("lengths").by_length([" ".join("w" * length) for length in lengths], bins) == expected
