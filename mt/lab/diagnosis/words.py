"""Words as diagnoses count them, in lower case without the punctuation around them; and how two lists compare."""

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


def matched(hypothesis: Sequence[object], reference: Sequence[object]) -> list[bool]:
    """Return which parts of the hypothesis belong to the longest subsequence that it shares with the reference."""
    rows, columns = len(hypothesis), len(reference)
    longest = [[0] * (columns + 1) for _ in range(rows + 1)]  # of what begins at (row, column)
    for row in reversed(range(rows)):
        for column in reversed(range(columns)):
            if hypothesis[row] == reference[column]:
                longest[row][column] = longest[row + 1][column + 1] + 1
            else:
                longest[row][column] = max(longest[row + 1][column], longest[row][column + 1])
    row, column, found = 0, 0, [False] * rows
    while row < rows and column < columns:
        if hypothesis[row] == reference[column]:
            found[row] = True
            row, column = row + 1, column + 1
        elif longest[row + 1][column] >= longest[row][column + 1]:
            row += 1
        else:
            column += 1
    return found


def edits(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the fewest words that must be inserted, deleted or replaced to make one list of the other."""
    row = list(range(len(other) + 1))
    for number, word in enumerate(one, 1):
        before, row = row, [number]
        for place, rival in enumerate(other):
            row.append(min(before[place] + (word != rival), before[place + 1] + 1, row[-1] + 1))
    return row[-1]
