"""Inputs from valid ones: changed a little, in ways that people, editors and attackers change them."""

import random
import re
from collections.abc import Sequence

NASTY = [
    *(b"9" * 5000, b"-1", b"0", b"1e400", b"-1e400", b"NaN", b".inf", b"Infinity", b"0x" + b"f" * 5000, b"1:" * 400),
    *(b"!!timestamp yesterday", b"2024-13-45", b"2024-01-01", b"!!int ''", b"!!binary x", b"!!set {a}", b"!!omap [a]"),
    *(b"[" * 3000, b"{" * 3000, b'{"a":' * 3000, b"- " * 3000, b"[" * 30 + b"]" * 30, b"[]", b"{}", b"null", b"true"),
    *(b"\0", b'"\\u0000"', b'"\\ud800"', b'"\\x00"', b"\xed\xa0\x80", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(
        b"&a",
        b"*a",
        b"<<: *a",
        b"? ",
        b": ",
        b"|",
        b"%YAML 9.9\n",
        b"---\n",
        b"...\n",
        b"\t",
        b"\r",
        b"\n\n",
        b"\xc2\x85",
    ),
    *(b"'", b'"', b"\\", b",", b";", b"sep=;\n", b"\x1f\x8b", b"PK\x03\x04", b"<?xml?>", b"../../..", b"/dev/null"),
    *(
        character.encode()
        for character in ("\u2028", "\u0301", "\u202e", "\xad", "\U0001f469\u200d\U0001f469", "\u0661")
    ),
]
TOKEN = re.compile(rb"[\w.+-]+|[^\w\s]")
MOST = 1 << 17
"""Bytes of an input."""


def mutate(valid: bytes, others: Sequence[bytes], chooser: random.Random) -> bytes:
    """Return an input with one to three changes; `others` are inputs that may be spliced in."""
    data = valid
    for _ in range(chooser.choice((1, 1, 1, 1, 2))):
        data = chooser.choice(WAYS)(data, others, chooser)
    return data[:MOST]


def _token(data: bytes, others: Sequence[bytes], chooser: random.Random) -> bytes:
    """Put something nasty in the place of a word, a number or a sign."""
    found = [*TOKEN.finditer(data)]
    if not found:
        return chooser.choice(NASTY)
    one = chooser.choice(found)
    return data[: one.start()] + chooser.choice(NASTY) + data[one.end() :]


def _swap(data: bytes, others: Sequence[bytes], chooser: random.Random) -> bytes:
    """Put a word of the input, or of another, in the place of one of its words."""
    found, given = [*TOKEN.finditer(data)], TOKEN.findall(chooser.choice([data, *others]))
    if not found or not given:
        return data
    one = chooser.choice(found)
    return data[: one.start()] + chooser.choice(given) + data[one.end() :]


def _insert(data: bytes, others: Sequence[bytes], chooser: random.Random) -> bytes:
    place = chooser.randint(0, len(data))
    return data[:place] + chooser.choice(NASTY) + data[place:]


def _line(data: bytes, others: Sequence[bytes], chooser: random.Random) -> bytes:
    """Leave a line out, give it twice, or elsewhere, or give one of another input."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    place, to = chooser.randrange(len(lines)), chooser.randrange(len(lines))
    line = lines.pop(place)
    given = chooser.choice([data, *others]).splitlines(keepends=True) or [b""]
    ways: list[list[bytes]] = [[], [line], [line, line], [line, chooser.choice(given)]]
    return b"".join([*lines[:to], *chooser.choice(ways), *lines[to:]])


def _byte(data: bytes, others: Sequence[bytes], chooser: random.Random) -> bytes:
    place = chooser.randrange(len(data) + 1)
    return data[:place] + bytes([chooser.randrange(256)]) + data[place + chooser.randint(0, 1) :]


def _cut(data: bytes, others: Sequence[bytes], chooser: random.Random) -> bytes:
    first, last = sorted(chooser.randint(0, len(data)) for _ in range(2))
    return chooser.choice((data[:first], data[first:], data[:first] + data[last:]))


def _digits(data: bytes, others: Sequence[bytes], chooser: random.Random) -> bytes:
    """Change a number to another one, as most changes that people make do."""
    found = [*re.finditer(rb"\d+", data)]
    if not found:
        return _byte(data, others, chooser)
    one = chooser.choice(found)
    return data[: one.start()] + str(chooser.choice((0, 1, 2, 7, 50, 10**6, 10**12))).encode() + data[one.end() :]


WAYS = (_token, _swap, _swap, _insert, _line, _line, _byte, _cut, *[_digits] * 4)
