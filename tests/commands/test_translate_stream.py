"""A stream of lines is translated as the list of them is, part by part, and goes on where it was interrupted."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from command_line import ENVIRONMENT, mt
from tiny_models import one_thread as one_thread
from tiny_translators import LINES, write_run

from mt.commands.printing import Output
from mt.commands.translate import write_translations
from mt.core import arriving
from mt.core.errors import UserError
from mt.inference.load import load

MANY = [*LINES, "", *LINES[::-1], "Wem gehört der Ball?"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stream") / "run"
    write_run(folder)
    return folder


@pytest.fixture
def tiny_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "FIRST", 2)
    monkeypatch.setattr(arriving, "MOST", 5)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("new.de").write_text("\n".join(MANY) + "\n", encoding="utf-8")
    return tmp_path


WAYS = [
    ("-b", 1),
    ("-b", 4, "-n", 3),
    ("--sample", "-n", 2, "--set", "search.temperature=2.0"),
    ("--json", "-b", 2),
    ("--plot",),
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_parts_give_what_the_whole_list_gives(
    run: Path, here: Path, monkeypatch: pytest.MonkeyPatch, way: tuple[object, ...]
) -> None:
    """The whole list is one part on the command line."""
    whole = mt("translate", run, *way, "--alignments", "whole", "--picture", "whole.html", *["--", *MANY]).stdout
    monkeypatch.setattr(arriving, "FIRST", 2)
    monkeypatch.setattr(arriving, "MOST", 5)
    text = "\n".join(MANY) + "\n"
    files = "--alignments", "parts", "--picture", "parts.html"
    piped = mt("translate", run, *way, *files, stdin=text)
    assert piped.returncode == 0, piped.stderr
    numbers = r"-?\d+\.\d+"
    assert re.sub(numbers, "", piped.stdout) == re.sub(numbers, "", whole)
    pairs = zip(re.findall(numbers, piped.stdout), re.findall(numbers, whole), strict=True)
    assert all(float(one) == pytest.approx(float(other), abs=2e-4) for one, other in pairs)
    assert len(set(piped.stdout.splitlines())) > 5
    assert Path("parts.pharaoh").read_text() == Path("whole.pharaoh").read_text()
    with np.load("parts.npz") as ours, np.load("whole.npz") as theirs:
        assert sorted(ours) == sorted(theirs)
        assert all(np.allclose(ours[name], theirs[name], atol=1e-3) for name in ours)
    assert sorted(os.listdir()) == sorted(
        [
            "new.de",
            *(f"{stem}.{suffix}" for stem in ("parts", "whole") for suffix in ("html", "jsonl", "npz", "pharaoh")),
        ]
    )


def test_prefixes_ensembles_and_gold_know_their_first_line(run: Path) -> None:
    for translator in (load(run), load(run, run)):
        settings = translator.settings.model_copy(update={"beam": 1, "sample": True, "temperature": 2.0})
        prefixes = ["Der" if number % 3 else "" for number in range(len(MANY))]
        whole = translator.translate(MANY, settings, n_best=2, prefixes=prefixes)
        for start in range(0, len(MANY), 4):
            place = slice(start, start + 4)
            some = translator.translate(MANY[place], settings, n_best=2, prefixes=prefixes[place], first=start + 1)
            for one, other in zip(some, whole[place], strict=True):
                assert [each.numbers for each in one.n_best] == [each.numbers for each in other.n_best]
                assert one.score == pytest.approx(other.score, abs=1e-4)


def test_warnings_and_errors_have_the_number_of_the_line(run: Path, here: Path, tiny_parts: None) -> None:
    lines = [b"Der Tee"] * 12
    lines[7] = b"Tee " * 3000
    lines[10] = b"f\xfcnf"
    Path("bad.de").write_bytes(b"\n".join(lines))
    done = mt("translate", run, "-b", 1, "--input", "bad.de", "--set", "search.max_source=9")
    assert done.returncode == 1
    assert "line 8 has" in done.stderr
    assert "mt: bad.de, line 11: not UTF-8 at byte 2" in done.stderr
    assert len(done.stdout.splitlines()) == 10


def test_many_empty_translations_are_told_of_once(run: Path, here: Path, tiny_parts: None) -> None:
    done = mt("translate", run, "--input", "new.de", "--set", "search.max_ratio=0.01", "--set", "search.max_extra=1")
    assert len(re.findall(r"of \d+ translations, \d+ are", done.stderr)) == 1
    assert f"of {sum(bool(line.strip()) for line in MANY)} translations" in done.stderr


# output files


def interrupted(run: Path, parts: int, *options: object) -> str:
    """Translate new.de, and stop before a part; return what is said."""
    with pytest.MonkeyPatch.context() as patch:
        real = arriving._parts

        def stopping(lines: Iterator[list[str] | None], longest: float) -> Iterator[list[str]]:
            for number, part in enumerate(real(lines, longest)):
                if number == parts:
                    raise KeyboardInterrupt
                yield part

        patch.setattr(arriving, "_parts", stopping)
        patch.setattr(os, "_exit", sys.exit)
        done = mt("translate", run, "--input", "new.de", "--output", "out.en", *options)
    assert done.returncode == 130
    return done.stderr


@pytest.mark.parametrize("way", [(), ("-n", 3), ("--sample", "-n", 2), ("--json",)], ids=str)
def test_an_interrupted_file_goes_on(run: Path, here: Path, tiny_parts: None, way: tuple[object, ...]) -> None:
    options = *way, "--alignments", "a"
    assert mt("translate", run, "--input", "new.de", "--output", "out.en", *options).returncode == 0
    names = ["out.en", "a.npz", "a.jsonl", "a.pharaoh"]
    whole = {name: Path(name).read_bytes() for name in names}
    assert whole["out.en"].decode() == mt("translate", run, "--input", "new.de", *way).stdout
    Path("out.en").unlink()
    assert "out.en.part holds the translations of the first 6 lines" in interrupted(run, 2, *options)
    assert not Path("out.en").exists()
    for name in names:  # a line that a kill has cut, or a part that was written and not kept
        with open(f"{name}.part", "ab") as file:
            file.write(b"half a li" * 10_000)
    assert "first 16 lines" in interrupted(run, 4, *options, "--resume")
    refused = mt("translate", run, "--input", "new.de", "--output", "out.en", *options)
    assert "--resume goes on after it" in refused.stderr
    done = mt("translate", run, "--input", "new.de", "--output", "out.en", *options, "--resume")
    assert done.returncode == 0, done.stderr
    assert {name: Path(name).read_bytes() for name in names} == whole
    assert sorted(os.listdir()) == sorted([*names, "new.de"])
    again = mt("translate", run, "--input", "new.de", "--output", "out.en", *options, "--resume")
    assert (again.returncode, "out.en is whole already" in again.stderr) == (0, True)


def test_what_goes_on_must_be_the_same(run: Path, here: Path, tiny_parts: None) -> None:
    interrupted(run, 2)
    again = "translate", run, "--output", "out.en", "--resume", "--input", "new.de"
    before = Path("out.en.part").read_bytes()
    other = mt(*again, "-b", 2)
    assert (other.returncode, "out.en.part was begun with other settings" in other.stderr) == (1, True)
    other = mt(*again, "-n", 2)
    assert (other.returncode, "out.en.part was begun with other n_best" in other.stderr) == (1, True)
    Path("new.de").write_text("other\n" * 50)
    other = mt(*again)
    assert (other.returncode, "the first 6 lines are not those that out.en.part was made of" in other.stderr) == (
        1,
        True,
    )
    Path("new.de").write_text("other\n")
    assert "there are fewer lines than the 6 that out.en.part was made of" in mt(*again).stderr
    assert Path("out.en.part").read_bytes() == before
    for options, said in (
        (("--resume",), "--resume goes on with a file"),
        (("--resume", "--output", "a", "--picture", "p.png"), "--picture shows the first lines"),
        (("--output", "a", "--plot"), "--plot draws in the terminal"),
    ):
        refused = mt("translate", run, "Tee", *options)
        assert (refused.returncode, said in refused.stderr) == (2, True)


def test_nothing_is_translated_for_files_that_cannot_be(run: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").write_text("")
    Path("folder").mkdir()
    translator = load(run)
    monkeypatch.setattr(translator, "translate", lambda *_, **__: pytest.fail("something was translated"))
    for path in (Path("file/x/p.png"), Path("folder")):
        for output in (
            Output(alignments=path / "a" if path.is_dir() else path),
            Output(file=path),
            Output(picture=path),
        ):
            if output.alignments and path.is_dir():
                continue
            with pytest.raises(UserError, match=f"cannot write {path}"):
                write_translations(translator, ["Tee"], None, output)
    assert sorted(os.listdir()) == ["file", "folder", "new.de"]
    assert os.listdir("folder") == []


def test_a_page_has_the_first_translations(
    run: Path, here: Path, monkeypatch: pytest.MonkeyPatch, tiny_parts: None
) -> None:
    monkeypatch.setattr("mt.commands.printing.PAGE", 7)
    done = mt("translate", run, "--input", "new.de", "--picture", "p.html")
    assert "p.html shows the first 7 of" in done.stderr
    data = Path("p.html").read_text().partition('id="data">')[2].partition("</script>")[0]
    assert [one["source"] for one in json.loads(data)] == [line.strip() for line in MANY[:7]]


# a pipe that waits


def test_a_pipe_that_waits_is_answered_at_once(run: Path) -> None:
    program = f"import sys; sys.argv = ['mt', 'translate', {str(run)!r}]; from mt.__main__ import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        bufsize=0,
    )
    assert process.stdin
    assert process.stdout
    try:
        for lines in (["Der Tee"], ["Der Ofen ist kalt.", ""]):
            process.stdin.write("".join(f"{line}\n" for line in lines).encode())
            answer = b""
            until = time.monotonic() + 120
            while answer.count(b"\n") < len(lines) and time.monotonic() < until:
                if select.select([process.stdout], [], [], 1)[0]:
                    answer += process.stdout.read(1000)
            assert answer.count(b"\n") == len(lines)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == -signal.SIGTERM
    finally:
        process.kill()
        process.communicate()
