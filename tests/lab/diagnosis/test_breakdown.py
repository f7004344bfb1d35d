"""Translation broken down, on sentences that are counted by hand."""

from types import SimpleNamespace
from typing import cast

import pytest

from mt.evaluation.metrics import Texts, bleu
from mt.lab.diagnosis import DIAGNOSES
from mt.lab.diagnosis.breakdown import by_frequency, by_length, by_position, by_unseen, repeats
from mt.lab.diagnosis.case import Case, DoesNotApplyError
from mt.lab.diagnosis.words import words_of

TEXTS = Texts(
    hypotheses=["the cat sleeps here now", "a dog a dog runs", "it rains in the town today", "no"],
    references=["the cat sleeps here again", "a dog runs fast today", "it rains in the town today", "yes"],
    sources=["die Katze schläft hier, wieder", "ein Hund läuft", "es regnet heute in der kleinen Stadt", "ja!"],
)


def test_words_are_without_punctuation_and_case() -> None:
    assert words_of("»Die Katze«, sagt E.S.E. - ja!") == ["die", "katze", "sagt", "e.s.e", "ja"]


def test_parts_by_length_hold_the_shortest_first() -> None:
    short, long = by_length(TEXTS, 2)
    assert (short.name, short.rows) == ("1 to 3 source words", [3, 1])
    assert (long.name, long.rows) == ("5 to 7 source words", [0, 2])
    assert long.bleu == bleu(
        Texts([TEXTS.hypotheses[row] for row in (0, 2)], [TEXTS.references[row] for row in (0, 2)])
    )


def test_parts_by_unseen_words() -> None:
    known = ["Die Katze schläft wieder.", "ein Hund läuft hier", "es regnet in der Stadt"]
    none, one, more = by_unseen(TEXTS, {word for line in known for word in words_of(line)})
    assert (none.rows, one.rows, more.rows) == ([0, 1], [3], [2])


def test_positions_by_hand() -> None:
    # Right are 4 of 5, then a, dog (once) and runs of 5, all 6, and 0 of 1; so many are found of 5, 5, 6 and 1.
    (whole,) = by_position(TEXTS, 1)
    assert (whole.right, whole.hypotheses, whole.found, whole.references) == (13, 17, 13, 17)
    # a b | c d against a b | y d: right are a, b and d. x | b against a | b: b. As many are found.
    first, last = by_position(Texts(["a b c d", "x b"], ["a b y d", "a b"]), 2)
    assert (first.right, first.hypotheses, first.found, first.references) == (2, 3, 2, 3)
    assert (last.right, last.hypotheses, last.found, last.references) == (2, 3, 2, 3)
    # A translation that ends too soon is right where it stands, and lacks what the second half of its reference has.
    first, last = by_position(Texts(["a b"], ["a b c d e"]), 2)
    assert (first.right, first.hypotheses, first.found, first.references) == (1, 1, 2, 3)
    assert (last.right, last.hypotheses, last.found, last.references) == (1, 1, 0, 2)
    assert (first.f1, last.f1) == (100 * 3 / 4, 100 * 1 / 3)


def test_the_fall_is_from_the_first_fifth_to_the_last_but_one() -> None:
    """Of the ten words of each sentence the fourth fifth is wrong in every second one."""
    reference, spoilt = "a b c d e f g h i j", "a b c d e f x y i j"
    lines = [(reference, spoilt if number % 2 else reference) for number in range(20)]
    texts = Texts([made for _, made in lines], [wanted for wanted, _ in lines])
    found = DIAGNOSES["fails.position"].measure(cast(Case, SimpleNamespace(texts=texts)))
    assert found.value == 50
    assert [row[1] for row in found.table or ()][1:] == ["100.0"] * 6 + ["50.0"] * 2 + ["100.0"] * 2
    with pytest.raises(DoesNotApplyError, match="too short, or too few"):
        DIAGNOSES["fails.position"].measure(cast(Case, SimpleNamespace(texts=Texts(["a b"], ["a b"]))))


def test_matches_by_frequency_by_hand() -> None:
    found = by_frequency(TEXTS, {"the": 500, "a": 50, "dog": 7, "cat": 2})
    never, rare, few, some, often = found.values()
    assert (often.both, often.hypotheses, often.references, often.f1) == (2, 2, 2, 100)
    assert (some.both, some.hypotheses, some.references) == (1, 2, 1)  # a: twice, and once
    assert round(some.f1, 2) == 66.67
    assert (few.both, few.hypotheses, few.references) == (1, 2, 1)  # dog
    assert (rare.both, rare.f1) == (1, 100)  # cat
    # Of sleeps, here, now; runs; it, rains, in, town, today; no: all but now, no, and runs is among runs, fast, today.
    assert (never.both, never.hypotheses, never.references) == (2 + 1 + 5, 10, 12)


def test_repetitions_by_hand() -> None:
    assert repeats(["the", "the", "cat"], ["the", "cat"]) == ["the"]
    assert repeats(["very", "very", "good"], ["very", "very", "nice"]) == []
    assert repeats(["a", "dog", "a", "dog", "runs"], ["a", "dog", "runs"]) == ["a dog"]
    assert repeats(["in", "the", "air", "he", "is", "in", "the", "air"], ["he", "is", "up"]) == ["in the air"]
    assert (
        repeats(["in", "the", "air", "he", "is", "in", "the", "air"], ["in", "the", "air", "and", "in", "the", "air"])
        == []
    )
    assert repeats(["in", "a", "house", "in", "a", "town"], []) == []
