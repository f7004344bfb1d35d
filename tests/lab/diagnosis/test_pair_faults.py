"""What is wrong with pairs, on pairs that are judged by hand."""

import numpy as np

from mt.corpora.pairs import Split
from mt.inference.scorer import Scored
from mt.lab.diagnosis.case import spread
from mt.lab.diagnosis.data import (
    Sample,
    count_again,
    find_misaligned,
    find_odd_lengths,
    find_odd_scripts,
    is_copy,
)


def test_a_copy_has_most_words_of_its_source() -> None:
    assert is_copy(["ein", "mann", "läuft"], ["läuft", "ein", "mann"])
    assert is_copy(["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "x"])
    assert not is_copy(["a", "b", "c", "d", "e"], ["a", "b", "c", "x", "y"])
    assert not is_copy(["guten", "tag"], ["guten", "tag"])  # too short to tell


def test_odd_lengths_are_against_what_is_usual() -> None:
    usual = [(10, 20)] * 9  # twice as long
    assert find_odd_lengths([*usual, (10, 100), (10, 4), (100, 20), (0, 2)]) == [9, 10, 11]


def test_odd_scripts_are_rare_on_their_side() -> None:
    lines = ["Der Hund schläft im Garten hinter dem Haus.", "Die Katze auch, und Ωmega."] * 30
    assert find_odd_scripts([*lines, "Собака спит", "1984!"]) == [60]
    japanese = ["猫が寝ている", "カタカナもひらがなもある"] * 30
    assert find_odd_scripts([*japanese, "漢字漢字", "only English"]) == [61]


def test_what_comes_again_is_counted_without_its_first_time() -> None:
    assert count_again("abacaba") == 4
    assert count_again([]) == 0


def test_a_sample_is_spread_over_all_pairs() -> None:
    pairs = Split([f"s{row}" for row in range(10)], [f"t{row}" for row in range(10)])
    assert spread(pairs, 4) == Split(["s0", "s2", "s5", "s7"], ["t0", "t2", "t5", "t7"])
    assert spread(pairs, 10).sources == pairs.sources


def read(loss: float) -> Scored:
    none = np.zeros(1, np.float32)
    return Scored([4], [5], np.array([-loss], np.float32), none, none.astype(np.int64), None, none)


def test_a_misaligned_pair_is_unlikely_and_unsupported() -> None:
    sources = ["eins", "zwei", "drei", "vier", "a b c", "sechs"]
    pairs = Split(sources, ["one", "two", "three", "nine", "a b c", "six"])
    losses, support = [1.0, 1.0, 1.0, 4.0, 4.0, 4.0], [3.0, 3.0, 0.1, 0.1, 0.1, 2.5]
    assert find_misaligned(Sample(pairs, [read(loss) for loss in losses], support)) == [3]
    assert find_misaligned(Sample(pairs, [read(1.0)] * 6, [0.1] * 6)) == [0, 1, 2, 3, 5]  # nowhere does a source matter
