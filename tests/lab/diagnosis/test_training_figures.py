"""Losses and short references, by hand."""

import math

import numpy as np
import pytest

from mt.evaluation.metrics import Texts, count_short
from mt.inference.scorer import Scored, mean_loss
from mt.lab.diagnosis.learned import guessing_loss


def test_guessing_by_hand() -> None:
    # Of 4 pieces, 0 was seen twice and 1 once: with one more for each, 3/7, 2/7, 1/7, 1/7.
    found = guessing_loss([[0, 1], [0]], [[0, 2], [1]], 4)
    assert found == pytest.approx(-(math.log(3 / 7) + math.log(1 / 7) + math.log(2 / 7)) / 3)


def test_the_loss_is_a_mean_over_pieces() -> None:
    none = np.zeros(2, np.float32)

    def read(*losses: float) -> Scored:
        found = np.array([-loss for loss in losses], np.float32)
        return Scored([4], [5] * len(losses), found, none, none.astype(np.int64), None, none)

    assert mean_loss([read(1, 2), read(6)]) == pytest.approx(3)


def test_short_references_have_fewer_words_than_four() -> None:
    assert count_short(Texts(["x"] * 4, ["a b c", "a b c.", "a", "a b c d e"])) == 2
