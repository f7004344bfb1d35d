"""`mt runs` tells how far each run is, and the command that comes next."""

import re
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from command_line import mt
from toy_runs import RNN, config, write_run

from mt.runs.lock import writing


def test_runs_are_told_apart(numbers: Path, tmp_path: Path) -> None:
    trained = shutil.copytree(numbers, tmp_path / "runs" / "trained")
    shutil.rmtree(trained / "eval", ignore_errors=True)  # of other tests
    write_run(tmp_path / "runs" / "a deep" / "model", config(RNN))
    damaged = shutil.copytree(numbers, tmp_path / "runs" / "damaged")
    (damaged / "eval" / "test").mkdir(parents=True, exist_ok=True)
    (damaged / "eval" / "test" / "scores.json").write_text('{"BLEU": ')
    told = mt("runs", tmp_path / "runs").stdout.splitlines()
    head, *rows = told
    assert head.split() == ["run", "state", "BLEU", "size", "next"]
    cells = {line[0]: line[1:] for row in rows if (line := re.split(r"  +", row))}
    assert cells[str(trained)][0] == "trained"
    assert re.fullmatch(r"validation \d+\.\d", cells[str(trained)][1])
    assert cells[str(trained)][3] == f"mt eval {trained}"
    assert cells[str(damaged)][0] == "damaged"
    assert "scores.json is damaged; delete it" in cells[str(damaged)][-1]
    assert len(rows) == 3


def test_an_interrupted_run_is_resumed_and_a_folder_without_runs_is_told(numbers: Path, tmp_path: Path) -> None:
    run = shutil.copytree(numbers, tmp_path / "runs" / "half")
    (run / "state.safetensors").unlink()
    (run / "model.safetensors").unlink()
    (row,) = mt("runs", tmp_path / "runs").stdout.splitlines()[1:]
    assert row.endswith(f"mt train {run}/config.yaml --run {run} --resume")
    with writing(run):
        (row,) = mt("runs", tmp_path / "runs").stdout.splitlines()[1:]
        assert "being written" in row
    nothing = mt("runs", tmp_path / "none")
    assert (nothing.returncode, nothing.stderr) == (1, f"mt: no run in {tmp_path}/none/: `mt train` makes one\n")


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "eval"]])
def test_the_version_is_told(arguments: list[str]) -> None:
    assert mt(*arguments).stdout == f"mt {version('mt')}\n"
