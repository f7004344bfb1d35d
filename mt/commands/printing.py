"""What `mt translate` makes of translations: lines, tables, JSON, drawings."""

import json
import logging
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mt.core.errors import UserError

if TYPE_CHECKING:  # they import torch, which help and wrong options need not wait for
    from mt.alignment.matrices import Alignment
    from mt.inference.translator import Translation
    from mt.text.words import Unit

log = logging.getLogger("mt")
UNDERLINED, BRACKETS = ("\x1b[4m", "\x1b[24m"), ("[", "]")
"""What stands around a word to check, on a terminal and elsewhere."""
PAGE = 1000
"""Translations on a page: more, and no browser would show them."""


@dataclass(frozen=True)
class Output:
    """What to make besides the translations, how many of each line, and where they go (unset: standard output)."""

    n_best: int = 1
    alignments: Path | None = None
    picture: Path | None = None
    plot: bool = False
    confidence: bool = False
    as_json: bool = False
    file: Path | None = None
    resume: bool = False
    """Whether to go on after what an earlier command has left of `file`."""

    @property
    def is_page(self) -> bool:
        """Whether the picture shows all lines."""
        return self.picture is not None and self.picture.suffix.lower() == ".html"


Printed = tuple[int, "Translation"]
"""A translation, and the number of its line."""


def text_of(printed: Sequence[Printed], output: Output) -> Iterator[str]:
    """Yield the lines that are printed of translations."""
    from mt.views.terminal import blocks, may_colour

    width = shutil.get_terminal_size().columns
    signs = UNDERLINED if output.file is None and sys.stdout.isatty() else BRACKETS
    colour = output.file is None and may_colour(sys.stdout)
    for number, one in printed:
        yield to_json(number, one) if output.as_json else "\t".join(_fields(number, one, output, signs))
        if output.plot and one.alignment and one.alignment.words.size:
            drawn = one.alignment
            yield blocks(drawn.words, drawn.source_words, drawn.target_words, width, colour=colour)


def _fields(number: int, one: "Translation", output: Output, signs: tuple[str, str]) -> list[str]:
    """Return what stands in the line of a translation, of which the last is its text."""
    fields = [] if output.n_best == 1 else [str(number), f"{one.score:.4f}"]
    if not output.confidence:
        return [*fields, one.text]
    if one.confidence is None:
        return [*fields, "", "", one.text]
    from mt.inference.confidence import mark

    return [*fields, f"{one.confidence.good:.2f}", f"{one.confidence.ter:.0f}", mark(one.text, one.confidence, signs)]


def to_json(number: int, one: "Translation") -> str:
    """Return a translation as a line of JSON: the number of its line, its text, its score, and confidence in it."""
    told: dict[str, Any] = {"line": number, "text": one.text, "score": one.score}
    if one.confidence:
        words = [asdict(word) | {"check": word.check} for word in one.confidence.words]
        told["confidence"] = asdict(one.confidence) | {"words": words}
    return json.dumps(told, ensure_ascii=False)


class Picture:
    """The picture of the first alignment that has words, or the page of the first ones. Drawn once they are there."""

    def __init__(self, path: Path, unit: "Unit", looks_at: str, *, is_page: bool):
        self.path, self.unit, self.looks_at, self.is_page = path, unit, looks_at, is_page
        self.seen, self.drawn = 0, False
        self.alignments: list[Alignment] = []
        self.checks: list[dict[int, float]] = []

    def add(self, printed: Sequence[Printed]) -> None:
        """Draw, where these are the last that it takes."""
        from mt.alignment.matrices import EMPTY
        from mt.views.heat_map import heat_map

        self.seen += len(printed)
        for number, one in printed if not self.drawn else ():
            alignment = one.alignment or EMPTY
            if self.is_page:
                self.alignments.append(alignment)
                self.checks.append(_checks(one, self.unit))
                self.drawn = len(self.alignments) == PAGE and self._write_page()
            elif alignment.words.size:
                heat_map(self.path, alignment, f"{self.looks_at}\nline {number}")
                self.drawn = True
            if self.drawn:
                return

    def close(self) -> None:
        """Draw what there is. Raises UserError where that is nothing."""
        if self.is_page and not self.drawn:
            self._write_page()
        elif not self.drawn:
            raise UserError(f"no translation has words, so nothing is drawn in {self.path}")
        elif self.is_page and self.seen > PAGE:
            log.info("%s shows the first %d of %d translations", self.path, PAGE, self.seen)

    def _write_page(self) -> bool:
        from mt.views.page import write_page

        write_page(self.path, self.alignments, title=self.looks_at, checks=self.checks)
        self.alignments, self.checks = [], []
        return True


def _checks(one: "Translation", unit: "Unit") -> dict[int, float]:
    """Return what to check of what an alignment is in, by its number, with the probability that the word is wrong."""
    from mt.text.words import spans_of

    words = [word for word in one.confidence.words if word.check] if one.confidence else []
    return {
        number: word.wrong
        for number, (start, stop) in enumerate(spans_of(one.text, unit) if words else ())
        for word in words
        if start < word.span[1] and stop > word.span[0]
    }
