"""Batches hold rows of similar length within their budget, in an order that a key alone decides."""

import random
from typing import Any

import numpy as np
import pytest

from mt.data.batches import batch_order, group

Lengths = np.ndarray[Any, Any]


def lengths(count: int, seed: int) -> tuple[Lengths, Lengths]:
    chosen = np.random.default_rng(seed)
    source = chosen.integers(1, 60, count)
    return source, np.clip(source + chosen.integers(-20, 20, count), 1, None)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("budget", [1, 50, 400, 10**9])
def test_every_row_that_fits_is_seen_once_within_the_budget(seed: int, budget: int) -> None:
    source, target = lengths(700, seed)
    batches = batch_order(source, target, budget, 50, (seed, 3))
    fitting = [row for row in range(700) if source[row] <= 50 and target[row] <= 50]
    assert 300 < len(fitting) < 700
    assert sorted(row for batch in batches for row in batch) == fitting
    for batch in batches:
        padded = max(source[batch]) * len(batch), max(target[batch]) * len(batch)
        assert len(batch) == 1 or (padded[0] <= 2 * budget and padded[1] <= budget)
    if budget == 1:
        assert len(batches) > len(fitting) - 5  # only pairs of one piece each share a batch, if any
    if budget == 10**9:
        assert len(batches) == 1


def test_batches_are_full_and_hold_little_padding() -> None:
    source, target = lengths(5000, 1)
    batches = batch_order(source, target, 1000, 100, (1, 1))
    padded = sum(max(target[batch]) * len(batch) for batch in batches)
    assert target.sum() / padded > 0.95
    assert target.sum() / 1000 < len(batches) < 1.3 * target.sum() / 1000


def test_a_row_longer_than_the_budget_is_alone_and_one_over_the_limit_is_left_out() -> None:
    source, target = np.array([5, 5, 90, 5, 101, 5]), np.array([5, 5, 5, 90, 5, 101])
    batches = batch_order(source, target, 20, 100, (1, 1))
    assert sorted(map(sorted, batches)) == [[0, 1], [2], [3]]
    source, target = np.array([50, 5, 5, 5, 5]), np.array([1, 2, 2, 2, 2])
    assert sorted(map(sorted, batch_order(source, target, 25, 100, (1, 1)))) == [[0], [1, 2, 3, 4]]


def test_rows_exactly_at_the_limits_stay() -> None:
    source, target = np.full(6, 20), np.full(6, 10)
    assert sorted(map(len, batch_order(source, target, 30, 20, (1, 1)))) == [3, 3]  # 3 x 10 target, 3 x 20 source
    assert batch_order(source, target, 30, 19, (1, 1)) == []
    assert sorted(map(len, batch_order(source, target, 29, 20, (1, 1)))) == [2, 2, 2]


def test_long_sources_share_a_batch_only_within_its_attention_weights() -> None:
    source, target = np.full(8, 1024), np.full(8, 100)
    assert sorted(map(len, batch_order(source, target, 800, 2000, (1, 1)))) == [1] * 8  # by the source pieces
    assert sorted(map(len, batch_order(source, target // 100, 4096, 2000, (1, 1)))) == [8]
    source, target = np.full(8, 1024), np.full(8, 512)
    # 1,024 x 512 weights each: 4 of them are 512 x 4,096. By the pieces alone, all 8 would fit.
    assert sorted(map(len, batch_order(source, target, 4096, 2000, (1, 1)))) == [4, 4]
    assert sorted(map(len, batch_order(source, target, 4095, 2000, (1, 1)))) == [2, 3, 3]
    assert sorted(map(len, batch_order(source, target, 100, 2000, (1, 1)))) == [1] * 8


@pytest.mark.parametrize("budget", [50, 700, 5000])
def test_sources_of_up_to_512_pieces_share_batches_as_the_pieces_alone_have_it(
    budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = (side * 8 for side in lengths(600, 2))
    source[:5] = 512
    bounded = batch_order(source, target, budget, 600, (3, 1))
    monkeypatch.setattr("mt.data.batches.LONG", 10**9)
    assert bounded == batch_order(source, target, budget, 600, (3, 1))


def test_the_key_alone_decides_the_order() -> None:
    source, target = lengths(2000, 1)
    one = batch_order(source, target, 500, 100, (1, 0))
    assert one == batch_order(source, target, 500, 100, (1, 0))
    for key in [(1, 1), (2, 0), (0, 1)]:
        other = batch_order(source, target, 500, 100, key)
        assert other != one
        assert sorted(map(tuple, other)) != sorted(map(tuple, one))  # not only the batches move, also who shares one


def test_long_and_short_batches_are_mixed() -> None:
    source, target = lengths(5000, 1)
    means = [target[batch].mean() for batch in batch_order(source, target, 500, 100, (1, 0))]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.2


@pytest.mark.parametrize(("most", "width"), [(1, 1), (5, 1), (64, 1), (64, 19), (64, 20), (64, 65), (3, 100)])
def test_lines_to_translate_are_grouped_by_length_within_what_memory_holds(most: int, width: int) -> None:
    found = random.Random(most + width)
    lengths = [found.choice([0, 1, 2, 7, 40, 100, 101, 150, 990, 10_001]) for _ in range(300)]
    left = {row: length for row, length in enumerate(lengths) if length}
    for rows_together in group(lengths, most, width):
        longest = max(left.values())
        room = most if longest <= 100 else int(most * 100 / longest)
        room = room if width < 20 else room // (width // 10)
        expected = []
        for _ in range(min(max(room, 1), len(left))):
            nearest = max(left, key=lambda row: (left[row], -row))  # of the longest, the first
            expected.append(nearest)
            del left[nearest]
        assert rows_together == expected
    assert not left
