"""Signals of a translation, on an example worked on paper, and against plain loops on drawn ones."""

import math
import random

import numpy as np
import pytest

from mt.inference.scorer import Scored
from mt.inference.signals import signals, word_signals

ROWS = [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.5, 0.25, 0.25]]
"""Three target pieces (</s> last) that looked at three source pieces."""


def read(chances: list[float], entropies: list[float], rows: list[list[float]] | None) -> Scored:
    logs = np.log(np.array(chances))
    matrix = None if rows is None else np.array(rows)
    source = [4] * (len(rows[0]) if rows else 3)
    return Scored(source, [5] * len(chances), logs, np.array(entropies), np.array([5] * len(chances)), matrix, logs)


def test_signals_of_an_example_worked_on_paper() -> None:
    found = signals(read([0.5, 0.25, 1.0], [0.3, 0.9, 0.0], ROWS))
    two = math.log(2)
    assert found == pytest.approx(
        {
            "mean_log_probability": -two,  # (-1 - 2 - 0) / 3 in units of log 2
            "least_log_probability": -2 * two,
            "output_entropy": 0.4,
            "source_pieces": 3,
            "target_pieces": 3,
            "attention_entropy": (two + 0 + 1.5 * two) / 3,
            "coverage_deviation": (1 + 0.25 + 0.75) / 3,  # the pieces got 2, 0.75 and 0.25
            "transport_from_uniform": 2 / 3 - 1 / 3,  # of 2/3, 1/4, 1/12 the first must give away what exceeds 1/3
        },
        abs=1e-6,
    )


def move(mass: list[float], wanted: list[float]) -> float:
    """Return the cost of moving mass, 1 a unit to any other place: each surplus is carried to the first that lacks."""
    have, cost = list(mass), 0.0
    for giver in range(len(have)):
        for taker in range(len(have)):
            carried = min(max(have[giver] - wanted[giver], 0), max(wanted[taker] - have[taker], 0))
            have[giver] -= carried
            have[taker] += carried
            cost += carried
    assert have == pytest.approx(wanted)
    return cost


def test_signals_of_attention_are_those_of_plain_loops() -> None:
    rng = random.Random(3)
    for _ in range(20):
        width, height = rng.randint(1, 6), rng.randint(1, 5)
        rows = [[rng.random() for _ in range(width)] for _ in range(height)]
        rows = [[weight / sum(row) for weight in row] for row in rows]
        found = signals(read([0.5] * height, [0.1] * height, rows))
        got = [sum(row[column] for row in rows) for column in range(width)]
        entropy = -sum(weight * math.log(weight) for row in rows for weight in row) / height
        assert found["attention_entropy"] == pytest.approx(entropy)
        assert found["coverage_deviation"] == pytest.approx(sum(abs(1 - mass) for mass in got) / width)
        shares = [mass / height for mass in got]
        assert found["transport_from_uniform"] == pytest.approx(move(shares, [1 / width] * width))


def test_without_attention_there_are_no_signals_of_it() -> None:
    assert not [name for name in signals(read([0.5, 0.5], [1, 1], None)) if "attention" in name or "coverage" in name]


def test_words_have_the_probability_of_all_their_pieces_and_know_their_neighbours() -> None:
    """ "no way": the first word is one piece, the second two, then </s>."""
    one = read([0.5, 0.25, 0.5, 0.8], [0.2, 0.4, 0.6, 0.1], None)
    found = word_signals(one, [(0, 2), (2, 4), (4, 6)], [(0, 2), (3, 6)])
    half = math.log(2)
    expected = {
        "probability": [0.5, 0.125],
        "probability_before": [0, 0.5],
        "probability_after": [0.125, 0.8],
        "entropy": [0.2, 0.5],
        "entropy_before": [0, 0.2],
        "entropy_after": [0.5, 0.1],
        "log_probability": [-half, -1.5 * half],
        "least_log_probability": [-half, -2 * half],
        "source_pieces": [3, 3],
        "sentence": [(-4 * half + math.log(0.8)) / 4] * 2,
        "place": [0, 0.5],
        "first": [1, 0],
        "length": [2, 2],
    }
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].tolist() == pytest.approx(values, abs=1e-6), name


def test_a_translation_without_words_has_signals_of_no_word() -> None:
    assert {len(values) for values in word_signals(read([0.5], [0.2], None), [], []).values()} == {0}
