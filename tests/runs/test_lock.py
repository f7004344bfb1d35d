"""One process writes a run at a time; the lock dies with its process."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import mt
from conftest import ENVIRONMENT, write_numbers

from mt.config.files import read_config
from mt.core.errors import UserError
from mt.runs.lock import writing
from mt.runs.names import LOCK, OWNER
from mt.training import experiment

HOLDER = """
import sys
from pathlib import Path
from mt.runs.lock import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(run: Path) -> "subprocess.Popen[str]":
    """Return a process that holds the lock until its standard input ends, or it is killed."""
    command = [sys.executable, "-c", HOLDER, str(run)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    holder = subprocess.Popen(command, env=ENVIRONMENT, text=True, **pipes)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def contents(run: Path) -> dict[str, bytes]:
    """Return the files of a run but for its lock."""
    return {path.name: path.read_bytes() for path in run.glob("[!.]*") if path.is_file()}


@pytest.mark.parametrize("way", ["resume", "overwrite"])
def test_a_second_training_is_refused_and_changes_nothing(tmp_path: Path, way: str) -> None:
    tree, run = read_config(write_numbers(tmp_path, 200), ["train.epochs=1"]), tmp_path / "run"
    assert experiment.train(tree, run)
    (run / "model.safetensors").unlink()  # so that --resume has something to do
    before = contents(run)
    holder = hold(run)
    named = rf"run is being written by process {holder.pid} on .+ \(since \d\d:\d\d:\d\d\): wait for it, stop it"
    with pytest.raises(UserError, match=named):
        experiment.train(tree, run, **{way: True})
    assert contents(run) == before
    holder.communicate()
    assert holder.returncode == 0
    assert experiment.train(tree, run, **{way: True})
    assert (run / "model.safetensors").exists()


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    holder = hold(tmp_path / "run")
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    assert (tmp_path / "run" / OWNER).exists()
    with writing(tmp_path / "run"):
        assert re.search(rf'"process": {os.getpid()}\b', (tmp_path / "run" / OWNER).read_text())
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK]


def test_a_lock_without_an_owner_is_refused_all_the_same(tmp_path: Path) -> None:
    holder = hold(tmp_path / "run")
    for text in ("", "[]", "{}"):
        (tmp_path / "run" / OWNER).write_text(text)
        with pytest.raises(UserError, match="is being written by another process"), writing(tmp_path / "run"):
            pass
    holder.communicate()


def test_a_state_beside_another_config_is_not_gone_on_with(tmp_path: Path) -> None:
    config = write_numbers(tmp_path, 200)
    mine, other = (read_config(config, ["train.epochs=1", f"seed={seed}"]) for seed in (1, 2))
    run = tmp_path / "run"
    experiment.train(mine, run)
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("\nseed: 1\n", "\nseed: 2\n"))
    (run / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"state\.safetensors belongs to another experiment than the config\.yaml"):
        experiment.train(other, run, resume=True)
    (run / "config.yaml").write_text(text)
    assert experiment.train(mine, run, resume=True)


def test_a_state_that_is_none_is_named(tmp_path: Path) -> None:
    tree, run = read_config(write_numbers(tmp_path, 200), ["train.epochs=1"]), tmp_path / "run"
    experiment.train(tree, run)
    (run / "state.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    with pytest.raises(UserError, match=r"state\.safetensors is damaged; restore it, or start anew"):
        experiment.train(tree, run, resume=True)


def test_a_datastore_of_no_run_leaves_nothing(tmp_path: Path) -> None:
    done = mt("datastore", tmp_path / "typo")
    assert done.returncode == 1
    assert "is not a run directory" in done.stderr
    assert not (tmp_path / "typo").exists()


def test_a_run_may_have_an_equals_sign_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "rate=1").mkdir()
    done = mt("eval", tmp_path / "rate=1")
    assert "is not a run directory" in done.stderr
