"""What the programs in scripts/ compute themselves: bins of lengths, ratios of speeds, the family's table."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from script_loader import FOLDER, script

from mt.config.files import read_config


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


def test_several_seeds_are_a_mean_with_its_deviation() -> None:
    cell = script("compare").cell
    assert cell([20.0, 23.0, None, 26.0]) == "23.0 ± 3.0"
    assert cell([20.04]) == "20.0"
    assert cell([]) == ""


def test_ratios_are_medians_of_what_each_round_says() -> None:
    def given(*seconds: float) -> Callable[[], float]:
        values: Iterator[float] = iter(seconds)
        return lambda: next(values)

    # The machine is twice as slow in the second round and the third hits the second row alone.
    rows = [(given(1, 2, 1), given(4, 8, 4)), (given(2, 4, 9), given(1, 2, 9))]
    assert script("family").ratios(rows, 3) == [(1, 1), (0.5, 4)]


@pytest.mark.parametrize("file", sorted(FOLDER.parent.glob("configs/trials/*.yaml")), ids=lambda file: file.stem)
def test_every_trial_of_a_list_is_an_experiment(file: Path) -> None:
    given = script("trials").read(file)
    configs = [read_config(file.parent / given.config, [*given.common, *own]) for own in given.trials.values()]
    assert len(configs) >= 2
    assert all(one not in configs[:place] for place, one in enumerate(configs))
