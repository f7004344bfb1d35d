"""Which words TER finds wrong: on paper, against plain edit distance, and with sacreBLEU's own count of edits."""

import random

import numpy as np
import pytest
from sacrebleu.metrics import CHRF, TER

from mt.evaluation.edits import find_wrong, rate
from mt.evaluation.metrics import Texts


@pytest.mark.parametrize(
    ("hypothesis", "reference", "wrong"),
    [
        ("a dog runs", "a dog runs", ""),
        ("a cat runs", "a dog runs", "cat"),  # replaced
        ("a big dog runs", "a dog runs", "big"),  # taken out
        ("a runs", "a dog runs", ""),  # a word is missing: none that is there is wrong
        ("runs the dog quickly", "the dog quickly runs", ""),  # moved
        ("runs the cat quickly", "the dog quickly runs", "cat"),  # moved and replaced
        ("x y", "", "x y"),
        ("", "a dog", ""),
    ],
)
def test_wrong_words_on_paper(hypothesis: str, reference: str, wrong: str) -> None:
    words = hypothesis.split()
    found = find_wrong(words, reference.split())
    assert [word for word, bad in zip(words, found, strict=True) if bad] == wrong.split()


def test_each_of_equal_words_keeps_its_own_verdict() -> None:
    assert find_wrong(["the", "the", "dog"], ["the", "dog"]) in ([True, False, False], [False, True, False])


def distance(left: list[str], right: list[str]) -> int:
    row = list(range(len(right) + 1))
    for number, word in enumerate(left, 1):
        before, row = row, [number]
        for place, other in enumerate(right, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (word != other)))
    return row[-1]


def test_wrong_and_missing_words_are_no_more_than_the_edits() -> None:
    """Drawn from few words, so that many are moved, and fewer are wrong than without moves."""
    rng, moved = random.Random(5), 0
    for _ in range(200):
        hypothesis, reference = (rng.choices("abcdefgh", k=rng.randint(1, 9)) for _ in range(2))
        wrong = sum(find_wrong(hypothesis, reference))
        missing = len(reference) - (len(hypothesis) - wrong)  # words of the reference that no right word stands for
        edits = TER().sentence_score(" ".join(hypothesis), [" ".join(reference)]).num_edits
        plain = distance(hypothesis, reference)
        assert max(wrong, missing) <= edits <= plain
        moved += edits < plain
    assert moved > 20


def test_ratings_are_sacrebleus_of_each_sentence() -> None:
    texts = Texts(["A dog runs.", "the Cat", ""], ["a dog runs fast.", "the cat sleeps", "nothing"])
    found = rate(texts)
    for row, (one, other) in enumerate(zip(texts.hypotheses, texts.references, strict=True)):
        ter = TER().sentence_score(one, [other])
        assert (found.edits_N[row], found.lengths_N[row]) == (ter.num_edits, ter.ref_length)
        assert found.ter()[row] == pytest.approx(ter.score)
        assert found.chrf_N[row] == pytest.approx(CHRF().sentence_score(one, [other]).score)
    assert found.wrong_W.tolist() == [0, 0, 1, 0, 0]  # "runs." is not "runs", and "fast." is missing
    assert found.sentence_W.tolist() == [0, 0, 0, 1, 1]


def test_in_a_script_without_spaces_a_word_is_a_character() -> None:
    found = rate(Texts(["今天好"], ["昨天好"], tokenize="zh"))
    assert found.wrong_W.tolist() == [1, 0, 0]
    assert (found.edits_N[0], found.lengths_N[0]) == (1, 3)


def test_sentences_that_are_taken_bring_their_words_along() -> None:
    found = rate(Texts(["a b", "", "c d e"], ["a x", "y", "c d e"]))
    part, words = found.take(np.array([2, 0, 0, 1]))
    assert words.tolist() == [2, 3, 4, 0, 1, 0, 1]
    assert part.wrong_W.tolist() == [0, 0, 0, 0, 1, 0, 1]
    assert part.sentence_W.tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert part.edits_N.tolist() == [0, 1, 1, 1]
