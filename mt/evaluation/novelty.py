"""Which sentences are new: a test sentence that training has nearly seen measures memory, not translation."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mt.text.normal import joins, normalise
from mt.text.words import word_spans

WORD = re.compile(r"\w+")
MOST = 0.5
"""Share of its words that a new sentence may have in one training sentence."""


@dataclass(frozen=True)
class Nearest:
    """The training sentence that shares the most words with a sentence, the first of several."""

    number: int | None
    """Its number in training; None where none shares any."""
    shared: int
    words: int
    """Words of the sentence itself."""


def find_nearest(sentences: Sequence[str], training: Sequence[str]) -> list[Nearest]:
    """Return for each sentence the training sentence that shares the most words with it.

    Words (text/words.py) are compared in lower case, without punctuation, and as often as they stand there.
    """
    asked = [_words(line) for line in sentences]
    wanted = {word for words in asked for word in words}
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, line in enumerate(training):
        for word, times in _words(line).items():
            if word in wanted:
                found[word].append((number, times))
    table = {word: np.array(places) for word, places in found.items()}
    nearest: list[Nearest] = []
    for words in asked:
        shared = np.zeros(len(training), dtype=int)
        for word, times in words.items():
            if word in table:
                places, others = table[word].T
                shared[places] += np.minimum(times, others)
        most = int(shared.max(initial=0))
        nearest.append(Nearest(int(shared.argmax()) if most else None, most, words.total()))
    return nearest


def novel(sentences: Sequence[str], training: Sequence[str]) -> list[int]:
    """Return the numbers of the sentences that share at most half of their words with any one training sentence."""
    nearest = find_nearest(sentences, training)
    return [number for number, one in enumerate(nearest) if one.shared <= MOST * one.words]


def _words(line: str) -> Counter[str]:
    line = normalise(line).lower()
    if line.isascii():
        return Counter(WORD.findall(line))
    # A mark is part of its word, as in Hindi or Hebrew.
    kept = "".join(one if one.isalnum() or one == "_" or joins(one) else " " for one in line)
    return Counter(kept[start:end] for start, end in word_spans(kept))
