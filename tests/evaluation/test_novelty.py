"""What counts as new, beside a count by hand of every pair; and through the command line."""

import random
import re
import unicodedata
from collections import Counter

from mt.evaluation.novelty import _words, novel


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


def test_a_sentence_without_spaces_is_many_words() -> None:
    training = ["小厨房很干净。", "我去过 3.5 次 Berlin"]
    assert novel(["大厨房很小!", "你好吗?", "小厨房脏", "我去过 9 次 Rome"], training) == [1]
    assert novel(["ห้องน้ำ", "คน"], ["ห้องนอน"]) == [1]
    assert _words("小厨房,小Berlin很_3.5") == Counter(["小", "小", "厨", "房", "Berlin".lower(), "很", "_3", "5"])
    assert _words("हिन्दी है। שָׁלוֹם") == Counter(["हिन्दी", "है", unicodedata.normalize("NFC", "שָׁלוֹם")])


def test_ways_to_type_a_sentence_are_not_new() -> None:
    line = "größere Küchen über Äpfel"
    typed = [unicodedata.normalize("NFD", line), line.replace("ö", "\xadö"), line.replace(" ", "\u3000"), line.upper()]
    assert novel([one.replace("SS", "ß") for one in typed], [line]) == []


def test_latin_text_has_the_words_it_had() -> None:
    chosen = random.Random(3)
    letters = [chr(code) for code in range(0x20, 0x250) if code != 0xAD and chr(code).lower().isprintable()]
    letters = [one for one in letters if len(one.lower()) == 1]
    for _ in range(500):
        line = "".join(chosen.choices(letters, k=40)) + " " + "".join(chosen.choices("it's naïve_2 (æ)", k=20))
        assert _words(line) == Counter(re.findall(r"\w+", line.lower())), line
