"""What counts as new, beside a count by hand of every pair; and through the command line."""

import random

from mt.evaluation.novelty import novel


def test_half_of_the_words_in_one_training_sentence_is_new_and_more_is_not() -> None:
    training = ["The cat sat.", "a dog ran"]
    assert novel(["the cat flew away", "The CAT, sat!", "cat dog", "", "the the the cat"], training) == [0, 2, 3, 4]


def test_it_finds_what_comparing_every_pair_finds() -> None:
    draw = random.Random(1)
    lines = [" ".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(200)]
    sentences, training = lines[:100], lines[100:]

    def seen(sentence: str, other: str) -> bool:
        left, found = other.split(), 0
        for word in sentence.split():
            if word in left:
                left.remove(word)
                found += 1
        return 2 * found > len(sentence.split())

    expected = [i for i, one in enumerate(sentences) if not any(seen(one, other) for other in training)]
    assert 0 < len(expected) < 100
    assert novel(sentences, training) == expected
