"""Processes of a real torchrun train as one process does that takes as many batches an update, bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import write_numbers
from killer import Started
from test_resume import hashes

from mt import cli
from mt.core import device, exchange, ranks
from mt.runs.names import DATASTORE, LESSONS

HERE = Path(__file__).parent
SETTINGS = [
    "train.epochs=3",
    "train.validate_every=5",
    "train.save_every=2",
    "train.average=0.9",
    "threads=1",
    "train.film=2",
]


def torchrun(*arguments: object) -> tuple[int, str]:
    """Return the exit code of torchrun with two processes, and all that was said."""
    paths = os.pathsep.join([str(HERE.parent.parent), str(HERE.parent), str(HERE)])
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        *map(str, arguments),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths}, check=False)
    return ended.returncode, ended.stderr


def alone(*arguments: object) -> None:
    """Run `mt` in one process."""
    code, said = Started("never", 0, *arguments).end()
    assert code == 0, said


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[object], dict[str, str]]:
    """Return how a guided model is trained, and what one process makes of it that takes two batches an update."""
    folder = tmp_path_factory.mktemp("ranks")
    links = folder / "links"
    settings = [write_numbers(folder, 260), *SETTINGS, f"train.guide.links={links}"]
    links.write_text("0-0\n" * 104)
    alone("train", *settings, "train.accumulate=2", "--run", folder / "one")
    return settings, hashes(folder / "one")


def test_all_stop_where_one_is_interrupted_and_one_process_goes_on(expected, tmp_path: Path) -> None:
    settings, hashes_of_one = expected
    asked = "--", HERE / "dying_rank.py", "SIGTERM", 3
    code, said = torchrun(*asked, "train", *settings, "--run", tmp_path / "two")
    assert code == 1
    assert "interrupted at update 4; all is saved" in said
    alone("train", *settings, "--run", tmp_path / "two", "--resume")
    assert hashes(tmp_path / "two") == hashes_of_one


def test_a_run_to_be_replaced_is_replaced_though_the_first_start_dies(expected, tmp_path: Path) -> None:
    settings, hashes_of_one = expected
    alone("train", *settings, "train.epochs=1", "train.accumulate=2", "--run", tmp_path / "run")
    command = "train", *settings, "--run", tmp_path / "run"
    code, said = torchrun("-m", "--", "mt", *command)
    assert code == 1
    assert said.count("mt: ") == 1
    assert "already holds a run" in said
    killed = "--", HERE / "dying_rank.py", "SIGKILL", 0
    code, said = torchrun("--max-restarts=1", *killed, *command, "--overwrite")
    assert code == 0, said
    assert hashes(tmp_path / "run") == hashes_of_one


def test_a_teacher_and_neighbours_are_those_of_one_process(expected, tmp_path: Path) -> None:
    settings, _ = expected
    teacher = Path(str(settings[0])).parent / "one"
    changes = f"train.teacher.runs=[{teacher}]", "search.nearest.count=4", "train.epochs=1"
    alone("train", *settings, *changes, "train.accumulate=2", "--run", tmp_path / "one")
    code, said = torchrun("-m", "--", "mt", "train", *settings, *changes, "--run", tmp_path / "two")
    assert code == 0, said
    assert hashes(tmp_path / "two") == hashes(tmp_path / "one")
    for name in (LESSONS, DATASTORE):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_options_stand_behind_two_dashes() -> None:
    code, said = torchrun("-m", "mt", "train", "numbers.yaml", "--run", "run")
    assert code == 2
    assert "ambiguous option: --run" in said


def test_other_commands_are_started_without_torchrun(monkeypatch, capsys) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for command in (["eval", "run"], ["train", "toy", "--dry-run"]):
        monkeypatch.setattr(sys, "argv", ["mt", *command])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 1
        assert "torchrun is for `mt train`" in capsys.readouterr().err


@pytest.mark.parametrize(("said", "threads"), [("1", 4), ("", 4), ("3", 3)])
def test_processes_of_one_machine_share_its_processors(said: str, threads: int, monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(9)), raising=False)
    monkeypatch.setattr(device, "quota", lambda: 8.0)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert device.processors() == threads


def test_what_is_dealt_out_is_each_process_s_once(monkeypatch) -> None:
    assert ranks.deal([1, 2, 3]) == exchange.collect([1, 2, 3]) == [1, 2, 3]
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert ranks.deal([1, 2, 3]) == [2]
