"""Which sentences are new: a test sentence that training has nearly seen measures memory, not translation."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from mt.text.normal import joins, normalise
from mt.text.words import word_spans

WORD = re.compile(r"\w+")
MOST = 0.5
"""Share of its words that a new sentence may have in one training sentence."""


def novel(sentences: Sequence[str], training: Sequence[str]) -> list[int]:
    """Return the numbers of the sentences that share at most half of their words with any one training sentence.

    Words (text/words.py) are compared in lower case, without punctuation, and as often as they stand there.
    """
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, line in enumerate(training):
        for word, times in _words(line).items():
            found[word].append((number, times))
    table = {word: np.array(places) for word, places in found.items()}
    new: list[int] = []
    for number, line in enumerate(sentences):
        words, shared = _words(line), np.zeros(len(training), dtype=int)
        for word, times in words.items():
            if word in table:
                places, others = table[word].T
                shared[places] += np.minimum(times, others)
        if shared.max(initial=0) <= MOST * words.total():
            new.append(number)
    return new


def _words(line: str) -> Counter[str]:
    line = normalise(line).lower()
    if line.isascii():
        return Counter(WORD.findall(line))
    # A mark is part of its word, as in Hindi or Hebrew.
    kept = "".join(one if one.isalnum() or one == "_" or joins(one) else " " for one in line)
    return Counter(kept[start:end] for start, end in word_spans(kept))
