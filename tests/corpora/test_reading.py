"""Translating and aligning read files and standard input as a corpus is read."""

import bz2
import io
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import mt
from corpus_files import elsewhere as elsewhere
from corpus_files import write

from mt.commands.translate import Output, write_translations
from mt.config.corpora import FilesCorpus
from mt.core.errors import UserError
from mt.corpora import files
from mt.inference.load import load

SOURCES = [f"ein Satz, Nummer {number}" for number in range(5)]
TARGETS = [f"a sentence, number {number}" for number in range(5)]
OLD_RUN = Path(__file__).parents[1] / "old_runs/rnn"


def read(*place: str, **keys: Any) -> tuple[list[str], list[str]]:
    where = place[0] if len(place) == 1 else (place[0], place[1])
    config = FilesCorpus.model_validate({"name": "files", "source": "de", "target": "en", "train": where} | keys)
    split = files.read(where, config)
    return split.sources, split.targets


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"ein Satz \x80 hier\n", "windows-1252"),
        ("ein Satz\nein \u0086 Satz\n".encode(), "line 2: the control character U+0086"),
        (b'<?xml version="1.0"?>\n', "is XML"),
        (b'{"de": "ja"}\n', "is JSON"),
        (b"PK\x03\x04", "is a zip archive"),
        ("ein Satz\n".encode("utf-16-le"), "iconv -f utf-16-le"),
        (bz2.compress(b"ein Satz\n"), "call it bad.txt.bz2"),
    ],
)
def test_translate_and_align_refuse_the_same(data: bytes, message: str) -> None:
    write("bad.txt", data)
    write("good.txt", "a sentence\n")
    for words in (
        ("translate", OLD_RUN, "--input", "bad.txt"),
        ("align", OLD_RUN, "--source", "bad.txt", "--target", "good.txt", "--output", "x"),
    ):
        done = mt(*words)
        assert done.returncode == 1
        assert message in done.stderr
        assert "bad.txt" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_run_whose_corpus_is_raw_reads_so_and_standard_input_is_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "<p>Der Hund.</p>\n<p>Der Tee ist kalt.</p>\n"
    write("a.txt", lines)
    with pytest.raises(UserError, match=r"a\.txt is XML.*mt translate takes them from standard input"):
        write_translations(load(OLD_RUN), None, Path("a.txt"), Output())
    write_translations(load(OLD_RUN), None, Path("a.txt"), Output(), raw=True)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    write_translations(load(OLD_RUN), None, None, Output())
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == said[2:]
    shutil.copytree(OLD_RUN, "run")
    text = Path("run/config.yaml").read_text()
    corpus = "corpus: {name: files, source: de, target: en, train: [a, b], raw: true}\n"
    Path("run/config.yaml").write_text(re.sub(r"corpus:\n(  .*\n)+", corpus, text))
    assert mt("translate", "run", "--input", "a.txt").stdout.splitlines() == said[:2]
    assert mt("align", "run", "--source", "a.txt", "--target", "a.txt", "--output", "x").returncode == 0


def test_translate_reads_what_says_what_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "Der Tee ist kalt."
    write("a.txt", line + "\n")
    write("b.txt", b"\xff\xfe" + f"{line}\r\n".encode("utf-16-le"))
    Path("c.txt.bz2").write_bytes(bz2.compress(line.encode()))
    said = [mt("translate", OLD_RUN, "--input", name).stdout for name in ("a.txt", "b.txt", "c.txt.bz2")]
    assert said[0].strip()
    assert said == [said[0]] * 3
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("b.txt").read_bytes())))
    write_translations(load(OLD_RUN), None, None, Output())
    assert capsys.readouterr().out == said[0]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("c.txt.bz2").read_bytes())))
    with pytest.raises(UserError, match="standard input is data compressed with bzip2"):
        write_translations(load(OLD_RUN), None, None, Output())
