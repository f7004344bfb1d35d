"""What must be copied: numbers, and names that no training sentence has; and how many of them come through."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from mt.corpora.pairs import Split
from mt.evaluation.metrics import Texts
from mt.runs.scores import Part
from mt.text.words import plain_words


@dataclass(frozen=True)
class Copied:
    """Words of one kind in one sentence."""

    asked: Counter[str]
    """What source and reference both have, as it stands."""
    kept: Counter[str]
    """What of it the hypothesis has."""


def compare_copied(texts: Texts, training: Split) -> Iterator[dict[str, Copied]]:
    """Yield of each sentence the "numbers" and the unknown "names" of its source, and which the hypothesis has.

    Only those count that the reference has as they stand, as often as it has them. A number is a word with a digit. A
    name is a word that begins with a capital letter and is in no source of training. Words are those of
    `mt.text.words`, without punctuation around them.
    """
    known = {word for line in training.sources for word in plain_words(line)}
    for source, reference, hypothesis in zip(texts.sources, texts.references, texts.hypotheses, strict=True):
        asked = Counter(plain_words(source)) & Counter(plain_words(reference))
        found = asked & Counter(plain_words(hypothesis))
        yield {
            "numbers": Copied(*(_only(words, _is_number) for words in (asked, found))),
            "names": Copied(*(_only(words, lambda word: _is_name(word, known)) for words in (asked, found))),
        }


def count_copied(texts: Texts, training: Split) -> dict[str, Part]:
    """Return how many of all the numbers and names of `compare_copied` the hypotheses have."""
    totals, kept = Counter[str](), Counter[str]()
    for kinds in compare_copied(texts, training):
        for kind, one in kinds.items():
            totals[kind] += one.asked.total()
            kept[kind] += one.kept.total()
    return {kind: Part(kept[kind], totals[kind]) for kind in totals}


def _only(words: Counter[str], of: Callable[[str], bool]) -> Counter[str]:
    return Counter({word: times for word, times in words.items() if of(word)})


def _is_number(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _is_name(word: str, known: Collection[str]) -> bool:
    return word[0].isupper() and not _is_number(word) and word not in known
