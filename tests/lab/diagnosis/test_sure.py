"""Calibration by hand, and against plain Python."""

import itertools
import random

import numpy as np
import pytest

from mt.config import Train
from mt.evaluation.ranking import reliability
from mt.lab.diagnosis.sure import smoothed_error, smoothing_of, unsmooth
from mt.lab.diagnosis.words import matched


def test_smoothing_by_hand() -> None:
    # With e = .1 and V = 10 a sure piece is led to .9 + .01 = .91, and a piece that is never right to .01.
    assert unsmooth(0.91, 0.1, 10) == pytest.approx(1)
    assert unsmooth(0.01, 0.1, 10) == pytest.approx(0)
    assert unsmooth(0.46, 0.1, 10) == pytest.approx(0.5)
    assert unsmooth(0.99, 0.1, 10) == 1


def test_what_smoothing_explains_is_no_error() -> None:
    right = np.array([1.0, 1, 1, 0])
    sure = reliability(np.full(4, 0.685), right)  # .685 is .75 smoothed, and so is all that lies between the two
    assert smoothed_error(sure, 0.1, 10) == pytest.approx(0)
    assert smoothed_error(sure, 0.0, 10) == pytest.approx(0.065)
    over = reliability(np.full(4, 0.91), right)
    assert smoothed_error(over, 0.1, 10) == pytest.approx(0.16)  # as it is
    under = reliability(np.full(4, 0.46), right)
    assert smoothed_error(under, 0.1, 10) == pytest.approx(0.25)  # without smoothing


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
