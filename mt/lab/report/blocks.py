"""What a report is made of, before it is HTML or Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """The title of a section, with what it says in short plain sentences."""

    title: str
    says: Sequence[str] = ()


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first cell of each names it."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    folded: bool = False
    """Whether a page shows it only when asked."""


@dataclass(frozen=True)
class Chart:
    """Curves of some runs, each with points (x, y)."""

    title: str
    x: str
    y: str
    curves: Mapping[str, Sequence[tuple[float, float]]]
    diagonal: bool = False
    """Whether to draw the line on which y is x."""


@dataclass(frozen=True)
class HeatMap:
    """The attention of one run in one sentence: weights in a row per target word, the last column is </s>."""

    run: str
    source_words: Sequence[str]
    target_words: Sequence[str]
    weights: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Sentence:
    """A sentence with what each run made of it, and what each looked at where that is to be shown."""

    title: str
    source: str
    reference: str
    outputs: Mapping[str, str]
    note: str = ""
    maps: Sequence[HeatMap] = ()


Block = Heading | Table | Chart | Sentence
