"""Translation broken down, on sentences that are counted by hand."""

from mt.evaluation.metrics import Texts, bleu
from mt.lab.diagnosis.breakdown import by_frequency, by_length, by_place, by_unseen, repeats
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
    none, one, more = by_unseen(TEXTS, known)
    assert (none.rows, one.rows, more.rows) == ([0, 1], [3], [2])


def test_places_by_hand() -> None:
    # Right are 4 of 5, then a, dog (once) and runs of 5, all 6, and 0 of 1.
    counts = by_place(TEXTS, 1)
    assert counts == [(4 + 3 + 6, 17)]
    halves = by_place(Texts(["a b c d", "x b"], ["a b y d", "a b"]), 2)
    assert halves == [(2, 3), (2, 3)]


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
