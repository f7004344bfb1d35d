"""What every corpus yields: splits of sentence pairs, with gold word links where a corpus has them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Span = tuple[int, int]
Link = tuple[int, int]


@dataclass(frozen=True)
class Gold:
    """Gold word alignment of one pair.

    Words are half-open character spans of the sentence as it stands in the corpus, in order. Links are
    (source word, target word), 0-based; `possible` contains `sure` (Och and Ney 2003).
    """

    source_spans: tuple[Span, ...]
    target_spans: tuple[Span, ...]
    sure: frozenset[Link]
    possible: frozenset[Link]


@dataclass(frozen=True)
class Split:
    """Sentence pairs: targets[i] translates sources[i], gold[i] links their words; None where nothing is known."""

    sources: list[str]
    targets: list[str]
    gold: list[Gold | None] | None = None
    dropped: int = 0
    """Pairs left out because a side was empty."""
    tags: list[str] | None = None
    """Of each pair the piece that training reads before its source; empty where there is none. None: all are."""

    def take(self, rows: Sequence[int]) -> "Split":
        """Return these pairs."""
        gold = None if self.gold is None else [self.gold[row] for row in rows]
        tags = None if self.tags is None else [self.tags[row] for row in rows]
        sources, targets = [self.sources[row] for row in rows], [self.targets[row] for row in rows]
        return replace(self, sources=sources, targets=targets, gold=gold, tags=tags)

    def with_added(self, other: "Split", tag: str) -> "Split":
        """Return these pairs and then those of another split, all of which have this tag, and no gold links."""
        return Split(
            self.sources + other.sources,
            self.targets + other.targets,
            None if self.gold is None else self.gold + [None] * len(other.sources),
            dropped=self.dropped + other.dropped,
            tags=[""] * len(self.sources) + [tag] * len(other.sources),
        )


@dataclass(frozen=True)
class Corpus:
    """An entry of CORPORA: what `mt corpora` prints, where the corpus is, and how to load it."""

    title: str
    languages: str
    """For people, e.g. "en, de, fr, cs in any direction"."""
    size: str
    licence: str
    citation: str
    origin: str
    find: Callable[[Any], str | None]
    """find(corpus config or None): where it is on this machine, in a few words, or None. Quick; no network."""
    load: Callable[[Any], dict[str, Split]]
    """load(corpus config): the splits "train", "validation" and the test splits, by name, in that order."""
