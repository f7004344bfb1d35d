"""Text that people bring: from bytes to lines, and what to do where the bytes are not lines of text."""

import codecs
import difflib
import json
import re
from collections.abc import Iterator
from encodings.aliases import aliases
from pathlib import Path
from typing import Any

from mt.core.errors import UserError
from mt.core.files import open_bytes, packing_of, read_bytes, read_start

MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\0\0": "utf-32-le",  # before UTF-16, whose mark it begins with
    b"\0\0\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
"""Byte-order marks, and what the bytes after them are."""
WITHOUT_MARK = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
WESTERN = "windows-1252"
LATIN = ("windows-1250", "windows-1254", "iso-8859-2")
OTHERS = (
    *("euc-jp", "shift_jis", "euc-kr", "big5", "gb18030"),  # first, because few other texts can be read in them
    *("windows-1251", "windows-1253", "windows-1255", "windows-1256", "koi8-r", "cp874", *LATIN),
)
"""Frequent encodings of other languages than western European ones; LATIN are those of languages with Latin letters."""
_LETTER = rb"[\x80\x82\x84\x85\x8a\x8c\x8e\x91-\x97\x9a\x9c\x9e\xa0\xa1\xab\xb0\xb7\xbb\xbf-\xff]"
AMONG_ASCII = re.compile(rb"(?<![\x80-\xff])(?:%b{1,2}|(?<=[a-z])%b{3}(?=[a-z]))(?![\x80-\xff])" % (_LETTER, _LETTER))
"""Letters, quotes, dashes and the euro as windows-1252 has them, but few in a row, between letters that are ASCII."""
SHARE = 0.8
"""The part of the bytes above 127 that stand so in a text of a western European language, or more."""
NO_CHARSETS = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"}
"""Codecs from bytes to text that no file is written in."""
MOST_NULS = 0.2
"""The part of the bytes that is NUL, from which on they are two or four to a character."""
SIGNATURES = {
    b"PK\x03\x04": "a zip archive (as .docx, .xlsx and .odt files are)",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"%PDF-": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"PAR1\x15": "a Parquet table",
    b"ARROW1\0": "an Arrow table",
    b"SQLite format 3\0": "a data base",
    b"\xd0\xcf\x11\xe0": "a document of an office program",
}
C1 = re.compile(r"[\x80-\x9f]")
CONTROL = re.compile(r"[\x80-\x84\x86-\x9f]")
"""All but U+0085, which is white space."""
WINDOWS = {1: 1252, 2: 1250, 5: 1251, 6: 1256, 7: 1253, 8: 1255, 9: 1254, 13: 1257}
"""By its number, the windows encoding that has letters where a part of ISO 8859 has control characters."""
BINARY = re.compile(r"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
ROOTS = "tmx|xliff|xml|srcset|refset|tstset|mteval|doc|document|dataset|corpus|collection|html|body|head|root"
MARKUP = re.compile(rf"<(\?xml|!DOCTYPE|({ROOTS})(\s[^<>]*=[^<>]*)?>\s*(<|\n|$))", re.IGNORECASE)
TAG = re.compile(r"</?(?!(?:i|b|u|s|em|strong|font|unk|pad|br|a|span)\b)[a-z][\w:.-]*(\s[^<>]*)?/?>", re.IGNORECASE)
END_TAG = re.compile(rf"(?=</){TAG.pattern}", re.IGNORECASE)
LOOKED_AT = 1000
"""Lines that are looked at to see whether a file is markup."""
MEGABYTE = 1 << 20
FIRST = 20
"""Lines that are looked at to see whether each is JSON."""


def read_sentences(path: Path, encoding: str | None = None, *, raw: bool = False) -> list[str]:
    """Return the lines of a file of sentences, which may be compressed (.gz, .bz2, .xz, .zst), as `decode_sentences`.

    Raises UserError, unless the text is `raw`, where they are XML or JSON.
    """
    return _sentences(read_bytes(path), path, encoding, raw=raw)


def read_first_sentences(path: Path, *, raw: bool = False) -> list[str]:
    """Return the lines of the first megabyte of a file that is to be read as `Lines`, as `read_sentences` does.

    Raises UserError also where it is not UTF-8, or where its lines end in carriage returns alone.
    """
    data = read_start(path, MEGABYTE)
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    if MARKS.get(mark, "utf-8") != "utf-8":
        raise UserError(f"{path} is {MARKS[mark].upper()}: {_remedy(MARKS[mark], settable=False)}, to stream it")
    if b"\n" not in data and b"\r" in data:
        raise UserError(
            f"{path}: its lines end in carriage returns alone: write line feeds (tr '\\r' '\\n'), to stream it"
        )
    if len(data) == MEGABYTE:
        data = data[: data.rfind(b"\n") + 1] or re.sub(rb"[\xc0-\xff][\x80-\xbf]{0,2}$", b"", data)
    return _sentences(data, path, None, raw=raw)


def _sentences(data: bytes, path: Path, encoding: str | None, *, raw: bool) -> list[str]:
    lines = decode_sentences(data, str(path), encoding, raw=raw)
    if not raw:
        must_be_sentences(lines, path, encoding)
    return lines


def must_be_sentences(lines: list[str], path: Path, encoding: str | None = None) -> None:
    """Raise UserError where the lines of a file, or the first of them, are XML or JSON."""
    if kind := _structure(lines):
        way_out = "mt translate takes them from standard input" if encoding is None else "set corpus.raw: true"
        raise UserError(f"{path} is {kind}. Where its lines are sentences as they stand, {way_out}")


def decode_sentences(data: bytes, name: str, encoding: str | None = None, *, raw: bool = False) -> list[str]:
    """Return the lines of `data`, called `name`, without their ends: line feeds, or carriage returns where none is.

    A byte-order mark says what the bytes are, else `encoding`, which is UTF-8 where there is none to set. Raises
    UserError, with the line and what to do, where they are not that, or compressed, or an archive; and, unless the text
    is `raw`, where they hold control characters that stand for bytes of another encoding.
    """
    mark, reading = reading_of(data, name, encoding)
    text = decode(data[mark:], name, reading, settable=encoding is not None)
    if "\n" not in text:
        text = text.replace("\r", "\n")  # as on the Macintosh of long ago
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "" and not text.endswith("\r"):
        lines.pop()
    for number, line in enumerate(lines, 1) if not raw else ():
        must_not_be_misread(line, f"{name}, line {number}", "" if mark else reading)
    return lines


def reading_of(data: bytes, name: str, encoding: str | None = None) -> tuple[int, str]:
    """Return how many bytes the byte-order mark of `data` has, and the encoding of those after it.

    Raises UserError where it is compressed, or an archive, or plainly in another encoding.
    """
    if kind := _container(data):
        raise UserError(f"{name} is {kind}, not text: unpack or export it, so that each line is a sentence")
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    reading = MARKS.get(mark) or codecs.lookup(encoding or "utf-8").name
    if not mark:
        _must_not_be_another(data, name, reading, settable=encoding is not None)
    return len(mark), reading


def must_not_be_misread(line: str, where: str, reading: str = "") -> None:
    """Raise UserError where a line has a control character U+0080 to U+009F, but for the white space U+0085.

    `reading` is the encoding that it was decoded from, where that is known: of a part of ISO 8859, U+0085 is refused.
    """
    part = re.fullmatch(r"iso8859-(\d+)", reading)
    found = (C1 if part else CONTROL).search(line)
    if found:
        meant = f"windows-{WINDOWS.get(int(part[1]), 1252)}" if part else WESTERN
        raise UserError(
            f"{where}: the control character U+{ord(found[0]):04X}, which no text has. {meant}? Such characters come "
            f"from reading that as {'ISO 8859' if part else 'latin1'}: "
            + (_remedy(meant, settable=True) if part else f"convert its origin anew, with `iconv -f {meant}`")
        )


def unknown_encoding(name: str) -> str:
    """Return why `corpus.encoding` cannot be `name`, with a suggestion; nothing where it can."""
    try:
        if codecs.lookup(name).name not in NO_CHARSETS:
            b"a".decode(name)
            return ""
    except UnicodeError:
        return ""  # known: one byte is no text in it
    except (LookupError, ValueError):
        pass
    known = sorted({*aliases, *aliases.values(), WESTERN, *OTHERS, *WITHOUT_MARK, "utf-8", "iso-8859-1"})
    close = difflib.get_close_matches(name.lower(), known, 1)
    return f"{name!r} is no encoding of text" + (f"; did you mean {close[0]}?" if close else "")


def _container(data: bytes) -> str:
    if packed := packing_of(data):
        return f"data compressed with {packed}"
    if data[257:262] == b"ustar":
        return "a tar archive"
    return next((kind for signature, kind in SIGNATURES.items() if data.startswith(signature)), "")


def _must_not_be_another(data: bytes, name: str, encoding: str, *, settable: bool) -> None:
    """Raise UserError where bytes without a byte-order mark can be read as `encoding` but are plainly in another."""
    found = _wide(data) if encoding.startswith("utf") and b"\0" in data else ""
    if found not in {"", encoding}:
        raise UserError(f"{name} is {found.upper()} without a byte-order mark: {_remedy(found, settable=settable)}")
    if data and encoding in {"utf-16", "utf-32"}:
        raise UserError(f"{name} has no byte-order mark: set corpus.encoding: {encoding}-le, or {encoding}-be")
    if not data.isascii() and not encoding.startswith("utf") and _reads(data, "utf-8"):
        raise UserError(f"{name} is UTF-8, not {encoding}: leave corpus.encoding out")


def decode(data: bytes, name: str, encoding: str, *, settable: bool = False, first: int = 1) -> str:
    """Decode lines from number `first` on, or say in which line that fails and what the encoding may be."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, errors="replace")
        place = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        number = (before.count("\n") or before.count("\r")) + first
        raise UserError(
            f"{name}, line {number}: not {encoding.replace('utf', 'UTF')} at byte {place}; "
            f"{advise(data, settable=settable)}"
        ) from error


def advise(data: bytes, *, settable: bool = False) -> str:
    """Return what to do with bytes that are not UTF-8; `settable` where corpus.encoding says what they are."""
    high = sum(byte > 127 for byte in data)
    western = sum(map(len, AMONG_ASCII.findall(data))) >= SHARE * high and _reads(data, WESTERN)
    others = [encoding for encoding in (LATIN if western else OTHERS) if _reads(data, encoding)]
    if not western and not others:
        return "it is damaged, or no text"
    find_out = f"find out what it is ({', '.join(others)} can be read), and then {_remedy('THAT', settable=settable)}"
    if not western:
        return find_out
    it_may_be = f"it may be {WESTERN}, if the text is in a western European language: "
    return it_may_be + _remedy(WESTERN, settable=settable) + (f"; if it is not, {find_out}" if others else "")


def _remedy(encoding: str, *, settable: bool) -> str:
    if settable:
        return f"set corpus.encoding: {encoding}"
    return f"convert the file with `iconv -f {encoding} -t utf-8`"


def _reads(data: bytes, encoding: str) -> bool:
    try:
        return not BINARY.search(data.decode(encoding))
    except UnicodeDecodeError:
        return False


def _wide(data: bytes) -> str:
    """Return the encoding of two or four bytes a character under which the bytes have most spaces and line ends."""
    if data.count(0) < MOST_NULS * len(data) and _reads(data.replace(b"\0", b""), "utf-8"):
        return ""
    plausible = [encoding for encoding in WITHOUT_MARK if _reads(data, encoding)]
    spaces = {encoding: len(re.findall(r"[ \n]", data.decode(encoding))) for encoding in plausible}
    best = max(spaces, key=lambda encoding: spaces[encoding], default="")
    return best if spaces.get(best) else ""


def _structure(lines: list[str]) -> str:
    """Return what a text is, with what to do, where it is no sentences but a tree of them."""
    start = "\n".join(lines).lstrip()
    some = [line.strip() for line in lines[:LOOKED_AT] if line.strip()]
    tagged = 2 * sum(TAG.match(line) is not None for line in some) > len(some)
    if MARKUP.match(start) or (tagged and any(map(END_TAG.search, some))):
        return "XML, SGML or HTML, whose tags would be read as text: write its sentences, one a line, into plain files"
    if start[:1] in {"{", "["}:
        if all(_is_tree(line.removesuffix(",")) for line in some[:FIRST]):
            return "JSON, an object a line: call it .jsonl to train on it, or write its sentences, one a line"
        if _is_tree(start):
            return "JSON: write its sentences, one a line, or an object a line into a file that ends in .jsonl"
    return ""


def _is_tree(text: str) -> bool:
    """Tell whether a text is a JSON object, or a list that has more than numbers."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(one, dict | list | str) for one in value)
    )


class Lines:
    """The lines of a file in UTF-8, which may be compressed, one after another, from where a state says."""

    def __init__(self, path: Path):
        self.path, self.line, self.offset = path, 0, 0

    def __iter__(self) -> Iterator[str]:
        """Yield lines without their ends. Raises UserError, with the line, where one is not UTF-8."""
        with open_bytes(self.path) as file:
            if file.seekable():
                file.seek(self.offset)  # which reads a compressed file up to there
            for left in range(self.offset, 0, -MEGABYTE) if not file.seekable() else ():
                file.read(min(left, MEGABYTE))
            for row in file:
                self.line, self.offset = self.line + 1, self.offset + len(row)
                if self.line == 1:
                    row = row.removeprefix(b"\xef\xbb\xbf")
                try:
                    yield row.removesuffix(b"\n").removesuffix(b"\r").decode()
                except UnicodeDecodeError as error:
                    raise UserError(
                        f"{self.path}, line {self.line}: not UTF-8 at byte {error.start + 1}; "
                        f"{advise(row, settable=False)}"
                    ) from error

    def state_dict(self) -> dict[str, Any]:
        """Return where it stands, as JSON."""
        return {"line": self.line, "offset": self.offset}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go there."""
        self.line, self.offset = state["line"], state["offset"]
