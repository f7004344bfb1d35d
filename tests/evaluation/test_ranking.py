"""AUROC, rank correlation, calibration and the pass-on curve: on paper, and against plain loops over all pairs."""

import math
import random

import numpy as np
import pytest

from mt.evaluation.ranking import auroc, calibration_error, pass_on, reliability, spearman

SEEDS = range(25)


def drawn(seed: int, size: int) -> tuple[list[float], list[float]]:
    """Numbers with ties, and classes."""
    rng = random.Random(seed)
    return [rng.randint(0, 6) / 6 for _ in range(size)], [float(rng.random() < 0.4) for _ in range(size)]


def test_auroc_on_paper() -> None:
    """Of the six pairs the ones win four and tie one."""
    scores, classes = np.array([0.9, 0.5, 0.5, 0.2, 0.1]), np.array([1.0, 1, 0, 0, 0])
    assert auroc(scores, classes) == pytest.approx(5.5 / 6)
    assert auroc(-scores, classes) == pytest.approx(0.5 / 6)
    assert math.isnan(auroc(scores, np.ones(5)))


@pytest.mark.parametrize("seed", SEEDS)
def test_auroc_counts_the_pairs_in_the_right_order(seed: int) -> None:
    scores, classes = drawn(seed, 17)
    pairs = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high, one in zip(scores, classes, strict=True)
        for low, other in zip(scores, classes, strict=True)
        if one and not other
    ]
    found = auroc(np.array(scores), np.array(classes))
    assert found == pytest.approx(sum(pairs) / len(pairs))


def test_rank_correlation_on_paper() -> None:
    """Without ties: 1 - 6 x the squares of the differences (0, 1, 1, 0: 2) / (4 x 15)."""
    assert spearman(np.array([1.0, 2, 3, 9]), np.array([10.0, 30, 20, 99])) == pytest.approx(1 - 12 / 60)
    assert math.isnan(spearman(np.ones(3), np.arange(3.0)))


@pytest.mark.parametrize("seed", SEEDS)
def test_rank_correlation_is_pearsons_of_mean_ranks(seed: int) -> None:
    left, right = drawn(seed, 13)[0], drawn(seed + 99, 13)[0]

    def rank(values: list[float]) -> list[float]:
        return [sum(b < a for b in values) + (1 + sum(b == a for b in values)) / 2 for a in values]

    xs, ys = rank(left), rank(right)
    mean = (len(left) + 1) / 2
    over = math.fsum((x - mean) * (y - mean) for x, y in zip(xs, ys, strict=True))
    under = math.sqrt(math.fsum((x - mean) ** 2 for x in xs) * math.fsum((y - mean) ** 2 for y in ys))
    assert spearman(np.array(left), np.array(right)) == pytest.approx(over / under)


def test_calibration_on_paper() -> None:
    """Two bins: .2 stated where none is so, and .9 on average where 2 of 3 are; the last bin holds 1 too."""
    chances, classes = np.array([0.2, 0.95, 0.95, 1.0]), np.array([0.0, 1, 1, 0])
    assert calibration_error(chances, classes) == pytest.approx(0.25 * 0.2 + 0.75 * (2.9 / 3 - 2 / 3))
    found = reliability(chances, classes)
    assert found == [pytest.approx((0.2, 0.0, 1)), pytest.approx((2.9 / 3, 2 / 3, 3))]


@pytest.mark.parametrize("seed", SEEDS)
def test_calibration_is_that_of_a_plain_loop_over_bins(seed: int) -> None:
    chances, classes = drawn(seed, 30)
    error = 0.0
    bins = 10 if seed % 2 else 15
    for low in range(bins):
        inside = [row for row, chance in enumerate(chances) if min(math.floor(bins * chance), bins - 1) == low]
        if inside:
            stated = math.fsum(chances[row] for row in inside) / len(inside)
            true = math.fsum(classes[row] for row in inside) / len(inside)
            error += len(inside) / len(chances) * abs(stated - true)
    assert calibration_error(np.array(chances), np.array(classes), bins) == pytest.approx(error)


def test_those_passed_on_are_the_lowest_and_their_ter_is_that_of_a_corpus() -> None:
    expected, edits, lengths = np.array([50.0, 10, 30, 20]), np.array([6.0, 0, 3, 2]), np.array([6.0, 4, 10, 10])
    found = pass_on(expected, edits, lengths, np.array([0.01, 0.25, 0.5, 0.75, 1]))
    assert found.tolist() == pytest.approx([0, 0, 200 / 14, 500 / 24, 1100 / 30])
