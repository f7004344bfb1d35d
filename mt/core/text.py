"""Text that people bring: from bytes to lines, and what to do where the bytes are not lines of text."""

import codecs
import difflib
import json
import re
from encodings.aliases import aliases
from pathlib import Path

from mt.core.errors import UserError
from mt.core.files import packing_of, read_bytes

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
OTHERS = ("windows-1250", "windows-1251", "shift_jis", "euc-kr", "gb18030")
"""Frequent encodings that have no control characters in place of letters, as ISO 8859 has."""
SHARE = 0.6
"""The part of the letters that is no ASCII, from which on a text is not in a western language."""
MOST_NULS = 0.2
"""The part of the bytes that is NUL, from which on they are two or four to a character."""
SIGNATURES = {
    b"PK\x03\x04": "a zip archive (as .docx, .xlsx and .odt files are)",
    b"\x28\xb5\x2f\xfd": "data compressed with zstd",
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
CONTROL = re.compile(r"[\x80-\x9f]")
BINARY = re.compile(r"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
ROOTS = "tmx|xliff|xml|srcset|refset|tstset|mteval|doc|document|dataset|corpus|collection|html|body|head|root"
MARKUP = re.compile(rf"<(\?xml|!DOCTYPE|!--|({ROOTS})\b[^<>]*>)", re.IGNORECASE)
TAG = re.compile(r"</?(?!(?:i|b|u|s|em|strong|font|unk|pad|br|a|span)\b)[a-z][\w:.-]*(\s[^<>]*)?/?>", re.IGNORECASE)
LOOKED_AT = 1000
"""Lines that are looked at to see whether a file is markup."""
FIRST = 20
"""Lines that are looked at to see whether each is JSON."""


def read_sentences(path: Path, encoding: str | None = None, *, raw: bool = False) -> list[str]:
    """Return the lines of a file of sentences, which may be compressed (.gz, .bz2, .xz), as `decode_sentences`."""
    return decode_sentences(read_bytes(path), str(path), encoding, raw=raw)


def decode_sentences(data: bytes, name: str, encoding: str | None = None, *, raw: bool = False) -> list[str]:
    """Return the lines of `data`, called `name`, without their ends; only a line feed ends one, as in `wc -l`.

    A byte-order mark says what the bytes are, else `encoding`, which is UTF-8 where there is none to set. Raises
    UserError, with the line and what to do, where they are not that, or compressed, or an archive; and, unless the text
    is `raw`, where they are XML or JSON or hold control characters that stand for bytes of another encoding.
    """
    if kind := _container(data):
        raise UserError(f"{name} is {kind}, not text: unpack or export it, so that each line is a sentence")
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    reading = MARKS.get(mark) or codecs.lookup(encoding or "utf-8").name
    text = _decode(data[len(mark) :], name, reading, settable=encoding is not None)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "" and not text.endswith("\r"):
        lines.pop()
    if not raw:
        if kind := _structure(text, lines):
            raise UserError(f"{name} is {kind}")
        for number, line in enumerate(lines, 1) if CONTROL.search(text) else ():
            must_not_be_misread(line, f"{name}, line {number}", settable=not mark and reading != "utf-8")
    return lines


def must_not_be_misread(line: str, where: str, *, settable: bool = False) -> None:
    """Raise UserError where a line has a control character U+0080 to U+009F.

    `settable` where corpus.encoding made it of a byte.
    """
    if found := CONTROL.search(line):
        raise UserError(
            f"{where}: the control character U+{ord(found[0]):04X}, which no text has. {WESTERN}? Such characters come "
            f"from reading that as latin1: "
            + (_remedy(WESTERN, settable=True) if settable else f"convert its origin anew, with `iconv -f {WESTERN}`")
        )


def unknown_encoding(name: str) -> str:
    """Return why `corpus.encoding` cannot be `name`, with a suggestion; nothing where it can."""
    try:
        b"a".decode(name)
    except UnicodeError:
        pass  # known: one byte is no text in it
    except (LookupError, ValueError):
        known = sorted({*aliases, *aliases.values(), WESTERN, *OTHERS, *WITHOUT_MARK, "utf-8", "iso-8859-1"})
        close = difflib.get_close_matches(name.lower(), known, 1)
        return f"{name!r} is no encoding of text" + (f"; did you mean {close[0]}?" if close else "")
    return ""


def _container(data: bytes) -> str:
    if packed := packing_of(data):
        return f"data compressed with {packed}"
    if data[257:262] == b"ustar":
        return "a tar archive"
    return next((kind for signature, kind in SIGNATURES.items() if data.startswith(signature)), "")


def _decode(data: bytes, name: str, encoding: str, *, settable: bool) -> str:
    """Decode, or say in which line that fails and what the encoding may be."""
    if encoding == "utf-8" and b"\0" in data and (found := _wide(data)):
        raise UserError(f"{name} is {found.upper()} without a byte-order mark: {_remedy(found, settable=settable)}")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, errors="replace")
        place = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise UserError(
            f"{name}, line {before.count(chr(10)) + 1}: not {encoding.replace('utf', 'UTF')} at byte {place}; "
            f"{advise(data, settable=settable)}"
        ) from error


def advise(data: bytes, *, settable: bool = False) -> str:
    """Return what to do with bytes that are not UTF-8; `settable` where corpus.encoding says what they are."""
    if _reads(data, "utf-8"):
        return "it is UTF-8, so leave corpus.encoding out"
    high = sum(byte > 127 for byte in data)
    letters = high + sum(chr(byte).isalpha() for byte in data if byte < 128)
    if high < SHARE * letters and _reads(data, WESTERN):
        return f"it may be {WESTERN}: {_remedy(WESTERN, settable=settable)}"
    others = [encoding for encoding in OTHERS if _reads(data, encoding)]
    if not others:
        return "it is damaged, or no text"
    return f"find out what it is ({', '.join(others)} would do), and then {_remedy('THAT', settable=settable)}"


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


def _structure(text: str, lines: list[str]) -> str:
    """Return what the text is, with what to do, where it is no sentences but a tree of them."""
    start = text.lstrip()
    some = [line.strip() for line in lines[:LOOKED_AT] if line.strip()]
    if MARKUP.match(start) or 2 * sum(TAG.match(line) is not None for line in some) > len(some):
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
