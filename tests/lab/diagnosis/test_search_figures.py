"""What the searches found, counted by hand."""

from mt.evaluation.metrics import Texts
from mt.inference.translator import Translation
from mt.lab.diagnosis.search import length_ratio, missing


def test_the_length_ratio_counts_words_as_bleu_does() -> None:
    assert length_ratio(Texts(["a b.", ""], ["a b c", "d, e"])) == 3 / 6
    assert length_ratio(Texts(["a"], [""])) == 1


def test_what_is_empty_or_cut_is_missing() -> None:
    found = [Translation("a"), Translation(" "), Translation("b", cut=True), Translation()]
    assert missing(["x", "y", "z", ""], found) == 100 * 2 / 3
    assert missing([""], [Translation()]) == 0
