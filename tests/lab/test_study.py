"""`mt study` through the command line: each point is trained once, and once only, whatever happens in between."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import ENVIRONMENT, Done, mt
from conftest import write_numbers
from reported_runs import scored_run

from mt.config.study import read_study
from mt.lab.study.plan import make_plan
from mt.lab.study.score import is_scored
from mt.runs.run import Run
from mt.runs.scores import describe_search, read_scores, searched

Figures = dict[str, Any]


def write_study(folder: Path, *lines: str, epochs: int = 1) -> Path:
    """Write a corpus of 200 pairs, its config, and a study of it."""
    write_numbers(folder, 200)
    file = folder / "s.yaml"
    file.write_text("\n".join([f"config: {folder}/numbers.yaml", f"common: [train.epochs={epochs}]", *lines]) + "\n")
    return file


def study(file: Path, *options: object) -> Done:
    return mt("study", file, "--runs", file.parent / "runs", *options)


def folders(file: Path) -> list[str]:
    return sorted(path.name for path in (file.parent / f"runs/{file.stem}").glob("*/"))


def entries(file: Path) -> dict[str, Figures]:
    """Return what study.json says of each point with its first seed."""
    tree = json.loads((file.parent / f"runs/{file.stem}/study.json").read_text())
    return {point["label"]: point["entries"][0] for point in tree["points"]}


def states(file: Path) -> dict[str, tuple[int, int]]:
    """Return when each state and each score was written."""
    written = (file.parent / "runs").rglob("*/state.safetensors"), (file.parent / "runs").rglob("scores.json")
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for paths in written for path in paths}


def test_points_that_differ_in_search_share_a_training_and_nothing_is_done_twice(tmp_path: Path) -> None:
    axes = "axes: {search.beam: [1, 3]}", "seeds: [3, 4]", "baseline: beam=3", "split: test"
    file = write_study(tmp_path, *axes)
    done = study(file, "--workers", 2)
    assert done.returncode == 0, done.stderr
    one, two = folders(file)
    assert one.startswith("beam-1-seed3-")
    assert two.startswith("beam-1-seed4-")
    found = entries(file)
    assert [entry["scores"]["test"]["search"]["beam"] for entry in found.values()] == [1, 3]
    assert len({entry["folders"]["test"] for entry in found.values()}) == 2
    assert found["beam=1"]["run"] == found["beam=3"]["run"]
    assert found["beam=1"]["greedy"] == Run(tmp_path / "runs/s" / one).best_validation["validation_bleu"]
    table = (tmp_path / "runs/s/study.md").read_text()
    assert done.stdout == table
    row = next(line for line in table.splitlines() if line.startswith("| beam=1 | 3, 4 |"))
    assert row.endswith("(≈) |")
    before = states(file)
    assert len(before) == 2 + 2 * 2 * 2
    again = study(file)
    assert (again.returncode, again.stdout) == (0, table)
    assert states(file) == before


def test_a_run_is_known_by_what_it_was_trained_with(tmp_path: Path) -> None:
    file = write_study(tmp_path, "axes: {who: {plain: [], seeded: [train.clip=0.5]}}")
    other = tmp_path / "elsewhere"
    made = mt("train", tmp_path / "numbers.yaml", "train.epochs=1", "search.beam=2", "--run", other)
    assert made.returncode == 0, made.stderr
    (tmp_path / "runs/s").mkdir(parents=True)
    shutil.move(other, tmp_path / "runs/s/mine")
    before = (tmp_path / "runs/s/mine/state.safetensors").stat().st_mtime_ns
    (tmp_path / "runs/s/mine.broken").mkdir()
    (tmp_path / "runs/s/mine.broken/config.yaml").write_text("nonsense: 1\n")
    planned = study(file, "--dry-run", "--workers", 1)
    assert [line.split(" | ")[3] for line in planned.stdout.splitlines() if "s/" in line] == ["finished", "missing"]
    assert folders(file) == ["mine", "mine.broken"]
    assert study(file).returncode == 0
    assert (tmp_path / "runs/s/mine/state.safetensors").stat().st_mtime_ns == before
    assert entries(file)["plain"]["run"].endswith("/mine")
    assert entries(file)["seeded"]["run"].endswith(folders(file)[-1])


def test_a_teacher_is_trained_before_those_whom_it_teaches(tmp_path: Path) -> None:
    sets = "axes: {who: {student: [teacher=master, train.clip=0.5], master: []}}"
    file = write_study(tmp_path, sets, "baseline: master")
    done = study(file, "--workers", 2)
    assert done.returncode == 0, done.stderr
    masters, students = (sorted((tmp_path / "runs/s").glob(f"{name}-*")) for name in ("master", "student"))
    for run in students:
        assert Run(run).config.train.teacher.runs == tuple(map(str, masters))
        assert (run / "lessons.safetensors").exists()
    before = states(file)
    assert study(file).returncode == 0
    assert states(file) == before


def test_scores_by_different_words_are_not_compared(numbers: Path, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    lines = f"config: {numbers.parent}/numbers.yaml", "axes: {metrics.tokenize: [13a, char], search.beam: [1, 3]}"
    file.write_text("\n".join(lines) + "\n")
    shutil.copytree(numbers, tmp_path / "runs/s/mine")
    done = study(file)
    assert done.returncode == 0, done.stderr
    points = json.loads((tmp_path / "runs/s/study.json").read_text())["points"]
    assert {point["label"]: point["difference"] is not None for point in points} == {
        "tokenize=13a,beam=1": False,
        "tokenize=13a,beam=3": True,
        "tokenize=char,beam=1": False,
        "tokenize=char,beam=3": False,
    }
    assert "beam=3 is not compared with tokenize=13a,beam=1: cannot compare scores of different words" in done.stderr
    (signatures,) = [line for line in done.stdout.splitlines() if line.startswith("* BLEU: ")]
    assert "tok:13a" in signatures
    assert "tok:char" in signatures


def test_novel_sentences_are_scored_when_they_are_first_asked_for_and_only_where_there_are_some(tmp_path: Path) -> None:
    for split, there_are in (("validation", True), ("train", False)):
        run = Run(scored_run(tmp_path / split, 0.1, split=split))
        scores = read_scores(run.scored(split))
        assert scores is not None
        replace(scores, search=describe_search(searched(run.config).search)).write(run.scored(split))
        assert is_scored(run, run.config, split, ["BLEU"])
        assert is_scored(run, run.config, split, ["BLEU", "BLEU, novel"]) is not there_are


def test_what_fails_leaves_the_others_to_be_trained(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sets = "axes: {who: {short: [train.max_pieces=1], taught: [teacher=short], plain: []}}"
    file = write_study(tmp_path, sets)
    done = study(file)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-2:]
    assert "short-seed1-" in last[0]
    assert "no training pair has at most train.max_pieces = 1" in last[0]
    assert "what teaches it failed" in last[1]
    assert "Traceback" not in capfd.readouterr().err, "of the processes that train"
    table = (tmp_path / "runs/s/study.md").read_text()
    assert "| plain | 1 |" in table
    assert "* short: 0 of 1 seeds are scored" in table  # the baseline
    assert "no training pair" in (tmp_path / "runs/s/study.log").read_text()
    (plain,) = (tmp_path / "runs/s").glob("plain-*")
    shutil.rmtree(plain / "eval")
    (plain / "eval").write_text("no folder")
    again = study(file, "--workers", 1)
    assert again.returncode == 1
    assert "no training pair" in again.stderr
    assert f"{plain.name}/eval is no folder" in again.stderr


def test_a_study_whose_log_cannot_be_written_says_so(tmp_path: Path) -> None:
    file = write_study(tmp_path)
    (tmp_path / "runs/s/study.log").mkdir(parents=True)
    done = study(file)
    assert done.returncode == 1
    assert "study.log: Is a directory" in done.stderr


@pytest.mark.parametrize(
    ("line", "code", "complaint"),
    [
        ("axes: {who: {a: [], b: [model.hiden=3]}}", 1, "did you mean model.hidden?"),
        ("split: tests", 1, "split: files has no split 'tests'"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_trained(line: str, code: int, complaint: str, tmp_path: Path) -> None:
    done = study(write_study(tmp_path, line))
    assert done.returncode == code
    assert complaint in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("how", ["Ctrl-C", "kill -9"])
def test_a_study_that_was_stopped_goes_on(how: str, tmp_path: Path) -> None:
    file = write_study(tmp_path, "seeds: [1, 2]", epochs=15)
    command = [sys.executable, "-m", "mt", "study", str(file), "--runs", str(tmp_path / "runs"), "--workers", "1"]
    with subprocess.Popen(command, env=ENVIRONMENT, start_new_session=True, stderr=subprocess.DEVNULL) as started:
        try:
            while not any(written(tmp_path)) and started.poll() is None:
                time.sleep(0.05)
            if how == "Ctrl-C":
                os.killpg(started.pid, signal.SIGINT)
            else:
                os.kill(started.pid, signal.SIGKILL)
            assert started.wait() == (-signal.SIGKILL if how == "kill -9" else 130)
        finally:
            if how != "kill -9":
                with suppress(ProcessLookupError):  # none is left, unless it did not stop
                    os.killpg(started.pid, signal.SIGKILL)
    (first,) = folders(file)
    planned = study_states(file)
    assert planned == ["unfinished", "missing"]
    assert 1 <= len(Run(tmp_path / "runs/s" / first).validations) < 15
    if how != "kill -9":
        return
    done = study(file, "--workers", 1)
    assert done.returncode == 0, done.stderr
    log = (tmp_path / "runs/s/study.log").read_text()
    assert f"{first}: training" in log
    assert len([line for line in log.splitlines() if "from update 0" in line]) == 2
    assert study_states(file) == ["scored"] * 2


def study_states(file: Path) -> list[str]:
    """Return how far each run has come, as the study itself has it."""
    given, points = read_study(file)
    plan = make_plan(file.stem, given, points, file.parent / f"runs/{file.stem}")
    return [plan.state(member) for member in plan.members]


def written(folder: Path) -> list[int]:
    """Return how much is written of each run's validations."""
    return [file.stat().st_size for file in folder.glob("runs/s/*/metrics.jsonl")]


def test_a_dry_run_says_what_it_takes_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    file = write_study(tmp_path, "axes: {train.learning_rate: [0.01, 0.02], search.beam: [1, 2]}")
    files = sorted(tmp_path.rglob("*"))
    done = study(file, "--dry-run", "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert sorted(tmp_path.rglob("*")) == files
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:6]]
    assert [row[0] for row in rows] == [f"learning_rate={rate},beam={beam}" for rate in (0.01, 0.02) for beam in (1, 2)]
    assert {row[3] for row in rows} == {"missing"}
    assert rows[0][2] == rows[1][2] != rows[2][2]
    assert all(row[6].endswith(" MB") and 100 < int(row[6].split()[0]) < 4000 for row in rows)
    assert "which is about" in done.stdout
    assert "Nothing was kept" in done.stdout


def test_a_list_of_the_studies_is_there_without_a_name() -> None:
    assert "attention" in mt("study").stdout
