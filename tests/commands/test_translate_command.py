"""What `mt translate` makes of its options, on a tiny untrained model in a run directory."""

import copy
import io
import json
import sys
from pathlib import Path

import pytest
from tiny_models import one_thread as one_thread
from tiny_translators import write_run

import mt
from mt.commands.translate import Output
from mt.commands.translate import write_translations as run
from mt.config import Config
from mt.config.corpora import ToyCorpus
from mt.config.overrides import change, parse_changes
from mt.core.errors import UsageError, UserError
from mt.inference.translator import Translator

LINES = ["Der Ofen ist kalt.", "", "Ein Junge wirft den Ball."]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Translator:
    folder = tmp_path_factory.mktemp("interact") / "run"
    write_run(folder)
    return mt.load(folder)


def searching(made: Translator, *overrides: str, n_best: int = 1) -> Translator:
    """Return the translator with other settings, as the command line would make it."""
    other = copy.copy(made)
    changes = parse_changes([f"search.{override}" for override in overrides])
    config = Config(corpus=ToyCorpus(name="toy"), search=made.settings)
    other.settings = change(config, changes, n_best).search
    return other


def test_translations_are_lines_and_n_best_have_scores(made: Translator, capsys: pytest.CaptureFixture[str]) -> None:
    run(searching(made, "beam=4"), LINES, None, Output())
    lines = capsys.readouterr().out.split("\n")
    assert (len(lines), lines[1]) == (4, "")
    run(searching(made, "beam=4"), LINES, None, Output(n_best=3))
    ranked = capsys.readouterr().out.splitlines()
    assert len(ranked) == 7
    assert [ranked[row].split("\t")[2] for row in (0, 3, 4)] == lines[:3]
    assert [row.split("\t")[0] for row in ranked] == ["1", "1", "1", "2", "3", "3", "3"]
    assert ranked[3] == "2\t0.0000\t"


def test_samples_are_drawn_by_their_seed(made: Translator, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = []
    for seed in (1, 1, 2):
        drawn = searching(made, "sample=true", "temperature=2.0", f"sample_seed={seed}")
        run(drawn, LINES, None, Output(n_best=4))
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]
    assert len(outputs[0].splitlines()) == 4 + 1 + 4


def test_plot_draws_below_each_translation(made: Translator, capsys: pytest.CaptureFixture[str]) -> None:
    run(made, LINES, None, Output())
    plain = capsys.readouterr().out.splitlines()
    run(made, LINES, None, Output(plot=True))
    drawn = capsys.readouterr().out.splitlines()
    places = [drawn.index(plain[0]), drawn.index(plain[2], 2)]
    assert [drawn[place + 1] for place in places] == ["Der", "Ein"]
    assert [line for line in drawn if line.endswith("</s>")] == ["│ " * 4 + "</s>", "│ " * 5 + "</s>"]


def test_pictures_by_their_suffix(made: Translator, tmp_path: Path) -> None:
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!doctype html"}
    for suffix, start in starts.items():
        run(made, ["", *LINES], None, Output(picture=tmp_path / f"p.{suffix}"))
        assert (tmp_path / f"p.{suffix}").read_bytes().lower().startswith(start.lower())
    page = (tmp_path / "p.html").read_text()
    assert all(line in page for line in LINES)
    with pytest.raises(UserError, match="no translation has words, so nothing is drawn in "):
        run(made, [""], None, Output(picture=tmp_path / "empty.png"))


def test_alignments_have_a_record_for_each_line_that_is_printed(made: Translator, tmp_path: Path) -> None:
    run(searching(made, "sample=true"), LINES, None, Output(n_best=2, alignments=tmp_path / "a"))
    records = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [record["source_words"] for record in records] == [
        line.split() for line in LINES for _ in range(2 if line else 1)
    ]


def test_without_attention_there_is_nothing_to_show(tmp_path: Path) -> None:
    write_run(tmp_path / "blind", score="none")
    for options in (Output(plot=True), Output(picture=tmp_path / "p.png"), Output(alignments=tmp_path)):
        with pytest.raises(UserError, match="this model has no attention"):
            run(mt.load(tmp_path / "blind"), LINES, None, options)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_prompt_translates_and_writes_no_files(
    made: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(made, ["Der Tee"], None, Output())
    expected = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", Terminal("Der Tee\n"))
    run(made, None, None, Output())
    asked = capsys.readouterr()
    assert asked.out == expected
    assert asked.err.endswith("\nde > de > ")
    for options in (Output(alignments=tmp_path / "a"), Output(picture=tmp_path / "p.png")):
        monkeypatch.setattr(sys, "stdin", Terminal("Der Tee\n"))
        with pytest.raises(UsageError, match="at the prompt"):
            run(made, None, None, options)
    assert list(tmp_path.iterdir()) == []


def test_a_line_at_the_prompt_has_its_number_and_its_samples_as_in_a_pipe(
    made: Translator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made, options = searching(made, "sample=true", "temperature=2.0"), Output(n_best=2)
    run(made, [LINES[0], LINES[0], LINES[2]], None, options)
    expected = capsys.readouterr().out
    assert expected.splitlines()[:2] != [line.replace("2", "1", 1) for line in expected.splitlines()[2:4]]
    monkeypatch.setattr(sys, "stdin", Terminal(f"{LINES[0]}\n{LINES[0]}\n{LINES[2]}\n"))
    run(made, None, None, options)
    assert capsys.readouterr().out == expected


def test_a_byte_at_the_prompt_that_is_not_utf8_becomes_a_sign_of_its_own(
    made: Translator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(made, ["Der Tee f\ufffd"], None, Output())
    expected = capsys.readouterr().out
    typed = io.TextIOWrapper(io.BytesIO(b"Der Tee f\xc3\n"), encoding="utf-8")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)
    run(made, None, None, Output())
    assert capsys.readouterr().out == expected
