"""What must be copied: numbers, and names that no training sentence has; and how many of them come through."""

from collections import Counter
from collections.abc import Collection, Iterable

from mt.corpora.pairs import Split
from mt.evaluation.metrics import Texts
from mt.runs.scores import Part
from mt.text.normal import normalise
from mt.text.words import word_spans


def count_copied(texts: Texts, training: Split) -> dict[str, Part]:
    """Return how many numbers and how many unknown names of the sources are in the hypotheses as they stand.

    Only those count that the reference has as they stand, as often as it has them. A number is a word with a digit. A
    name is a word that begins with a capital letter and is in no source of training. Words are those of
    `mt.text.words`, without punctuation around them.
    """
    known = {word for line in training.sources for word in _words(line)}
    totals, kept = Counter[str](), Counter[str]()
    for source, reference, hypothesis in zip(texts.sources, texts.references, texts.hypotheses, strict=True):
        asked = Counter(_words(source)) & Counter(_words(reference))
        found = asked & Counter(_words(hypothesis))
        for kind, of in (("numbers", _is_number), ("names", lambda word: _is_name(word, known))):
            totals[kind] += sum(times for word, times in asked.items() if of(word))
            kept[kind] += sum(times for word, times in found.items() if of(word))
    return {kind: Part(kept[kind], totals[kind]) for kind in totals}


def _words(line: str) -> Iterable[str]:
    line = normalise(line)
    for start, end in word_spans(line):
        letters = [place for place in range(start, end) if line[place].isalnum()]
        if letters:
            yield line[letters[0] : letters[-1] + 1]


def _is_number(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _is_name(word: str, known: Collection[str]) -> bool:
    return word[0].isupper() and not _is_number(word) and word not in known
