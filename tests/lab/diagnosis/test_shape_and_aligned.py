"""Figures of the weights' shape and of alignment, on examples worked on paper."""

import math
import random

import numpy as np
import pytest

from mt.alignment.links import aer
from mt.corpora.pairs import Gold
from mt.lab.diagnosis.aligned import errors_by, interval, missed_words
from mt.lab.diagnosis.shape import distance, entropy, is_punctuation, missing, repeated, shape_of

ROWS = np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75], [0.25, 0.25, 0.5]])
"""Two target pieces and </s>, two source pieces and </s>."""


def test_shape_on_paper() -> None:
    bits = [math.log(2), -(0.25 * math.log(0.25) + 0.75 * math.log(0.75)), 1.5 * math.log(2)]
    assert entropy(ROWS).tolist() == pytest.approx([one / math.log(3) for one in bits])
    assert entropy(np.full((1, 4), 0.1)).tolist() == pytest.approx([1]), "also where rows do not sum to one"
    # Steps 0 and 1 stand at 0 and 1, source pieces too; the second step has all that is not on </s> on the second.
    assert distance(ROWS).tolist() == pytest.approx([0.5, 0])
    found = shape_of([ROWS], [[False, True]])
    assert found.entropy == pytest.approx(100 * sum(bits) / 3 / math.log(3))
    assert found.largest == pytest.approx(100 * (0.5 + 0.75 + 0.5) / 3)
    assert found.end == pytest.approx(100 * (0 + 0.75 + 0.5) / 3)
    assert found.punctuation == pytest.approx(100 * (0.5 + 0.25 + 0.25) / 3)
    assert found.distance == pytest.approx(25)


def test_punctuation() -> None:
    assert [is_punctuation(name) for name in (".", "\u2581,", "\u2581\u2014", "a.", "\u2581", "<0xF0>", "7")] == [
        *(True, True, True, False, False, False, False)
    ]


def test_dropped_and_repeated_words_on_paper() -> None:
    assert missing("The dog, the cat.", "the dog sleeps") == (2, 4)
    assert repeated("the dog the cat", "the the the dog dog") == (1 + 1, 5)
    assert repeated("a dog", "a dog") == (0, 2)


def gold(*sure: tuple[int, int], possible: tuple[tuple[int, int], ...] = ()) -> Gold:
    return Gold(((0, 1), (2, 3)), ((0, 1), (2, 3)), frozenset(sure), frozenset({*sure, *possible}))


def test_errors_by_kind_and_missed_words_on_paper() -> None:
    truth = [gold((0, 0), (1, 1), possible=((0, 1),))] * 20
    found = [{(0, 0), (0, 1)}] * 20
    kinds = [["rare", "more"]] * 20
    # rare: A = 2, S = 1, A & S = 1, A & P = 2; more: A = 0, S = 1. One pair less is too few to tell.
    assert errors_by(kinds, found, truth) == pytest.approx({"rare": 100 * (1 - 3 / 3), "more": 100})
    assert errors_by(kinds[1:], found[1:], truth[1:]) == {}
    assert errors_by([["", "more"]] * 20, found, truth) == {"more": 100}
    assert missed_words([["hund", "hat"]] * 20, found, truth) == [("hat", 20, 20), ("hund", 0, 20)]


def test_interval_of_aer_against_plain_resampling() -> None:
    draw = random.Random(2)
    truth = [gold((0, 0), (1, 1)) for _ in range(40)]
    found = [{(0, draw.randint(0, 1)), (1, 1)} for _ in truth]
    low, high = interval(found, truth)
    drawn = []
    for _ in range(1000):
        rows = draw.choices(range(40), k=40)
        drawn.append(aer([found[row] for row in rows], [truth[row] for row in rows]).aer)
    drawn.sort()
    assert low == pytest.approx(drawn[25], abs=1.5)
    assert high == pytest.approx(drawn[975], abs=1.5)
    assert low < aer(found, truth).aer < high
