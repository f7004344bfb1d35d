"""Numbers and unknown names that come through, counted by hand."""

from mt.corpora.pairs import Split
from mt.evaluation.copied import count_copied
from mt.evaluation.metrics import Texts
from mt.runs.scores import Part

TRAINING = Split(["Anna sieht den Hund .", "Die Stadt ist alt ."], ["", ""])


def count(source: str, reference: str, hypothesis: str) -> tuple[Part, Part]:
    found = count_copied(Texts([hypothesis], [reference], [source]), TRAINING)
    return found["numbers"], found["names"]


def test_what_came_through_is_counted_as_it_stands() -> None:
    source, reference = "Zdeněk und Anna haben 17 Bücher, 3,5 kg.", "Zdeněk and Anna have 17 books, 3,5 kg."
    assert count(source, reference, reference) == (Part(2, 2), Part(1, 1))
    assert count(source, reference, "Zdenek and Anna have 71 books (3,5 kg).") == (Part(1, 2), Part(0, 1))
    assert count(source, reference, "") == (Part(0, 2), Part(0, 1))


def test_what_the_reference_translates_is_not_asked_for() -> None:
    assert count("Prag hat 1.000 Bücher", "Prague has 1,000 books", "Prag has 1.000 books") == (Part(0, 0), Part(0, 0))


def test_as_often_as_the_reference_has_it() -> None:
    assert count("7 und 7 und 7", "7 and 7", "7") == (Part(1, 2), Part(0, 0))
    assert count("7", "7", "7 7 7") == (Part(1, 1), Part(0, 0))


def test_a_known_name_is_a_word_like_others() -> None:
    assert count("Anna Die Stadt", "Anna Die Stadt", "")[1] == Part(0, 0)
    assert count("anna Maria", "anna Maria", "Maria")[1] == Part(1, 1)


def test_scripts_do_not_matter() -> None:
    assert count("Maria有17本书", "Maria hat 17 Bücher", "Maria hat 17") == (Part(1, 1), Part(1, 1))
    assert count("Zdeněk", "Zdene\u030ck", "Zdeněk")[1] == Part(1, 1)
