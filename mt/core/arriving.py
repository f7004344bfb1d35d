"""Sentences as they arrive: a file or a pipe of any length, in parts, read by the rules of `mt.core.text`."""

import io
import os
import select
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from mt.core.errors import UserError
from mt.core.files import open_bytes, read_start
from mt.core.text import MEGABYTE, decode, must_be_sentences, must_not_be_misread, read_sentences, reading_of

FIRST, MOST = 100, 2000
"""Lines of the first part, and of the largest: each has twice as many as the one before, so that the first is soon done
and those of similar length come together later."""
CHARACTERS = 1 << 22
"""A part has no more lines once it has so many."""
MOMENT, LONGEST = 0.05, 0.5
"""Seconds: lines of a pipe wait no longer than the first for the next ones, and than the second for a part."""
BLOCK = 1 << 16
LONGEST_LINE = 16 * MEGABYTE
"""In bytes; what is longer is no sentence, and would fill the memory."""
Blocks = Iterator[bytes | None]
"""Bytes as they come; None where nothing has come for a moment."""


def from_pipe(stream: BinaryIO, name: str, *, raw: bool = False) -> Iterator[list[str]]:
    """Yield the lines of a pipe in parts, without waiting long for lines that do not come.

    Raises UserError as `decode_sentences`, after what stands before the line that is wrong.
    """
    return _parts(_lines(_blocks(stream, name), name, raw=raw), LONGEST)


def from_file(path: Path, *, raw: bool = False) -> Iterator[list[str]]:
    """Yield the lines of a file in parts. Raises UserError as `from_pipe`, and before all of them as `read_sentences`.

    Whether it is XML is seen in its first megabyte.
    """
    if path.is_file():  # no pipe, which could be read but once
        head = read_start(path, MEGABYTE)
        mark, reading = reading_of(_in_fours(head), str(path))
        text = head[mark:].decode(reading, errors="replace")
        if not raw and text.lstrip()[:1] in {"{", "["}:
            read_sentences(path)  # a tree can be told from lines that begin so by all of it only
        elif not raw:
            must_be_sentences(text.replace("\r", "\n").split("\n"), path)
    return _parts(_lines(_stored(path), str(path), raw=raw), float("inf"))


def count_lines(path: Path) -> int | None:
    """Return how many lines a file has, more or less where it is in UTF-16; None where that is not to be had."""
    if not path.is_file():
        return None
    with open_bytes(path) as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(MEGABYTE), b""))


def _stored(path: Path) -> Blocks:
    with open_bytes(path) as file:
        while block := file.read(BLOCK):
            yield block


def _blocks(stream: BinaryIO, name: str) -> Blocks:
    """Yield what comes, and None once where nothing comes for a moment."""
    try:
        number = stream.fileno()
    except io.UnsupportedOperation:  # no pipe, but bytes in memory
        yield from iter(lambda: stream.read(BLOCK), b"")
        return
    try:
        while block := os.read(number, BLOCK):
            yield block
            if not _comes(number):
                yield None
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror or error}") from error


def _comes(number: int) -> bool:
    """Tell whether more comes within a moment; not, where the system cannot wait for a pipe."""
    try:
        return bool(select.select([number], [], [], MOMENT)[0])
    except OSError:
        return False


def _lines(blocks: Blocks, name: str, *, raw: bool) -> Iterator[list[str] | None]:
    """Yield lines without their ends as blocks complete them; None where a block is."""
    head, ended = _head(blocks)
    mark, reading = reading_of(head if ended else _in_fours(head), name)
    pending, number, end = head[mark:], 1, _end(head[mark:], reading)
    while True:
        size = len(pending) if ended else _complete(pending, end.encode(reading))
        if size:
            text, wrong = _decode(pending[:size], name, reading, number, end)
            lines = [line.removesuffix("\r") for line in text.removesuffix(end).split(end)] if text else []
            if wrong is None and not raw:
                lines, wrong = _check(lines, name, "" if mark else reading, number)
            yield lines
            if wrong:
                raise wrong
            pending, number = pending[size:], number + len(lines)
        if ended:
            return
        block = next(blocks, b"")
        ended = block == b""
        if block is None:
            yield None
        elif len(pending) > LONGEST_LINE:
            raise UserError(f"{name}, line {number}: it is longer than 16 MB, which no sentence is")
        else:
            pending += block


def _head(blocks: Blocks) -> tuple[bytes, bool]:
    """Return what comes until a line ends, or a megabyte, by which the rest is read; and whether that is all."""
    head = b""
    for block in blocks:
        head += block or b""
        wide = b"\0" in head or head[:2] in {b"\xff\xfe", b"\xfe\xff"}  # a line end has perhaps come in part
        if b"\n" in (head[:-3] if wide else head) or len(head) >= MEGABYTE:
            return head, False
    return head, True


def _in_fours(data: bytes) -> bytes:
    """Return data without the bytes at its end that may be a part of a character of UTF-16 or UTF-32."""
    return data[: len(data) // 4 * 4]


def _end(data: bytes, reading: str) -> str:
    """Return what ends the lines of a text that begins so."""
    text = data.decode(reading, errors="replace")
    return "\r" if "\r" in text and "\n" not in text else "\n"  # as on the Macintosh of long ago


def _complete(data: bytes, end: bytes) -> int:
    """Return how many bytes of data are whole lines; characters have as many bytes as `end`, or any number of them."""
    place = data.rfind(end)
    while place % len(end) and place > 0:
        place = data.rfind(end, 0, place + len(end) - 1)
    return place + len(end) if place >= 0 else 0


def _decode(data: bytes, name: str, reading: str, number: int, end: str) -> tuple[str, UserError | None]:
    """Return lines as text, or those before one that is wrong, and what is wrong with it."""
    wrong = None
    try:
        text = data.decode(reading)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(reading)
        text = before[: before.rfind(end) + 1]
        try:
            decode(data, name, reading, first=number)
        except UserError as reason:
            wrong = reason
    if end == "\r" and "\n" in text:
        text = text[: text.rfind(end, 0, text.index("\n")) + 1]
        wrong = UserError(
            f"{name}, line {number + text.count(end)}: it ends in a line feed, and the lines of the first megabyte in "
            f"carriage returns alone: write line feeds (tr '\\r' '\\n')"
        )
    return text, wrong


def _check(lines: list[str], name: str, reading: str, number: int) -> tuple[list[str], UserError | None]:
    """Return the lines, or those before one that was misread, and what is wrong with it."""
    for row, line in enumerate(lines):
        try:
            must_not_be_misread(line, f"{name}, line {number + row}", reading)
        except UserError as error:
            return lines[:row], error
    return lines, None


def _parts(lines: Iterable[list[str] | None], longest: float) -> Iterator[list[str]]:
    """Yield lines in parts: when there are enough, when nothing comes for a moment, and before an error is raised."""
    waiting, size, wrong, since = list[str](), FIRST, None, time.monotonic()
    try:
        for some in lines:
            since = since if waiting else time.monotonic()
            waiting += some or []
            late = some is None or time.monotonic() - since > longest
            while waiting and (late or _fitting(waiting, size) <= len(waiting)):
                part = waiting[: _fitting(waiting, size)]
                waiting = waiting[len(part) :]
                size = min(2 * size, MOST) if len(part) == size else size
                yield part
    except UserError as error:
        wrong = error
    while waiting:
        yield waiting[: _fitting(waiting, size)]
        waiting = waiting[_fitting(waiting, size) :]
    if wrong:
        raise wrong


def _fitting(lines: list[str], size: int) -> int:
    """Return how many lines make a part of this size: fewer where they are very long, one at least."""
    characters = 0
    for row, line in enumerate(lines[:size], 1):
        characters += len(line)
        if characters >= CHARACTERS:
            return row
    return size
