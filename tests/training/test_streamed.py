"""Training on a stream: killed and resumed, and by two processes, it ends in the same weights, bit for bit."""

import re
import signal
from pathlib import Path

import pytest
from conftest import write_numbers
from killer import Started
from test_ranks import HERE, torchrun
from test_resume import hashes

from mt.config import Train
from mt.training.schedule import validates_every

SETTINGS = ["train.epochs=2", "train.validate_every=7", "train.save_every=2", "train.average=0.9", "threads=1"]


def write_stream(folder: Path) -> list[object]:
    """Write a corpus of 260 pairs to be streamed, 70 at a time; return how it is trained."""
    config = write_numbers(folder, 260)
    small = []
    for side in ("de", "en"):
        file = folder / f"small.{side}"
        file.write_text("".join((folder / f"numbers.{side}").read_text().splitlines(keepends=True)[:20]))
        small.append(f'"{file}"')
    both = f"[{', '.join(small)}]"
    corpus = "corpus.streaming=true", "corpus.shuffle_buffer=70", "corpus.held_out=null"
    return [config, *SETTINGS, *corpus, f"corpus.validation={both}", f"corpus.test={both}"]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[object], dict[str, str]]:
    """Return how a stream is trained on, and what one process makes of it that takes two batches an update."""
    folder = tmp_path_factory.mktemp("stream")
    settings = [*write_stream(folder), "train.accumulate=2"]
    code, said = Started("never", 0, "train", *settings, "--run", folder / "one").end()
    assert code == 0, said
    assert "train: a stream of 260 pairs, 70 at a time" in said
    return settings, hashes(folder / "one")


def test_killed_in_each_part_and_resumed(expected, tmp_path: Path) -> None:
    settings, hashes_of_one = expected
    for count in (3, 4, 5):
        code, said = Started("update", count, "train", *settings, "--run", tmp_path / "run", "--resume").end()
        assert code == -signal.SIGKILL, said
    (tmp_path / "run/cache/survey.json").unlink()  # a cache may be emptied at any time
    code, said = Started("never", 0, "train", *settings, "--run", tmp_path / "run", "--resume").end()
    assert code == 0, said
    assert hashes(tmp_path / "run") == hashes_of_one


def test_two_processes_share_it_though_one_is_killed(expected, tmp_path: Path) -> None:
    settings, hashes_of_one = expected
    killed = "--", HERE / "dying_rank.py", "SIGKILL", 7
    code, said = torchrun("--max-restarts=1", *killed, "train", *settings, "--run", tmp_path / "two")
    assert code == 0, said
    assert "1 thread of each of 2 processes" in said
    assert "mt: process 0 of 2, which train together, waits for one that has ended; --resume goes on" in said
    assert re.search(r"from update [1-9]", said)
    assert hashes(tmp_path / "two") == hashes_of_one


def test_what_else_asks_for_the_training_text_gets_its_beginning(expected, tmp_path: Path) -> None:
    settings, _ = expected
    run = tmp_path / "run"
    commands = ["train", *settings, "--run", run], ["train", *settings, "--dry-run"], ["eval", run], ["diagnose", run]
    for command in commands:
        code, said = Started("never", 0, *command).end()
        assert code == 0, said


def test_long_epochs_are_validated_within() -> None:
    assert validates_every(Train(), 5000) is None
    assert validates_every(Train(), 5001) == 5000
    assert validates_every(Train(validate_every=9), 5001) == 9
