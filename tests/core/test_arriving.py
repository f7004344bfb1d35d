"""Lines that arrive in blocks are those that the whole text has, with the same complaints."""

import bz2
import io
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mt.core import arriving
from mt.core.arriving import count_lines, from_file, from_pipe
from mt.core.errors import UserError
from mt.core.text import decode_sentences

TEXTS = [
    "",
    "\n",
    "a",
    "a\n",
    "a\r\nb\r\n",
    "a\rb\rc",
    "a\rb\r",
    "a\rb\nc\r",
    "\n\r",
    "ü\u0a0aẞ\n\n🙂 \n",
    "\u010a\nx\n" * 40,
]


class Blocks(io.BytesIO):
    """Bytes that come a few at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(random.Random(self.tell()).randint(1, 5))


def read(data: bytes, raw: bool = False) -> tuple[list[str], str]:
    """Return the lines, and what is said of the next."""
    lines = list[str]()
    try:
        for part in from_pipe(Blocks(data), "it", raw=raw):
            lines += part
    except UserError as error:
        return lines, str(error)
    return lines, ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be"])
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_blocks_are_read_as_the_whole(text: str, encoding: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    data = mark + text.encode(encoding)
    assert read(data) == (decode_sentences(data, "it"), "")


@pytest.mark.parametrize(
    "data",
    [
        b"a\nb\nf\xfcnf\nc\n",
        b"a\n\xe2\x82",
        "a\nb\x93c\nd".encode(),
        b"\xff\xfe" + "a\nb\n".encode("utf-16-le") + b"\x00",
        b"PK\x03\x04aaa\n",
        "ein Satz\n".encode("utf-16-le"),
        bz2.compress(b"ein Satz\n" * 9),
    ],
)
def test_what_is_wrong_is_said_after_what_stands_before_it(data: bytes) -> None:
    with pytest.raises(UserError) as error:
        decode_sentences(data, "it")
    lines, said = read(data)
    assert said.partition(" at byte")[0] == str(error.value).partition(" at byte")[0]
    number = int(said.partition("line ")[2].partition(":")[0]) if ", line " in said else 1
    assert lines == ["a", "b", "c"][: number - 1]


def test_a_kind_of_line_end_holds_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "MEGABYTE", 20)
    lines, said = read(b"a\rb\r" * 10 + b"c\rd\ne\r")
    assert lines == ["a", "b"] * 10 + ["c"]
    assert said.startswith("it, line 22: it ends in a line feed")
    monkeypatch.setattr(arriving, "LONGEST_LINE", 100)
    assert read(b"a\n" + b"b" * 200) == (["a"], "it, line 2: it is longer than 16 MB, which no sentence is")


def test_parts_grow_and_long_lines_make_small_ones() -> None:
    lines = [str(number) for number in range(9000)]
    parts = list(from_pipe(io.BytesIO("\n".join(lines).encode()), "it"))
    assert [line for part in parts for line in part] == lines
    assert [len(part) for part in parts] == [100, 200, 400, 800, 1600, 2000, 2000, 1900]
    long = ["x" * 1_500_000] * 7
    assert [len(part) for part in from_pipe(io.BytesIO("\n".join(long).encode()), "it")] == [3, 3, 1]


def test_a_pipe_is_not_waited_for_and_a_trickle_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    seen = threading.Event()

    def write() -> None:
        with open(writing, "wb", buffering=0) as pipe:
            pipe.write(b"a\nb")
            assert seen.wait(60)
            pipe.write(b"\nc\n")

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb") as pipe:
        parts = from_pipe(pipe, "it")
        assert next(parts) == ["a"]
        seen.set()
        assert [line for part in parts for line in part] == ["b", "c"]
    thread.join()
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock) / 10)
    trickle: Iterator[list[str] | None] = iter([[str(number)] for number in range(30)])
    assert {len(part) for part in arriving._parts(trickle, 0.5)} == {6}


def test_files_of_any_packing_are_read_and_trees_refused(tmp_path: Path) -> None:
    lines = [f"Satz {number}" for number in range(300)]
    data = "\n".join([*lines, ""]).encode()
    (tmp_path / "a.de").write_bytes(data)
    (tmp_path / "a.de.bz2").write_bytes(bz2.compress(data))
    for name in ("a.de", "a.de.bz2"):
        assert [line for part in from_file(tmp_path / name) for line in part] == lines
        assert count_lines(tmp_path / name) == 300
    (tmp_path / "b.de").write_text('{"a": [' + "1,\n" * 600_000 + "1]}")
    (tmp_path / "c.de").write_text("<?xml version='1.0'?>\n<a>\n")
    (tmp_path / "d.de").write_bytes(bz2.compress(data))
    for name, said in {"b.de": "is JSON", "c.de": "is XML", "d.de": "call it", "e.de": "No such file"}.items():
        with pytest.raises(UserError, match=said):
            list(from_file(tmp_path / name))
    os.mkfifo(tmp_path / "pipe")
    thread = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(data))
    thread.start()
    assert count_lines(tmp_path / "pipe") is None
    assert [line for part in from_file(tmp_path / "pipe") for line in part] == lines
    thread.join()
