"""`mt train --dry-run` says what a training will take, and trains nothing; figures follow from what was measured."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from command_line import ENVIRONMENT, mt
from conftest import write_numbers

from mt.config import Config
from mt.core.progress import say_time
from mt.training.estimate import Estimate, say_size


def test_a_dry_run_of_one_training_leaves_nothing(tmp_path: Path) -> None:
    config = write_numbers(tmp_path, 200)
    files = sorted(tmp_path.rglob("*"))
    done = mt("train", config, "train.epochs=7", "--dry-run", "--run", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert sorted(tmp_path.rglob("*")) == files
    updates = re.search(r"updates +([\d,]+) \(7 epochs of ([\d,]+)\)", done.stdout)
    assert updates is not None
    assert int(updates[1]) == 7 * int(updates[2])
    assert "nothing was kept" in done.stdout
    made = mt("train", config, "train.epochs=1", "--run", tmp_path / "run")
    assert made.returncode == 0, made.stderr
    parameters = re.search(r"parameters +([\d,]+)", done.stdout)
    assert parameters is not None
    assert f"training {parameters[1]} parameters" in made.stderr
    told = re.search(r"disk +(\d+) MB", done.stdout)
    assert told is not None
    size = sum(path.stat().st_size for path in (tmp_path / "run").rglob("*") if path.is_file()) / 1e6
    assert int(told[1]) == pytest.approx(size, abs=1)


def test_a_dry_run_that_is_killed_leaves_nothing_either(tmp_path: Path) -> None:
    config, temporary = write_numbers(tmp_path, 200), Path(tempfile.mkdtemp())  # short: a socket is made in it
    command = [sys.executable, "-m", "mt", "train", str(config), "--dry-run"]
    environment = ENVIRONMENT | {"TMPDIR": str(temporary)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as started:
        while not any(temporary.glob("tmp*/run")) and started.poll() is None:
            time.sleep(0.05)
        assert started.poll() is None
        started.kill()
    last = time.monotonic() + 60
    while any(temporary.glob("tmp*")) and time.monotonic() < last:
        time.sleep(0.1)
    assert not any(temporary.glob("tmp*")), "the process that measures goes on"
    shutil.rmtree(temporary)


def test_time_is_that_of_updates_and_validations() -> None:
    one = Estimate(
        parameters=1,
        batches=10,
        measured=8,
        prepare=5.0,
        update=0.5,
        validation=3.0,
        sentences=100,
        scoring=0.1,
        memory=1.0,
        disk=1.0,
        scores=0.0,
    )
    tree = {"corpus": {"name": "toy"}, "train": {"epochs": 4}}
    epochs = Config.model_validate(tree)
    often = Config.model_validate(tree | {"train": {"epochs": 4, "validate_every": 5}})
    assert one.updates(epochs) == 40
    assert one.seconds(epochs) == 5 + 40 * 0.5 + 4 * 3
    assert one.seconds(often) == 5 + 40 * 0.5 + 8 * 3
    assert one.seconds(epochs, 0.75) == 5 + 10 * 0.5 + 1 * 3


def test_figures_have_units_that_suit_them() -> None:
    assert [say_time(seconds) for seconds in (3, 600, 7200)] == ["3 s", "10 min", "2.0 h"]
    assert [say_size(size) for size in (12.4, 1234)] == ["12 MB", "1.2 GB"]
