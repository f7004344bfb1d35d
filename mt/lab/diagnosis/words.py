"""Words as diagnoses count them: in lower case, without the punctuation around them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mt.corpora.pairs import Span
from mt.lab.diagnosis.case import Case
from mt.text.words import plain_words

FREQUENCIES = ("never", "1 to 2 times", "3 to 10 times", "11 to 100 times", "more than 100 times")
"""How often training has a word, in words."""
ENDS = (0, 2, 10, 100)


def words_of(line: str) -> list[str]:
    """Return the words of a line as they are counted."""
    return plain_words(line.lower())


def count(lines: Iterable[str]) -> Counter[str]:
    """Return how often each word comes."""
    return Counter(word for line in lines for word in words_of(line))


def source_counts(case: Case) -> Counter[str]:
    """Return how often each word comes in the sources of training."""
    return count(case.training.sources)


def frequency_of(word: str, counts: Mapping[str, int]) -> str:
    """Return which of FREQUENCIES a word has."""
    times = counts.get(word, 0)
    return FREQUENCIES[sum(times > end for end in ENDS)]


def owners(pieces: Sequence[Span], words: Sequence[Span]) -> list[int | None]:
    """Return the number of the word that most of each piece is in; None for one outside words."""
    found = list[int | None]()
    for start, stop in pieces:
        shared = [min(stop, end) - max(start, begin) for begin, end in words]
        best = max(range(len(words)), key=shared.__getitem__, default=None)
        found.append(best if best is not None and shared[best] > 0 else None)
    return found
