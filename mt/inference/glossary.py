"""A glossary: how words of the source must be translated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mt.core.errors import UserError
from mt.core.text import read_sentences
from mt.inference.wording import NOTHING, Wording, holds


@dataclass(frozen=True)
class Glossary:
    """Pairs of a word or phrase of the source, and what the translation must then have; and what always holds."""

    pairs: tuple[tuple[str, str], ...] = ()
    always: Wording = NOTHING

    def wording(self, line: str) -> Wording:
        """Return what the translation of a line must say, and must not."""
        found = [target for source, target in self.pairs if holds(line, source)]
        return replace(self.always, must=(*self.always.must, *found)) if found else self.always

    def wordings(self, lines: Sequence[str]) -> list[Wording]:
        """Return the same of each line."""
        return [self.wording(line) for line in lines]


def read_glossary(path: Path) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a file, a line each: source, tab, target. Raises UserError where a line is none."""
    pairs: dict[str, str] = {}
    for number, line in enumerate(read_sentences(path), 1):
        if not line.strip():
            continue
        source, _, target = (part.strip() for part in line.partition("\t"))
        if not source or not target or "\t" in target:
            raise UserError(f"{path}, line {number}: write a word of the source, a tab, and its translation")
        if pairs.get(source, target) != target:
            raise UserError(f"{path}, line {number}: {source} has two translations, and a translation must have all")
        pairs[source] = target
    return tuple(pairs.items())
