"""What a translation is, and what every translator makes of lines and pieces, whatever finds the pieces. No torch."""

import html
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from mt.alignment.matrices import Alignment, Matrix, Side, align
from mt.config import Search
from mt.core.errors import UserError
from mt.core.special import EOS
from mt.corpora.pairs import Gold, Span
from mt.text.tokenizer import Tokenizers
from mt.text.words import Unit
from mt.views.page import framed

if TYPE_CHECKING:  # they import torch
    from mt.inference.confidence import Confidence
    from mt.search.trace import Trace

log = logging.getLogger("mt")
Prefix = str | Sequence[int]
Prefixes = Sequence[Prefix] | Prefix | None
# A model can emit any byte, but one line in is one line out, and text has no NUL.
NOT_IN_A_LINE = str.maketrans("\n\r\0", "   ")


@dataclass(frozen=True, eq=False)
class Translation:
    """The best translation of a line, or the first sample."""

    text: str = ""
    score: float = 0.0
    """What it was ranked by."""
    log_probabilities: tuple[float, ...] = ()
    """Natural, the model's own, of each of its pieces."""
    pieces: tuple[str, ...] = ()
    """The last is </s>."""
    numbers: tuple[int, ...] = ()
    """Of its pieces but the last: what a prefix may be made of."""
    alignment: Alignment | None = None
    """None where the model has no attention, or none was asked for."""
    others: tuple["Translation", ...] = ()
    """The next best ones, or the other samples, without any of their own."""
    attention: Matrix | None = None
    """[layers, heads, pieces, source pieces]: the weights of every site, where they were asked for."""
    cut: bool = False
    """Whether the limit on its length ended it (search.max_ratio, search.max_extra): the model would rather have gone
    on, with a probability of more than a half."""
    confidence: "Confidence | None" = None
    """What a human will probably have to mend, where that was asked for; None where the source has no text."""
    trace: "Trace | None" = None
    """What the search dropped, where that was asked for; pieces are numbers, named by `Tokenizer.name`."""

    def __repr__(self) -> str:
        others = f", {len(self.others)} others" if self.others else ""
        return f"<Translation {self.text!r}, score {self.score:.3f}{others}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the translation with its alignment, if it has one, or as text."""
        return framed(self.alignment) if self.alignment else f"<p>{html.escape(self.text)}</p>"

    @property
    def n_best(self) -> list["Translation"]:
        """The n best, this one first."""
        return [self, *self.others]


@dataclass(frozen=True)
class Line:
    """A line as it is searched."""

    text: str
    source: list[int]
    """Its pieces with </s>; nothing where it has no text."""
    prefix: list[int]
    words: Sequence[Span] | None
    """Where its words stand, if that is known from gold."""


class Pieces(Protocol):
    """A hypothesis, whatever search found it."""

    @property
    def tokens(self) -> list[int]:
        """Its pieces, without </s>."""

    @property
    def score(self) -> float:
        """What it was ranked by."""

    @property
    def log_probabilities(self) -> list[float]:
        """Natural, of each piece and of </s>."""


class Texts:
    """What reads lines as pieces, and writes pieces as translations: all of a translator but its search."""

    def __init__(
        self, tokenizers: Tokenizers, settings: Search, unit: Unit, languages: tuple[str, str], has_attention: bool
    ):
        self.tokenizers, self.settings, self.languages = tokenizers, settings, languages
        self.unit = unit
        """What alignments are in."""
        self.has_attention = has_attention

    def _lines(
        self,
        longest: int,
        first: int,
        texts: Sequence[str],
        prefixes: Sequence[Prefix],
        gold: Sequence[Gold | None] | None,
    ) -> list[Line]:
        """Return lines as they are searched."""
        given = zip(texts, prefixes, gold or [None] * len(texts), strict=True)
        return [self._line(number, longest, *line) for number, line in enumerate(given, first)]

    def _line(self, number: int, longest: int, text: str, prefix: str | Sequence[int], gold: Gold | None) -> Line:
        """Return a line as it is searched."""
        text, encode = _whole(text).strip(), self.tokenizers.target.encode  # as corpora are read
        pieces = self.tokenizers.source.encode(text)
        source = [*pieces, EOS] if pieces else []
        if len(source) > longest + 1:
            log.warning(
                "line %d has %d pieces: only the first %d (search.max_source) are translated",
                number,
                len(source) - 1,
                longest,
            )
            source = [*source[:longest], EOS]
        forced, size = encode(prefix.strip()) if isinstance(prefix, str) else [*prefix], len(self.tokenizers.target)
        if wrong := [piece for piece in forced if not EOS < piece < size]:
            raise UserError(f"line {number}: its prefix has piece {wrong[0]}; pieces are from {EOS + 1} to {size - 1}")
        return Line(text, source, forced, gold.source_spans if gold else None)

    def _written(self, line: Line, found: "Pieces", limit: int, weights: Matrix | None) -> Translation:
        """Return what was found as a translation, aligned by these weights where there are any."""
        target, tokens = self.tokenizers.target, found.tokens
        text = target.decode(tokens).translate(NOT_IN_A_LINE)
        names = tuple(target.name(piece) for piece in (*tokens, EOS))
        cut = len(found.log_probabilities) >= limit and found.log_probabilities[-1] < math.log(0.5)
        alignment = None
        if weights is not None:
            source = Side(line.text, self.tokenizers.source.spans(line.source[:-1], line.text), line.words)
            alignment = align(source, Side(text, target.spans(tokens)), weights, unit=self.unit)
        return Translation(
            text, found.score, tuple(found.log_probabilities), names, tuple(tokens), cut=cut, alignment=alignment
        )


def texts_of(lines: str | Iterable[str], prefixes: Prefixes, first: int) -> tuple[list[str], Sequence[Prefix]]:
    """Return the lines, and a prefix for each. Raises UserError where they are none."""
    one = isinstance(lines, str)
    texts = [lines] if isinstance(lines, str) else list(lines)
    if wrong := [row for row, text in enumerate(texts) if not isinstance(text, str)]:
        raise UserError(f"line {first + wrong[0]} is no text but {texts[wrong[0]]!r:.80}")
    if prefixes is None:
        return texts, [""] * len(texts)
    alone = isinstance(prefixes, str) or any(isinstance(prefix, int) for prefix in prefixes)
    given = [cast(Prefix, prefixes)] if alone and one else list(cast(Sequence[Prefix], prefixes))
    if (alone and not one) or len(given) != len(texts):
        raise UserError(f"give a list of as many prefixes as there are lines, {len(texts)}: an empty one where none is")
    return texts, given


def _whole(text: str) -> str:
    """Return a text with U+FFFD for each half of a surrogate pair, which is no character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def distinct(found: list[Translation]) -> list[Translation]:
    """Return each text once, the first time it comes."""
    first: dict[str, Translation] = {}
    for one in found:
        first.setdefault(one.text, one)
    return list(first.values())
