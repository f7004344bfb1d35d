"""Translation memories in TMX, read unit by unit; of XML only what is harmless: nothing is fetched, no entity expanded.

A language without a region is also each of its variants: en is en-US, too. TMX 1.4b, LISA 2005.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from mt.core.errors import UserError
from mt.core.files import open_bytes, read_start
from mt.core.text import must_not_be_misread
from mt.corpora.languages import code_of

BLOCK = 1 << 16
CODES = {"bpt", "ept", "it", "ph", "ut"}
"""Elements of a segment that hold the mark-up of the file it was translated from, and no text."""
MOST_TOLD = 20
"""Languages of a memory that an error lists."""


class Memory:
    """The units of a TMX file one after another, each as (source, target); empty texts where it lacks a language."""

    def __init__(self, path: Path, source: str, target: str, *, raw: bool = False):
        self.path, self.wanted, self.raw, self.unit = path, (source, target), raw, 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield the pairs. Raises UserError where it is no XML, or not harmless, or lacks a language."""
        languages = dict[str, None]()
        for number, unit in enumerate(self._units(), 1):
            languages |= dict.fromkeys(unit)
            if number > self.unit:
                self.unit = number
                here, there = (self._best(unit, wanted) for wanted in self.wanted)
                if here == there and self.wanted[0] != self.wanted[1]:
                    there = ""  # a unit in en-US alone has not both en and en-US
                yield self._text(unit, here), self._text(unit, there)
        for wanted in self.wanted if languages else ():
            if not any(_rank(wanted, language) for language in languages):
                told = ", ".join(list(languages)[:MOST_TOLD]) + ", ..." * (len(languages) > MOST_TOLD)
                raise UserError(
                    f"{self.path} has no segment in {wanted!r}; its languages are {told}, and corpus.source and "
                    f"corpus.target name the two to use"
                )

    def state_dict(self) -> dict[str, Any]:
        """Return where it stands, as JSON."""
        return {"unit": self.unit}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go there, which reads all up to there again."""
        self.unit = state["unit"]

    def _best(self, unit: dict[str, str], wanted: str) -> str:
        best = max(unit, key=lambda language: _rank(wanted, language), default="")  # the first of equals
        return best if _rank(wanted, best) else ""

    def _text(self, unit: dict[str, str], language: str) -> str:
        text = unit.get(language, "") if language else ""
        if not self.raw:
            must_not_be_misread(text, f"{self.path}, unit {self.unit}")
        return text

    def _units(self) -> Iterator[dict[str, str]]:
        """Yield each unit as {language: segment}, the first of each language."""
        read_start(self.path, BLOCK)  # which says where the name and the packing are not the same
        units = _Units(str(self.path))
        with open_bytes(self.path) as file:
            while block := file.read(BLOCK):
                yield from units.take(block)
        yield from units.take(b"", ended=True)


class _Units:
    """What expat tells of a translation memory."""

    def __init__(self, name: str):
        self.name, self.parser = name, expat.ParserCreate()
        self.found: list[dict[str, str]] = []
        self.unit: dict[str, str] | None = None
        self.language = ""
        self.texts: list[str] | None = None
        """Of the segment that is open."""
        self.hidden = 0
        """Elements that are open inside of a segment, of which the outermost holds no text."""
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.SkippedEntityHandler = self._skipped

    def take(self, block: bytes, *, ended: bool = False) -> list[dict[str, str]]:
        """Return the units that end in these bytes."""
        try:
            self.parser.Parse(block, ended)
        except (expat.ExpatError, ValueError, LookupError) as error:  # such as an encoding that Python does not know
            raise UserError(f"{self.name} is not TMX, or damaged: {error}") from error
        found, self.found = self.found, []
        return found

    def _refused(self, what: str) -> UserError:
        return UserError(f"{self.name}, line {self.parser.CurrentLineNumber}: {what}")

    def _doctype(self, root: str, system: str | None, public: str | None, declares: bool) -> None:
        """Refuse declarations: some entities grow without bound when they are expanded, others fetch files."""
        if declares:
            raise self._refused(
                "the DOCTYPE has declarations of its own, in brackets. mt expands no entities: take the declarations "
                "out, and write what they stand for into the text"
            )

    def _skipped(self, entity: str, is_parameter: bool) -> None:
        if not is_parameter:
            raise self._refused(f"&{entity}; stands for nothing that XML knows; write the character itself")

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        if self.texts is not None:
            self.hidden += bool(self.hidden) or element in CODES
        elif element == "tu":
            self.unit = {}
        elif element == "tuv":
            self.language = attributes.get("xml:lang") or attributes.get("lang") or ""
        elif element == "seg" and self.unit is not None:
            self.texts = []

    def _end(self, element: str) -> None:
        if self.hidden:
            self.hidden -= 1
        elif element == "seg" and self.texts is not None and self.unit is not None:
            self.unit.setdefault(self.language, "".join(self.texts))
            self.texts = None
        elif element == "tu" and self.unit is not None:
            self.found.append(self.unit)
            self.unit = None

    def _characters(self, text: str) -> None:
        if self.texts is not None and not self.hidden:
            self.texts.append(text)


def _rank(wanted: str, language: str) -> int:
    """Return how well a language is the wanted one: 2 by its name, 1 as a variant of it or by another name, else 0."""
    name, other = (one.strip().casefold().replace("_", "-") for one in (wanted, language))
    if name == other:
        return 2
    if "-" in name or not other:
        return 0
    return int(other.partition("-")[0] == name or (code_of(name) != "" and code_of(name) == code_of(other)))
