"""A run that is trained longer than it was planned, against one that was planned so from its beginning."""

import shutil
from pathlib import Path

import pytest
from config_files import write
from conftest import mt, write_numbers
from test_resume import hashes, run_until_it_ends
from test_train import give_scores

from mt.runs.run import Run

CONSTANT = ["train.schedule=inverse_sqrt", "train.average=0.9", "train.film=2"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = write_numbers(tmp_path, 160)
    text = config.read_text().replace("held_out: 60", "held_out: 10")
    return write(config, text + "search: {max_ratio: 1.0, max_extra: 2}\n")


def train(*arguments: object) -> str:
    """Train, and return what was said."""
    done = mt("train", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def refused(*arguments: object) -> str:
    done = mt("train", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    return done.stderr


def test_two_epochs_and_two_more_are_four_bit_for_bit(config: Path, tmp_path: Path) -> None:
    settings = config, *CONSTANT
    train(*settings, "train.epochs=4", "--run", tmp_path / "four")
    train(*settings, "train.epochs=2", "--run", tmp_path / "two")
    assert hashes(tmp_path / "two") != hashes(tmp_path / "four")
    assert "--extend trains it longer" in train(*settings, "train.epochs=2", "--run", tmp_path / "two", "--resume")
    refusal = refused(*settings, "train.epochs=4", "--run", tmp_path / "two", "--resume")
    assert "train it by these with --extend" in refusal
    said = train("--run", tmp_path / "two", "--extend", "train.epochs=4")
    assert "with train.epochs 4 in place of 2: it ends in the same weights, bit for bit" in said
    assert "not bit for bit" not in said
    assert hashes(tmp_path / "two") == hashes(tmp_path / "four")
    assert Run(tmp_path / "two").config == Run(tmp_path / "four").config
    assert "has done 4 epochs" in refused("--run", tmp_path / "two", "--extend", "train.epochs=4")


def test_what_makes_it_end_otherwise_is_said(config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(config, "train.epochs=1", "train.validate_every=3", "--run", run)
    last = Run(run).validations[-1]["update"]
    assert last % 3
    said = train("--run", run, "--extend", "train.epochs=2", "train.early_stop=9")
    assert "it ends otherwise than a training that was planned so" in said
    assert "the 1 epochs so far had the rates of a training of 1" in said
    assert f"the validation at update {last}, where it was to end, counts" in said
    assert "with this train.early_stop it might have ended before" in said


def test_stopped_early_it_goes_on_where_it_stopped(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config, "train.epochs=2", "train.validate_every=2"
    scores = [5.0, 4.0, 3.0, 6.0, 2.0, 1.0, 0.5, 7.0]
    give_scores(monkeypatch, scores)
    train(*settings, "train.early_stop=3", "--run", tmp_path / "patient")
    give_scores(monkeypatch, scores)
    train(*settings, "train.early_stop=1", "--run", tmp_path / "run")
    assert Run(tmp_path / "run").record["update"] == 4 < Run(tmp_path / "patient").record["update"]
    assert "1 validations were no better" in refused("--run", tmp_path / "run", "--extend", "train.epochs=9")
    give_scores(monkeypatch, scores[2:])
    said = train("--run", tmp_path / "run", "--extend", "train.early_stop=3")
    assert "from update 4 with train.early_stop 3 in place of 1: it ends in the same weights" in said
    assert hashes(tmp_path / "run") == hashes(tmp_path / "patient")


def test_killed_while_it_is_extended_the_same_command_goes_on(config: Path, tmp_path: Path) -> None:
    settings = config, *CONSTANT
    train(*settings, "train.epochs=2", "--run", tmp_path / "two")
    shutil.copytree(tmp_path / "two", tmp_path / "killed")
    old = (tmp_path / "killed/config.yaml").read_bytes()
    extend = "train", *settings, "train.epochs=3", "--run", tmp_path / "killed", "--extend"
    assert run_until_it_ends("update", 3, *extend)[0] == -9
    train("--run", tmp_path / "two", "--extend", "train.epochs=3")
    (tmp_path / "killed/config.yaml").write_bytes(old)  # as a kill between state and config leaves it
    (tmp_path / "killed/manifest.json").unlink()
    assert "was being extended when it was killed" in refused("--run", tmp_path / "killed", "--resume")
    train(*extend[1:])
    assert hashes(tmp_path / "killed") == hashes(tmp_path / "two")
    train(*settings, "train.epochs=3", "--run", tmp_path / "killed", "--resume")


def test_what_cannot_be_extended_is_refused_with_what_to_do(config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert "holds no run that could be extended" in refused(config, "--run", run, "--extend")
    train(config, "train.epochs=1", "--run", run)
    assert "seed is 2 here and 1 there" in refused("--run", run, "--extend", "seed=2", "train.epochs=3")
    both = mt("train", "--run", run, "--extend", "--overwrite", "train.epochs=3")
    assert (both.returncode, "give one of the two" in both.stderr) == (2, True)
    (run / "state.safetensors").unlink()
    said = refused("--run", run, "--extend", "train.epochs=3")
    assert f"begin another run with its weights (train.start={run})" in said


def test_without_memory_it_says_that_the_settings_may_be_changed(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("mt.training.trainer.Trainer.update", fail)
        said = refused_last(config, "--run", run)
        assert "lower train.batch_tokens" in said
        assert f"and give --overwrite, since {run} holds nothing yet that would be lost" in said
    lighter = config, "train.batch_tokens=100", "train.epochs=1", "--run", run
    assert "--overwrite by those given now (a smaller train.batch_tokens" in refused(*lighter)
    assert "nothing is lost: nothing of it is trained yet" in refused(*lighter, "--resume")
    train(*lighter, "--overwrite")
    with monkeypatch.context() as patch:
        patch.setattr("mt.training.trainer.Trainer.update", fail)
        said = refused_last("--run", run, "--extend", "train.epochs=2")
        assert "--resume` goes on with the same settings, where there is more memory" in said


def refused_last(*arguments: object) -> str:
    """Fail to train after something was begun, and return the last line that was said."""
    done = mt("train", *arguments)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]
