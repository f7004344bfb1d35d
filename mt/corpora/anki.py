"""What Anki writes before the rows of an export: lines as `#separator:tab`, `#html:true` and `#columns:Front,Back`."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

LINE = re.compile(
    r"#(separator|html|columns|tags|notetype|deck|(?:notetype|deck|tags|guid) column|if matches|match scope):(.*)",
    re.IGNORECASE,
)
MARKS = {"tab": "\t", "comma": ",", "semicolon": ";", "space": " ", "pipe": "|", "colon": ":"}
MARKUP = re.compile(r"</?[a-z][^<>]*>|&[a-z]+;", re.IGNORECASE)

log = logging.getLogger("mt")


@dataclass(frozen=True)
class Header:
    """The lines before the rows."""

    lines: int
    mark: str
    """What divides cells."""
    names: str
    """The names of the columns, divided by the mark; empty where they are not told."""


def is_anki(lines: Sequence[str]) -> bool:
    """Tell whether Anki wrote the first line of a table."""
    return bool(lines) and LINE.fullmatch(lines[0]) is not None


def header_of(lines: Sequence[str], name: str) -> Header:
    """Return what Anki says of a table, given its first lines at least. HTML in its cells is told in the log."""
    told: dict[str, str] = {}
    count = 0
    for line in lines:
        if not (found := LINE.fullmatch(line)):
            break
        told[found[1].lower()] = found[2]
        count += 1
    said = told.get("separator", "tab")
    if told.get("html", "").strip().lower() == "true" and any(map(MARKUP.search, lines[count:])):
        log.warning(
            "%s: its cells are HTML, as Anki says, and tags are read as text; export it without HTML and media", name
        )
    return Header(count, MARKS.get(said.strip().lower(), said[:1] or "\t"), told.get("columns", ""))
