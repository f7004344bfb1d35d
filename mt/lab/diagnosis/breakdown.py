"""Translation broken down: by length, unseen words, position in the sentence, and how often training has a word."""

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from mt.evaluation.metrics import Texts, bleu
from mt.lab.diagnosis.words import FREQUENCIES, frequency_of, matched, words_of

Words = Sequence[str]


@dataclass(frozen=True)
class Part:
    """Some sentences of a split, and their BLEU."""

    name: str
    rows: list[int]
    bleu: float


@dataclass(frozen=True)
class Matches:
    """Words of hypotheses and references, and how many of them are in both."""

    both: int = 0
    hypotheses: int = 0
    references: int = 0

    @property
    def f1(self) -> float:
        """Twice what is in both, of all, in percent."""
        return 200 * self.both / max(self.hypotheses + self.references, 1)


def score_part(texts: Texts, name: str, rows: list[int]) -> Part:
    """Return the BLEU of some sentences; 0 of none."""
    return Part(name, rows, bleu(texts.take(rows)) if rows else 0.0)


def by_length(texts: Texts, parts: int) -> list[Part]:
    """Return as many parts of about one size, by the number of source words, the shortest first."""
    lengths = [len(words_of(source)) for source in texts.sources]
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    found = []
    for part in range(parts):
        rows = order[len(order) * part // parts : len(order) * (part + 1) // parts]
        if rows:
            found.append(score_part(texts, f"{lengths[rows[0]]} to {lengths[rows[-1]]} source words", rows))
    return found


def by_unseen(texts: Texts, known: Container[str]) -> list[Part]:
    """Return the sentences with 0, with 1, and with more source words that are not among the known ones."""
    unseen = [sum(word not in known for word in words_of(source)) for source in texts.sources]
    wanted: dict[str, Callable[[int], bool]] = {
        "no unseen source word": lambda count: count == 0,
        "1 unseen source word": lambda count: count == 1,
        "2 or more unseen source words": lambda count: count > 1,
    }
    return [
        score_part(texts, name, [row for row, count in enumerate(unseen) if of(count)]) for name, of in wanted.items()
    ]


@dataclass
class Position:
    """The words that stand in one part of their sentences, of all sentences."""

    right: int = 0
    """Words of the translations that are right."""
    hypotheses: int = 0
    found: int = 0
    """Words of the references that are found."""
    references: int = 0

    @property
    def f1(self) -> float:
        """What is right or found, of all, in percent."""
        return 100 * (self.right + self.found) / max(self.hypotheses + self.references, 1)


def by_position(texts: Texts, parts: int) -> list[Position]:
    """Return how many words are right, and how many are found, in each part of the sentences, from the first.

    Word number p of n, from 0, stands in part floor(p x parts / n). Words are those of BLEU. A word of a translation is
    right, and one of a reference found, that belongs to the longest subsequence that the two share.
    """
    split, found = texts.split(), [Position() for _ in range(parts)]
    for hypothesis, reference in zip(split.hypotheses, split.references, strict=True):
        made, wanted = hypothesis.split(), reference.split()
        for place, is_right in enumerate(matched(made, wanted)):
            here = found[place * parts // len(made)]
            here.hypotheses, here.right = here.hypotheses + 1, here.right + is_right
        for place, is_found in enumerate(matched(wanted, made)):
            here = found[place * parts // len(wanted)]
            here.references, here.found = here.references + 1, here.found + is_found
    return found


def by_frequency(texts: Texts, training: Mapping[str, int]) -> dict[str, Matches]:
    """Return for each of FREQUENCIES how the words match that training has so often, as BLEU counts words.

    A word matches as often as both the translation and its reference have it (Neubig et al. 2019).
    """
    split = texts.split()
    counts = {one: [0, 0, 0] for one in FREQUENCIES}
    for hypothesis, reference in zip(split.hypotheses, split.references, strict=True):
        made, wanted = Counter(hypothesis.split()), Counter(reference.split())
        for number, words in enumerate((made & wanted, made, wanted)):
            for word, times in words.items():
                counts[frequency_of(word, training)][number] += times
    return {one: Matches(*found) for one, found in counts.items()}


def repeats(hypothesis: Words, reference: Words) -> list[str]:
    """Return what the hypothesis says again and the reference does not, each once.

    That is one or two words that follow themselves, and three words in a row that come back anywhere: more often than
    in the reference.
    """
    mine, theirs = _repeats(hypothesis), _repeats(reference)
    return [" ".join(words) for words, times in mine.items() if times > theirs[words]]


def _repeats(words: Words) -> Counter[tuple[str, ...]]:
    found = Counter[tuple[str, ...]]()
    for size in (1, 2):
        for place in range(len(words) - 2 * size + 1):
            one = tuple(words[place : place + size])
            if one == tuple(words[place + size : place + 2 * size]):
                found[one] += 1
    threes = Counter(tuple(words[place : place + 3]) for place in range(len(words) - 2))
    return found + Counter({one: times - 1 for one, times in threes.items()})
