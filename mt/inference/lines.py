"""Lines as they are searched: their pieces, what their translations begin with, and what these must say. No torch."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from mt.core.errors import UserError
from mt.core.special import EOS
from mt.corpora.pairs import Gold, Span
from mt.inference.wording import NOTHING, Wording
from mt.text.tokenizer import Tokenizers

log = logging.getLogger("mt")
Prefix = str | Sequence[int]
Prefixes = Sequence[Prefix] | Prefix | None


@dataclass(frozen=True)
class Asked:
    """Lines as they are asked for, and what is asked of each."""

    lines: str | Iterable[str]
    prefixes: Prefixes = None
    gold: Sequence[Gold | None] | None = None
    wording: Wording | Sequence[Wording] | None = None


@dataclass(frozen=True)
class Line:
    """A line as it is searched."""

    text: str
    source: list[int]
    """Its pieces with </s>; nothing where it has no text."""
    prefix: list[int]
    words: Sequence[Span] | None
    """Where its words stand, if that is known from gold."""
    wording: Wording


def read_lines(tokenizers: Tokenizers, longest: int, first: int, asked: Asked) -> list[Line]:
    """Return lines as they are searched, sources cut to the longest; `first` is the number of the first.

    Raises UserError where they are no lines, not as many as the rest, or where a prefix cannot be.
    """
    one = isinstance(asked.lines, str)
    texts = [asked.lines] if isinstance(asked.lines, str) else list(asked.lines)
    if wrong := [row for row, text in enumerate(texts) if not isinstance(text, str)]:
        raise UserError(f"line {first + wrong[0]} is no text but {texts[wrong[0]]!r:.80}")
    wording, count = asked.wording or NOTHING, len(texts)
    words = [wording] * count if isinstance(wording, Wording) else list(wording)
    if len(words) != count:
        raise UserError(f"give one Wording for all lines, or a list of as many as there are lines, {count}")
    given = zip(texts, _prefixes(asked.prefixes, count, one), asked.gold or [None] * count, words, strict=True)
    found = []
    for number, (text, prefix, gold, said) in enumerate(given, first):
        text = _whole(text).strip()  # as corpora are read
        source = _source(tokenizers, number, longest, text)
        found.append(Line(text, source, _forced(tokenizers, number, prefix), gold.source_spans if gold else None, said))
    return found


def _source(tokenizers: Tokenizers, number: int, longest: int, text: str) -> list[int]:
    """Return the pieces of a text, of which the longest are cut with a warning."""
    pieces = tokenizers.source.encode(text)
    if len(pieces) > longest:
        told = "line %d has %d pieces: only the first %d (search.max_source) are translated"
        log.warning(told, number, len(pieces), longest)
    return [*pieces[:longest], EOS] if pieces else []


def _forced(tokenizers: Tokenizers, number: int, prefix: Prefix) -> list[int]:
    """Return the pieces of a prefix. Raises UserError where one is none, or is special."""
    size = len(tokenizers.target)
    forced = tokenizers.target.encode(prefix.strip()) if isinstance(prefix, str) else [*prefix]
    if wrong := [piece for piece in forced if not EOS < piece < size]:
        raise UserError(f"line {number}: its prefix has piece {wrong[0]}; pieces are from {EOS + 1} to {size - 1}")
    return forced


def _prefixes(prefixes: Prefixes, count: int, one: bool) -> Sequence[Prefix]:
    """Return a prefix for each line. Raises UserError where there are not as many."""
    if prefixes is None:
        return [""] * count
    alone = isinstance(prefixes, str) or any(isinstance(prefix, int) for prefix in prefixes)
    given = [cast(Prefix, prefixes)] if alone and one else list(cast(Sequence[Prefix], prefixes))
    if (alone and not one) or len(given) != count:
        raise UserError(f"give a list of as many prefixes as there are lines, {count}: an empty one where none is")
    return given


def _whole(text: str) -> str:
    """Return a text with U+FFFD for each half of a surrogate pair, which is no character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
