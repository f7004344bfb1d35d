"""Gold links from a file, for pairs whose words are those between white space: Pharaoh, or NAACL style as in WPT 2003.

A sentence without any link has no known gold, as in the corpora. docs/experiments/alignment.md has examples.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mt.alignment.files import NUMBER
from mt.core.errors import UserError, shorten
from mt.core.files import read_lines
from mt.corpora.pairs import Gold, Link, Split
from mt.text.words import spans_of


class Row(NamedTuple):
    """A link as it stands in a file."""

    line: int
    """From 1."""
    sentence: int
    """From 0."""
    link: Link
    """As written."""
    sure: bool


@dataclass(frozen=True)
class Format:
    """How a file is read; `first` is the number of a first word."""

    first: int
    rows: Callable[[Path, int], Iterator[Row]]
    """rows(path, sentences)"""


def read_gold(path: Path, form: str, pairs: Split) -> list[Gold | None]:
    """Return the gold of each pair from a file in a format of FORMATS.

    Raises UserError that names the file and the line, for what is not a link and for a link to no word.
    """
    first, sides = FORMATS[form].first, (pairs.sources, pairs.targets)
    words = [(spans_of(source, "tokens"), spans_of(target, "tokens")) for source, target in zip(*sides, strict=True)]
    sure: list[set[Link]] = [set() for _ in words]
    possible: list[set[Link]] = [set() for _ in words]
    for row in FORMATS[form].rows(path, len(words)):
        for side, number, spans in zip(("source", "target"), row.link, words[row.sentence], strict=True):
            if not first <= number < len(spans) + first:
                raise UserError(
                    f"{path}, line {row.line}: link {row.link[0]}-{row.link[1]} has no {side} word {number}: sentence "
                    f"{row.sentence + 1} has {len(spans)} {side} words, and {form} counts from {first}"
                )
        link = row.link[0] - first, row.link[1] - first
        possible[row.sentence].add(link)
        if row.sure:
            sure[row.sentence].add(link)
    if not any(possible):
        raise UserError(f"{path} has no link")
    return [
        Gold(source, target, frozenset(certain), frozenset(links)) if links else None
        for (source, target), certain, links in zip(words, sure, possible, strict=True)
    ]


def _pharaoh(path: Path, sentences: int) -> Iterator[Row]:
    """Yield the links "i-j" (sure) and "i?j" or "ipj" (possible), a line for each sentence."""
    lines = read_lines(path)
    if len(lines) != sentences:
        raise UserError(
            f"{path} has {len(lines):,} lines for {sentences:,} pairs; a pair without links has an empty line"
        )
    for number, line in enumerate(lines, 1):
        for item in line.split():
            match = re.fullmatch(rf"{NUMBER}([-?p]){NUMBER}", item)
            if match is None:
                raise UserError(
                    f"{path}, line {number}: {shorten(repr(item))} is not a link; write source-target for a sure link, "
                    f"source?target (or a p for the ?) for a possible one, for example 0-2"
                )
            yield Row(number, number - 1, (int(match[1]), int(match[3])), match[2] == "-")


def _naacl(path: Path, sentences: int) -> Iterator[Row]:
    """Yield the links of lines "sentence source target [S|P]"; S where nothing is said."""
    for number, line in enumerate(read_lines(path), 1):
        match = re.fullmatch(rf"\s*{NUMBER}\s+{NUMBER}\s+{NUMBER}(?:\s+([SP]))?\s*", line)
        if match is None and line.strip():
            raise UserError(
                f"{path}, line {number}: {shorten(repr(line.strip()))} is not a link; write sentence source target and "
                f"S or P, for example 1 3 2 S"
            )
        if match is None:
            continue
        if not 1 <= int(match[1]) <= sentences:
            raise UserError(
                f"{path}, line {number}: no sentence {int(match[1])}; there are {sentences:,}, counted from 1"
            )
        yield Row(number, int(match[1]) - 1, (int(match[2]), int(match[3])), match[4] != "P")


FORMATS = {
    "pharaoh0": Format(0, _pharaoh),
    "pharaoh1": Format(1, _pharaoh),
    "naacl": Format(1, _naacl),
}
