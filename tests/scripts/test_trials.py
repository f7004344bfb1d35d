"""scripts/trials.py trains each trial once, logs what validation said of it, and touches no test split."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from command_line import ENVIRONMENT, mt, run_script
from conftest import write_numbers

from mt.runs.run import Run

SCRIPT = Path(__file__).parents[2] / "scripts/trials.py"


def launch(folder: Path) -> "subprocess.CompletedProcess[str]":
    options = "--workers", 2, "--runs", folder / "runs", "--output", folder / "log.md"
    return run_script("trials", folder / "trials.yaml", *options)


def write_trials(folder: Path, *trials: str) -> None:
    lines = [f"config: {folder}/numbers.yaml", "common: [train.epochs=1]", "trials:", *trials]
    (folder / "trials.yaml").write_text("\n".join(lines) + "\n")


def test_trials_are_trained_once_and_logged(tmp_path: Path) -> None:
    plain = tmp_path / "runs/trials/plain"
    assert mt("train", write_numbers(tmp_path, 200), "train.epochs=1", "--run", plain).returncode == 0
    before = (plain / "state.safetensors").stat().st_mtime_ns

    write_trials(tmp_path, "  plain: []", "  seeded: [seed=7, train.clip=0.5]")
    done = launch(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (plain / "state.safetensors").stat().st_mtime_ns == before
    log = (tmp_path / "log.md").read_text()
    assert done.stdout.endswith(log)
    assert log.startswith("# Trials: trials\n\n`numbers.yaml`, changed for all: `train.epochs=1`")
    assert log.endswith(f"\n\n    python scripts/trials.py {tmp_path}/trials.yaml\n")
    rows = [line.strip("| ").split(" | ") for line in log.splitlines()[6:-2]]
    assert [row[:3] for row in rows] == [["plain", "", "1"], ["seeded", "`seed=7` `train.clip=0.5`", "7"]]
    for row in rows:
        run = tmp_path / "runs/trials" / row[0]
        (record,) = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
        assert row[3:5] == [f"{record['validation_bleu']:.2f}", f"{record['validation_loss']:.3f}"]
        assert not (run / "eval").exists()


def test_a_wrong_change_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    write_numbers(tmp_path, 200)
    write_trials(tmp_path, "  plain: []", "  wrong: [model.hiden=3]")
    done = launch(tmp_path)
    assert done.returncode == 2
    assert "did you mean model.hidden?" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_trial_that_fails_leaves_the_others_to_be_trained_and_logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_numbers(tmp_path, 200)
    write_trials(tmp_path, "  short: [train.max_pieces=1]", "  plain: []")
    done = launch(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("mt: short: no training pair has at most train.max_pieces = 1")
    assert "Traceback" not in capfd.readouterr().err, "of the processes that train"
    assert "| plain |" in (tmp_path / "log.md").read_text()


@pytest.mark.parametrize("how", ["Ctrl-C", "kill"])
def test_an_interrupt_begins_no_further_trial(how: str, tmp_path: Path) -> None:
    write_numbers(tmp_path, 200)
    write_trials(tmp_path, *(f"  seed{seed}: [seed={seed}, train.epochs=500]" for seed in (1, 2, 3, 4)))
    command = [sys.executable, str(SCRIPT), str(tmp_path / "trials.yaml"), "--runs", str(tmp_path / "runs")]
    options = ["--output", str(tmp_path / "log.md")]
    with subprocess.Popen([*command, *options], env=ENVIRONMENT, start_new_session=True) as script:
        first = tmp_path / "runs/trials/seed1/metrics.jsonl"
        while not first.exists() and script.poll() is None:
            time.sleep(0.1)
        if how == "Ctrl-C":
            os.killpg(script.pid, signal.SIGINT)
        else:
            script.terminate()
        try:
            assert script.wait() == 130
        finally:
            with suppress(ProcessLookupError):  # none is left, unless it did not stop
                os.killpg(script.pid, signal.SIGKILL)
    assert Run(tmp_path / "runs/trials/seed1").is_unfinished
    assert [path.name for path in (tmp_path / "runs/trials").iterdir()] == ["seed1"]
