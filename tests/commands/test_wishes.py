"""What `mt translate` makes of what is asked of translations: how they begin, what they say, and paragraphs."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import mt
from tiny_models import one_thread as one_thread
from tiny_translators import is_word, settings, translator, write_run

from mt.core.files import write_lines
from mt.inference.paragraphs import splitter
from mt.inference.wording import Wording, holds

LINES = ["Der Ofen ist kalt.", "", "Ein Junge wirft den Ball."]
SPLITS = pytest.mark.skipif(importlib.util.find_spec("sentencex") is None, reason="sentencex is not installed")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    write_run(tmp_path_factory.mktemp("wishes") / "run")
    return tmp_path_factory.getbasetemp() / "wishes0/run"


def said(run: Path, *options: object, lines: list[str] = LINES) -> list[str]:
    done = mt("translate", run, *options, *lines)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("search", [[], ["--beam", "1"], ["--sample"]])
def test_translations_begin_as_given(run: Path, tmp_path: Path, search: list[str]) -> None:
    begun = said(run, "--prefix", "The cat", "--alignments", tmp_path / "a", *search)
    assert [line[:7] for line in begun] == ["The cat", "", "The cat"]
    first = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[0])
    assert first["target_words"][0] == "The"
    assert first["target_words"][1].startswith("cat")  # an untrained model may go on with the word
    with np.load(tmp_path / "a.npz") as matrices:
        assert all(matrix.shape[0] >= 2 for name, matrix in matrices.items() if name.startswith("0"))
    write_lines(tmp_path / "begun", ["The cat", "", "A boy"])
    begun = said(run, "--prefix-file", tmp_path / "begun", *search)
    assert [line[:5] for line in begun] == ["The c", "", "A boy"]


def test_words_are_there_or_are_not(run: Path, tmp_path: Path) -> None:
    made = translator(settings(), is_word)
    words = {word for one in made.translate(LINES) for word in re.findall(r"\w+", one.text)}
    without = made.translate(LINES, wording=Wording(must_not=tuple(words)))
    assert words
    assert not any(re.search(rf"\b{word}\b", one.text) for one in without for word in words)
    assert without[0].text
    both = said(run, "--must", "fence", "--must", "red table")
    assert all(holds(both[row], one) for row in (0, 2) for one in ("fence", "red table"))
    (tmp_path / "glossary.tsv").write_text("Ofen\tstove\n\nJunge\tboy\n", encoding="utf-8")
    found = said(run, "--glossary", tmp_path / "glossary.tsv")
    assert [holds(found[0], "stove"), holds(found[2], "boy"), found[1]] == [True, True, ""]


@SPLITS
def test_paragraphs_are_translated_sentence_by_sentence(run: Path) -> None:
    sentences = ["Der Ofen ist kalt.", "Kalt ist der Tee auch!", "Ein Junge wirft den Ball."]
    one, two, three = (text.strip() for text in said(run, lines=sentences))
    lines = [" ".join(sentences[:2]), "", sentences[2], ""]
    assert [line.strip() for line in said(run, "--paragraphs", lines=lines)] == [f"{one} {two}".strip(), "", three, ""]


@SPLITS
@pytest.mark.parametrize("language", ["de", "German", "Deutsch"])
def test_a_language_has_its_abbreviations_whatever_it_is_called(language: str) -> None:
    assert splitter(language)("Am 3. Mai kam er. Dann ging er.") == ["Am 3. Mai kam er.", "Dann ging er."]


def test_what_cannot_be_is_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lines(tmp_path / "short", ["The cat"])
    (tmp_path / "wrong.tsv").write_text("Ofen stove\n")
    (tmp_path / "twice.tsv").write_text("Ofen\tstove\nOfen\toven\n")
    monkeypatch.setitem(sys.modules, "sentencex", None)
    for options, message in (
        (["--prefix", "x", "--prefix-file", tmp_path / "short"], "not both"),
        (["--prefix-file", tmp_path / "short"], "has 1 line, and 3 are to be translated"),
        (["--paragraphs", "--plot"], "--paragraphs gives one text for each paragraph"),
        (["--paragraphs", "--must", "x"], "give a --glossary"),
        (["--output", "a.GZ"], "--output is not compressed: leave .GZ out of its name"),
        (["--output", "."], "cannot write .: it is a folder"),
        (["--output", "/", "--resume"], "cannot write /: it is a folder"),
        (["--paragraphs"], "pip install 'mt[paragraphs]'"),
        (["--sample", "--must", "x"], "a sample is drawn"),
        (["--set", "search.sample=true", "--must", "x"], "a sample is drawn"),
        (["--must", " "], "has no letters"),
        (["--must", "old cat", "--must-not", "cat"], "must be said, and has what must not be"),
        (["--glossary", tmp_path / "wrong.tsv"], "line 1: write a word of the source, a tab"),
        (["--glossary", tmp_path / "twice.tsv"], "line 2: Ofen has two translations"),
    ):
        refused = mt("translate", run, *options, *LINES)
        assert refused.returncode in {1, 2}
        assert message in refused.stderr, (message, refused.stderr)
        assert refused.stdout == ""


def test_a_pipe_and_the_file_of_its_beginnings_have_as_many_lines(run: Path, tmp_path: Path) -> None:
    for count, code, told in ((2, 1, "has 2 lines, and there are more"), (3, 0, ""), (4, 0, "has 4 lines, and 3 were")):
        write_lines(tmp_path / "begun", ["The cat"] * count)
        done = mt("translate", run, "--prefix-file", tmp_path / "begun", stdin="".join(f"{line}\n" for line in LINES))
        assert (done.returncode, told in done.stderr, "lines, and" in done.stderr) == (code, True, bool(told))


def test_what_is_resumed_was_begun_with_the_same_wishes(run: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "in", LINES)
    output = tmp_path / "out"
    (tmp_path / "in").write_bytes("\n".join(LINES).encode() + b"\n\xff\n")
    begun = mt("translate", run, "--input", tmp_path / "in", "--output", output, "--must", "stove")
    assert begun.returncode == 1
    write_lines(tmp_path / "in", LINES)
    other = mt("translate", run, "--input", tmp_path / "in", "--output", output, "--must", "fence", "--resume")
    assert other.returncode == 1
    assert "wishes" in other.stderr
    same = mt("translate", run, "--input", tmp_path / "in", "--output", output, "--must", "stove", "--resume")
    assert same.returncode == 0, same.stderr
