"""What `mt translate` makes of its options, on a tiny untrained model in a run directory."""

import io
import json
import sys
from pathlib import Path

import pytest
from tiny_models import one_thread as one_thread
from tiny_translators import write_run

import mt
from mt.commands import translating as interact
from mt.commands.translating import Options, UsageError, changes, run
from mt.config import Search
from mt.core.errors import UserError
from mt.inference.translator import Translator

LINES = ["Der Ofen ist kalt.", "", "Ein Junge wirft den Ball."]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Translator:
    folder = tmp_path_factory.mktemp("interact") / "run"
    write_run(folder)
    return mt.load(folder)


def test_wishes_that_are_unset_change_nothing() -> None:
    asked = {"beam": 3, "length_penalty": None, "no_repeat": 0, "sample": None, "top_k": None}
    assert changes(asked, Search()) == {"beam": 3, "no_repeat": 0}
    assert changes({"sample": True, "sample_seed": 0, "top_p": 0.5}, Search()) == {
        "sample": True,
        "sample_seed": 0,
        "top_p": 0.5,
    }


@pytest.mark.parametrize(
    ("wishes", "complaint"),
    [
        ({"temperature": 0.5}, "--temperature needs --sample"),
        ({"top_k": 5, "sample": False}, "--top-k needs --sample"),
        ({"top_p": 0.5}, "--top-p needs --sample"),
        ({"sample_seed": 1}, "--seed needs --sample"),
        ({"beam": 5, "sample": True}, "--beam has no effect with --sample"),
        ({"coverage_penalty": 0.1, "sample": True}, "--coverage-penalty has no effect with --sample"),
        ({"temperature": 0.0, "sample": True}, "--temperature is 0.0: input should be greater than 0"),
        ({"temperature": float("nan"), "sample": True}, "--temperature is nan: input should be a finite number"),
        ({"top_p": 1.5, "sample": True}, "--top-p is 1.5: input should be less than or equal to 1"),
        ({"sample_seed": -1, "sample": True}, "--seed is -1: input should be greater than or equal to 0"),
        ({"length_penalty": -1.0}, "--length-penalty is -1.0: input should be greater than or equal to 0"),
        ({"length_penalty": 400.0}, "--length-penalty is 400.0: input should be less than or equal to 10"),
        ({"no_repeat": -2}, "--no-repeat is -2: input should be greater than or equal to 0"),
    ],
)
def test_what_cannot_be_is_refused_in_the_words_of_the_command_line(wishes: dict[str, object], complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        changes(wishes, Search())
    assert str(caught.value) == complaint


def test_what_the_config_says_of_sampling_counts() -> None:
    assert changes({"temperature": 0.5}, Search(sample=True)) == {"temperature": 0.5}
    assert changes({"beam": 3, "sample": False}, Search(sample=True)) == {"beam": 3, "sample": False}
    with pytest.raises(UsageError, match="--beam has no effect with --sample"):
        changes({"beam": 3}, Search(sample=True))


def test_translations_are_lines_and_n_best_have_scores(made: Translator, capsys: pytest.CaptureFixture[str]) -> None:
    run(made, LINES, None, Options({"beam": 4}))
    lines = capsys.readouterr().out.split("\n")
    assert (len(lines), lines[1]) == (4, "")
    run(made, LINES, None, Options({"beam": 4}, n_best=3))
    ranked = capsys.readouterr().out.splitlines()
    assert len(ranked) == 7
    assert [ranked[row].split("\t")[2] for row in (0, 3, 4)] == lines[:3]
    assert [row.split("\t")[0] for row in ranked] == ["1", "1", "1", "2", "3", "3", "3"]
    assert ranked[3] == "2\t0.0000\t"


def test_samples_are_drawn_by_their_seed(made: Translator, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = []
    for seed in (1, 1, 2):
        drawn = changes({"sample": True, "temperature": 2.0, "sample_seed": seed}, made.settings)
        run(made, LINES, None, Options(drawn, n_best=4))
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]
    assert len(outputs[0].splitlines()) == 4 + 1 + 4


def test_plot_draws_below_each_translation(made: Translator, capsys: pytest.CaptureFixture[str]) -> None:
    run(made, LINES, None, Options({}))
    plain = capsys.readouterr().out.splitlines()
    run(made, LINES, None, Options({}, plot=True))
    drawn = capsys.readouterr().out.splitlines()
    places = [drawn.index(plain[0]), drawn.index(plain[2], 2)]
    assert [drawn[place + 1] for place in places] == ["Der", "Ein"]
    assert [line for line in drawn if line.endswith("</s>")] == ["│ " * 4 + "</s>", "│ " * 5 + "</s>"]


def test_pictures_by_their_suffix(made: Translator, tmp_path: Path) -> None:
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!doctype html"}
    for suffix, start in starts.items():
        run(made, ["", *LINES], None, Options({}, picture=tmp_path / f"p.{suffix}"))
        assert (tmp_path / f"p.{suffix}").read_bytes().lower().startswith(start.lower())
    page = (tmp_path / "p.html").read_text()
    assert all(line in page for line in LINES)
    with pytest.raises(UserError, match="no translation has words, so nothing is drawn in "):
        run(made, [""], None, Options({}, picture=tmp_path / "empty.png"))


def test_alignments_have_a_record_for_each_line_that_is_printed(made: Translator, tmp_path: Path) -> None:
    run(made, LINES, None, Options({"sample": True}, n_best=2, alignments=tmp_path / "a"))
    records = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [record["source_words"] for record in records] == [
        line.split() for line in LINES for _ in range(2 if line else 1)
    ]


def test_options_that_cannot_be_followed_are_refused(made: Translator, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Ball\n")
    with pytest.raises(UsageError, match="not both"):
        run(made, LINES, tmp_path / "in.txt", Options({}))
    with pytest.raises(UsageError, match=r"p\.bmp: the name must end in \.png, \.svg, \.pdf, \.html"):
        run(made, LINES, None, Options({}, picture=tmp_path / "p.bmp"))
    write_run(tmp_path / "blind", score="none")
    for options in (Options({}, plot=True), Options({}, picture=tmp_path / "p.png"), Options({}, alignments=tmp_path)):
        with pytest.raises(UserError, match="this model has no attention"):
            run(mt.load(tmp_path / "blind"), LINES, None, options)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_prompt_translates_and_writes_no_files(
    made: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(made, ["Der Tee"], None, Options({}))
    expected = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", Terminal("Der Tee\n"))
    run(made, None, None, Options({}))
    asked = capsys.readouterr()
    assert asked.out == expected
    assert asked.err.endswith("> > ")
    for options in (Options({}, alignments=tmp_path / "a"), Options({}, picture=tmp_path / "p.png")):
        monkeypatch.setattr(sys, "stdin", Terminal("Der Tee\n"))
        with pytest.raises(UsageError, match="at the prompt"):
            run(made, None, None, options)
    assert list(tmp_path.iterdir()) == []


def test_a_line_at_the_prompt_has_its_number_and_its_samples_as_in_a_pipe(
    made: Translator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = Options({"sample": True, "temperature": 2.0}, n_best=2)
    run(made, [LINES[0], LINES[0], LINES[2]], None, options)
    expected = capsys.readouterr().out
    assert expected.splitlines()[:2] != [line.replace("2", "1", 1) for line in expected.splitlines()[2:4]]
    monkeypatch.setattr(sys, "stdin", Terminal(f"{LINES[0]}\n{LINES[0]}\n{LINES[2]}\n"))
    run(made, None, None, options)
    assert capsys.readouterr().out == expected


def test_a_byte_at_the_prompt_that_is_not_utf8_becomes_a_sign_of_its_own(
    made: Translator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(made, ["Der Tee f\ufffd"], None, Options({}))
    expected = capsys.readouterr().out
    typed = io.TextIOWrapper(io.BytesIO(b"Der Tee f\xc3\n"), encoding="utf-8")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)
    run(made, None, None, Options({}))
    assert capsys.readouterr().out == expected


def test_penalties_without_a_beam_are_refused(made: Translator) -> None:
    for name, flag in (("length_penalty", "--length-penalty"), ("coverage_penalty", "--coverage-penalty")):
        with pytest.raises(UsageError, match=f"^{flag} has no effect with --beam 1$"):
            run(made, LINES, None, Options({"beam": 1, name: 0.5}))
        run(made, LINES, None, Options({"beam": 1, name: 0.5}, n_best=2))


def test_every_option_of_search_has_a_flag_that_the_command_line_knows() -> None:
    from typer.main import get_command

    from mt.cli import app

    known = {name for parameter in get_command(app).commands["translate"].params for name in parameter.opts}
    asked = (*interact.SEARCHING, *interact.SAMPLING, "no_repeat", "sample")
    assert {interact._flag(name) for name in asked} <= known
