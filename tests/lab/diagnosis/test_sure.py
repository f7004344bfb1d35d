"""Calibration by hand, and against plain Python."""

import itertools
import random

import numpy as np
import pytest

from mt.config import Train
from mt.lab.diagnosis.sure import calibration_error, divide, matched, smoothed_error, smoothing_of, unsmooth


def test_calibration_by_hand() -> None:
    # Two pieces at .90, of which one is right, and two at .30, of which none: (2 x .40 + 2 x .30) / 4 = .35.
    bins = divide(np.array([0.9, 0.9, 0.3, 0.3]), np.array([True, False, False, False]))
    assert [(one.count, one.right) for one in bins] == [(2, 0.0), (2, 0.5)]
    assert [round(one.low * 15) for one in bins] == [4, 13]
    assert calibration_error(bins) == pytest.approx(35)


def test_certainty_belongs_to_the_last_interval() -> None:
    (only,) = divide(np.array([1.0, 0.95]), np.array([True, True]))
    assert (only.count, only.high) == (2, 1.0)


def test_calibration_is_that_of_plain_python() -> None:
    rng = random.Random(1)
    pieces = [(rng.random(), rng.random() < 0.6) for _ in range(500)]
    inside: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in pieces:
        inside.setdefault(int(confidence * 15), []).append((confidence, right))
    error = 0.0
    for found in inside.values():
        error += abs(sum(right for _, right in found) - sum(confidence for confidence, _ in found))
    bins = divide(*map(np.array, zip(*pieces, strict=True)))
    assert calibration_error(bins) == pytest.approx(100 * error / len(pieces))


def test_smoothing_by_hand() -> None:
    # With e = .1 and V = 10 a sure piece is led to .9 + .01 = .91, and a piece that is never right to .01.
    assert unsmooth(0.91, 0.1, 10) == pytest.approx(1)
    assert unsmooth(0.01, 0.1, 10) == pytest.approx(0)
    assert unsmooth(0.46, 0.1, 10) == pytest.approx(0.5)
    assert unsmooth(0.99, 0.1, 10) == 1


def test_what_smoothing_explains_is_no_error() -> None:
    right = np.array([True, True, True, False])
    sure = divide(np.full(4, 0.685), right)  # .685 is .75 smoothed, and so is all that lies between the two
    assert calibration_error(sure) == pytest.approx(6.5)
    assert smoothed_error(sure, 0.1, 10) == pytest.approx(0)
    assert smoothed_error(sure, 0.0, 10) == pytest.approx(6.5)
    over = divide(np.full(4, 0.91), right)
    assert smoothed_error(over, 0.1, 10) == pytest.approx(16)  # as it is
    under = divide(np.full(4, 0.46), right)
    assert smoothed_error(under, 0.1, 10) == pytest.approx(25)  # without smoothing


def test_smoothing_weighs_less_beside_a_teacher() -> None:
    assert smoothing_of(Train(label_smoothing=0.2)) == 0.2
    taught = Train.model_validate({"label_smoothing": 0.2, "teacher": {"runs": ["x"], "weight": 0.75}})
    assert smoothing_of(taught) == pytest.approx(0.05)


def longest(one: str, other: str) -> int:
    """The longest common subsequence by trying all of them."""
    for size in range(len(one), 0, -1):
        for places in itertools.combinations(one, size):
            rest = iter(other)
            if all(letter in rest for letter in places):
                return size
    return 0


def test_what_matches_is_a_longest_common_subsequence() -> None:
    rng = random.Random(2)
    for _ in range(60):
        one, other = ("".join(rng.choices("abcd", k=rng.randint(0, 7))) for _ in range(2))
        found = matched(one, other)
        kept, rest = [letter for letter, good in zip(one, found, strict=True) if good], iter(other)
        assert len(kept) == longest(one, other)
        assert all(letter in rest for letter in kept)
