"""Killed at any moment and resumed in a new process, a run ends with the weights and optimiser of one never killed."""

import hashlib
import json
import random
import shutil
import signal
from pathlib import Path

import pytest
import safetensors.torch
from conftest import write_numbers
from killer import Started

from mt.runs import checkpoint
from mt.runs.run import Run

SHORT = ["train.epochs=3", "train.validate_every=11", "train.save_every=4", "train.average=0.9", "train.film=3"]
SHORT += ["log.every=3"]


def run_until_it_ends(place: str, count: int, *arguments: object) -> tuple[int | None, str]:
    return Started(place, count, *arguments).end()


def hashes(run: Path) -> dict[str, str]:
    """Return a hash of each tensor of state and best weights, the film, and both files of curves but for time."""
    tensors, record = checkpoint.read(run / "state.safetensors")
    best = safetensors.torch.load_file(run / "model.safetensors")
    found = {name: hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for name, tensor in tensors.items()}
    found |= {f"file.{name}": hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for name, tensor in best.items()}
    lines = [json.loads(line) | {"seconds": 0} for line in (run / "metrics.jsonl").read_text().splitlines()]
    found["metrics"] = json.dumps(lines)
    lines = [json.loads(line) | {"tokens_per_second": 0} for line in (run / "updates.jsonl").read_text().splitlines()]
    found["updates"] = json.dumps(lines)
    found["film"] = (run / "film.jsonl").read_text() if (run / "film.jsonl").exists() else ""
    position = ("update", "epoch", "batch", "stale", "finished")
    found["position"] = json.dumps({key: record[key] for key in position})
    return found


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    config = write_numbers(folder, 260)
    code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", folder / "whole")
    assert code == 0, errors
    return folder, config, hashes(folder / "whole")


def test_killed_everywhere_and_resumed_is_the_same_bit_for_bit(uninterrupted):
    folder, config, expected = uninterrupted
    assert any(name.startswith("optimizer.exp_avg_sq.") for name in expected)
    rng = random.Random()
    places = [("update", rng.randint(1, 9)), ("validation", 1), ("save", rng.randint(1, 3)), ("results", 1)]
    for place, count in places:
        code, errors = run_until_it_ends(place, count, "train", config, *SHORT, "--run", folder / "killed", "--resume")
        assert code == -signal.SIGKILL, (places, place, errors)
    code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", folder / "killed", "--resume")
    assert code == 0, (places, errors)
    found = hashes(folder / "killed")
    assert [path.name for path in (folder / "killed").glob(".*")] == [".lock"]
    assert {name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)} == set(), places


def test_ctrl_c_saves_and_says_how_to_go_on(uninterrupted, tmp_path):
    _, config, expected = uninterrupted
    code, errors = run_until_it_ends("Ctrl-C", 6, "train", config, *SHORT, "--run", tmp_path / "run")
    assert code == 130, errors
    assert "interrupted at update" in errors
    assert "--resume" in errors
    assert Run(tmp_path / "run").is_unfinished
    code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", tmp_path / "run", "--resume")
    assert code == 0, errors
    assert hashes(tmp_path / "run") == expected


def test_a_full_disk_while_saving_leaves_the_last_state(uninterrupted, tmp_path):
    _, config, expected = uninterrupted
    run = tmp_path / "run"
    code, _ = run_until_it_ends("update", 6, "train", config, *SHORT, "--run", run)
    assert code == -signal.SIGKILL
    before = (run / "state.safetensors").read_bytes()
    limit = len(before) // 2  # no file may grow beyond this
    code, errors = Started("never", 0, "train", config, *SHORT, "--run", run, "--resume", limit=limit).end()
    assert code == 1, errors
    assert "cannot write" in errors
    assert "state.safetensors" in errors
    assert "Traceback" not in errors
    assert (run / "state.safetensors").read_bytes() == before
    code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", run, "--resume")
    assert code == 0, errors
    assert hashes(run) == expected


def test_changed_training_data_is_noticed(uninterrupted, tmp_path):
    config = write_numbers(tmp_path, 260)
    code, _ = run_until_it_ends("update", 6, "train", config, *SHORT, "--run", tmp_path / "run")
    assert code == -signal.SIGKILL
    text = (tmp_path / "numbers.en").read_text()
    (tmp_path / "numbers.en").write_text(text.replace("three", "tree"))
    code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", tmp_path / "run", "--resume")
    assert code == 1
    assert "the data has changed" in errors


def test_overwrite_starts_anew_and_a_model_without_its_state_is_not_resumed_over(uninterrupted, tmp_path):
    _, config, expected = uninterrupted
    run = tmp_path / "run"
    assert run_until_it_ends("update", 6, "train", config, *SHORT, "--run", run)[0] == -signal.SIGKILL
    (run / "cache").rename(tmp_path / "elsewhere")
    (run / "cache").symlink_to(tmp_path / "elsewhere")
    (run / "state.safetensors").unlink()
    (run / "model.safetensors").write_bytes(b"shared by a friend")
    code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", run, "--resume")
    assert (code, (run / "model.safetensors").read_bytes()) == (1, b"shared by a friend")
    assert "cache is a link that leads out of the run" in " ".join(errors.split())
    (run / "cache").unlink()
    (tmp_path / "elsewhere").rename(run / "cache")
    code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", run, "--resume")
    assert code == 1, errors
    assert "no state.safetensors to resume from" in errors
    assert (run / "model.safetensors").read_bytes() == b"shared by a friend"
    for mine in ("notes.txt", ".config.yaml.swp"):
        (run / mine).write_text("mine")
    code, errors = run_until_it_ends("never", 0, "train", config, "train.max_pieces=1", "--run", run, "--overwrite")
    assert code == 1
    assert "no training pair has at most train.max_pieces = 1 pieces" in errors
    assert (run / "model.safetensors").read_bytes() == b"shared by a friend"
    code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", run, "--overwrite")
    assert code == 0, errors
    assert hashes(run) == expected
    assert [(run / mine).read_text() for mine in ("notes.txt", ".config.yaml.swp")] == ["mine", "mine"]


def test_a_tokenizer_without_a_config_is_what_a_kill_left_where_there_is_a_cache(uninterrupted, tmp_path):
    _, config, expected = uninterrupted
    for way in ("--resume", "--overwrite"):
        run = tmp_path / way
        run.mkdir()
        (run / "tokenizer.model").write_bytes(b"of another training")
        code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", run, way)
        assert code == 1
        assert "exists and is not a run directory" in errors
        assert (run / "tokenizer.model").exists()
        (run / "cache").mkdir()
        (run / "cache/mine.txt").write_text("no cache of a run")
        code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", run, way)
        assert code == 1
        assert "exists and is not a run directory" in errors
        (run / "cache/mine.txt").rename(run / "cache/half.arrow")
        code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", run, way)
        assert code == 0, errors
        assert hashes(run) == expected


def test_the_weights_of_a_finished_run_come_back_from_its_state(uninterrupted, tmp_path):
    folder, config, expected = uninterrupted
    run = tmp_path / "run"
    shutil.copytree(folder / "whole", run)
    (run / "model.safetensors").unlink()
    code, errors = run_until_it_ends("never", 0, "train", config, *SHORT, "--run", run, "--resume")
    assert code == 0, errors
    assert hashes(run) == expected
