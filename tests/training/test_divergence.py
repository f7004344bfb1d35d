"""Training that has diverged stops, keeps what it had, and says what to do."""

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from command_line import mt
from conftest import write_numbers

from mt.core.errors import UserError
from mt.runs import checkpoint
from mt.runs.run import Run
from mt.training.divergence import Watch

SHORT = (
    *("vocabulary.size=300", "model.embedding=16", "model.hidden=16", "model.encoder_hidden=16"),
    *("model.attention.width=16", "train.batch_tokens=200", "train.warmup=0", "threads=1"),
)


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a config, and a run that it made."""
    folder = tmp_path_factory.mktemp("divergence")
    config = write_numbers(folder, 200)
    done = mt("train", config, *SHORT, "train.epochs=2", "train.learning_rate=0.01", "--run", folder / "good")
    assert done.returncode == 0, done.stderr
    return config, folder / "good"


@pytest.mark.parametrize("rate", ["1e5", "1e2", "1e30"])
@pytest.mark.parametrize("schedule", ["linear", "plateau"])
def test_a_rate_far_too_high_stops_training(
    numbers: tuple[Path, Path], tmp_path: Path, rate: str, schedule: str
) -> None:
    rates = ("train.epochs=4", f"train.learning_rate={rate}", f"train.schedule={schedule}")
    done = mt("train", numbers[0], *SHORT, *rates, "--run", tmp_path / "run")
    assert done.returncode == 1
    assert "training diverged at update" in done.stderr
    assert "Lower train.learning_rate" in done.stderr
    assert "Traceback" not in done.stderr
    assert max(map(len, done.stderr.splitlines())) < 300
    for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_a_rate_that_is_right_is_not_stopped(numbers: tuple[Path, Path]) -> None:
    run = Run(numbers[1])
    assert run.is_finished
    assert all(math.isfinite(record["validation_loss"]) for record in run.validations)


TRANSFORMER = "model={kind: transformer, width: 512, layers: 1, heads: 4, feedforward: 32}"


@pytest.mark.parametrize("rate", ["1.5e-3", "1e-7"])
@pytest.mark.parametrize("warmup", [0, 300])
def test_weights_that_have_learned_little_yet_have_not_diverged(
    numbers: tuple[Path, Path], tmp_path: Path, rate: str, warmup: int
) -> None:
    """An untrained Transformer of such a width has twice the loss of guessing."""
    rates = ("train.epochs=3", f"train.learning_rate={rate}", f"train.warmup={warmup}", "train.batch_tokens=100000")
    size = ("vocabulary.size=300", TRANSFORMER, "threads=1")
    done = mt("train", numbers[0], *size, *rates, "--run", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert Run(tmp_path / "run").validations[0]["train_loss"] > 1.5 * math.log(300)


@pytest.mark.parametrize("more", [["train.batch_tokens=100000"], ["train.validate_every=1"]])
def test_one_update_can_diverge(numbers: tuple[Path, Path], tmp_path: Path, more: list[str]) -> None:
    rates = ("train.epochs=1", "train.learning_rate=1e5")
    done = mt("train", numbers[0], *SHORT, *rates, *more, "--run", tmp_path / "run")
    assert done.returncode == 1
    assert "loss is" in done.stderr
    assert "has the best weights" not in done.stderr
    assert not (tmp_path / "run/model.safetensors").exists()


def test_losses_are_judged_by_what_an_untrained_model_has() -> None:
    watch, unknown = Watch(300, first_loss=11.0), Watch(300, first_loss=0.0)
    assert not watch.judge_training(11.1)
    assert not unknown.judge_training(math.log(300))
    assert "the training loss is 14, and guessing would have 5.704" in watch.judge_training(14.0)
    assert unknown.judge_training(7.0)
    assert "the validation loss is 14," in watch.judge_validation(14.0, training=10.0)
    assert not watch.judge_validation(14.0, training=0.3)  # overfitting
    assert watch.judge_validation(1e6, training=0.3)


def test_a_state_that_is_not_finite_is_not_gone_on_with(numbers: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(numbers[1], tmp_path / "run")
    tensors, record = checkpoint.read(tmp_path / "run/state.safetensors")
    name = min(name for name in tensors if name.startswith("optimizer.exp_avg."))
    tensors[name].view(-1)[0] = torch.nan
    checkpoint.save(tmp_path / "run/state.safetensors", tensors, record | {"finished": False})
    done = mt("train", tmp_path / "run/config.yaml", "--run", tmp_path / "run", "--resume")
    assert done.returncode == 1
    assert f"state.safetensors has numbers that are not finite (first in {name})" in done.stderr


def test_weights_of_a_validation_that_is_not_finite_are_not_kept(numbers, tmp_path, monkeypatch) -> None:
    from mt.training.validation import Validator

    losses = iter([2.0, math.nan])
    told = {"validation_bleu": 1.0, "validation_chrf": 1.0}
    monkeypatch.setattr(Validator, "score", lambda self, model: told | {"validation_loss": next(losses)})
    run = tmp_path / "run"
    done = mt("train", numbers[0], *SHORT, "train.epochs=3", "train.learning_rate=0.01", "--run", run)
    assert done.returncode == 1
    assert "the validation loss is nan" in done.stderr
    assert f"{run / 'model.safetensors'} has the best weights, of update" in done.stderr
    (record,) = Run(run).validations
    _, kept = checkpoint.read(run / "model.safetensors")
    assert kept["update"] == record["update"]
    assert Run(run).record["epoch"] == 1


def test_weights_that_are_not_finite_are_not_loaded(numbers: tuple[Path, Path], tmp_path: Path) -> None:
    tensors, record = checkpoint.read(numbers[1] / "model.safetensors")
    tensors["output.bias"][3] = torch.inf
    for path in numbers[1].iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    checkpoint.save(tmp_path / "model.safetensors", tensors, record)
    with pytest.raises(UserError, match=r"not finite \(first in output\.bias\)"):
        _ = Run(tmp_path).model
    done = mt("translate", tmp_path, "eins")
    assert done.returncode == 1
    assert "model.safetensors has numbers that are not finite" in done.stderr
