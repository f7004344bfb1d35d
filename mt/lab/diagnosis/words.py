"""Words as diagnoses count them: in lower case, without the punctuation around them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mt.corpora.pairs import Span
from mt.text.normal import normalise
from mt.text.words import word_spans

BINS = ("0", "1-2", "3-10", "11-100", "more")
"""How often a word comes in training."""
ENDS = (0, 2, 10, 100)


def plain(word: str) -> str:
    """Return a word as it is counted; nothing where it has no letter and no digit."""
    kept = [place for place, letter in enumerate(word) if letter.isalnum()]
    return normalise(word[kept[0] : kept[-1] + 1]).lower() if kept else ""


def words_of(line: str) -> list[str]:
    """Return the words of a line as they are counted."""
    return [word for start, stop in word_spans(line) if (word := plain(line[start:stop]))]


def count(lines: Iterable[str]) -> Counter[str]:
    """Return how often each word comes."""
    return Counter(word for line in lines for word in words_of(line))


def most_frequent(counts: Counter[str], most: int) -> frozenset[str]:
    """Return so many of the most frequent words."""
    return frozenset(word for word, _ in counts.most_common(most))


def bin_of(word: str, counts: Mapping[str, int]) -> str:
    """Return which of BINS a word is in."""
    times = counts.get(word, 0)
    return BINS[sum(times > end for end in ENDS)]


def owners(pieces: Sequence[Span], words: Sequence[Span]) -> list[int | None]:
    """Return the number of the word that most of each piece is in; None for one outside words."""
    found = list[int | None]()
    for start, stop in pieces:
        shared = [min(stop, end) - max(start, begin) for begin, end in words]
        best = max(range(len(words)), key=shared.__getitem__, default=None)
        found.append(best if best is not None and shared[best] > 0 else None)
    return found
