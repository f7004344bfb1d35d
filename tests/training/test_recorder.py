"""What a training tells while it goes on: updates.jsonl, curves.svg, TensorBoard, and a run that goes on with them."""

import json
import logging
import signal
import sys
from pathlib import Path

import pytest
from config_files import write
from conftest import mt, write_numbers
from killer import Started

from mt.config import Config
from mt.runs.run import Run
from mt.training import recorder as recorder_module
from mt.training.recorder import Recorder
from mt.training.trainer import Trainer
from mt.views.curves import PANELS

SHORT = ["train.epochs=3", "train.validate_every=7", "train.save_every=4", "train.warmup=6", "train.clip=0.01"]
SHORT += ["train.batch_tokens=30"]
TOY = Config.model_validate({"corpus": {"name": "toy"}})


def lines_of(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_is_the_mean_of_its_updates(tmp_path, monkeypatch):
    steps, real = [], Trainer.update

    def watched(self, batches, fraction):
        steps.append(real(self, batches, fraction))
        return steps[-1]

    monkeypatch.setattr(Trainer, "update", watched)
    run = tmp_path / "run"
    done = mt("train", write_numbers(tmp_path, 200), *SHORT, "log.every=3", "--run", run)
    assert done.returncode == 0, done.stderr
    lines = lines_of(run / "updates.jsonl")
    assert [line["update"] for line in lines] == list(range(3, len(steps) + 1, 3))
    assert {line["epoch"] for line in lines} == {1, 2, 3}
    for number, line in enumerate(lines):
        three = steps[3 * number : 3 * number + 3]
        assert line["train_loss"] == pytest.approx(sum(s.loss for s in three) / sum(s.tokens for s in three), rel=1e-5)
        assert line["gradient_norm"] == pytest.approx(sum(s.norm for s in three) / 3, rel=1e-5)
        assert line["learning_rate"] == pytest.approx(three[-1].rate, rel=1e-5)
    assert lines[0]["learning_rate"] == pytest.approx(0.005, rel=0.15), "half of a warm-up"
    assert min(line["gradient_norm"] for line in lines) > 0.01, "as it was before clipping"
    seconds = sum(3 * sum(s.tokens for s in steps) / len(steps) / line["tokens_per_second"] for line in lines)
    assert 0 < seconds <= Run(run).record["seconds"] * 1.2
    assert (run / "curves.svg").read_text().count("font-weight") == len(PANELS)


@pytest.mark.parametrize(("updates", "every"), [(1, 1), (1000, 1), (1485, 2), (1_000_000, 1000)])
def test_a_whole_training_has_at_most_a_thousand_lines(updates, every, tmp_path):
    assert Recorder(Run(tmp_path), TOY, updates).every == every


def test_lines_go_on_with_another_log_and_not_behind_a_state(tmp_path):
    run, config = tmp_path / "run", write_numbers(tmp_path, 200)
    code, errors = Started("update", 11, "train", config, *SHORT, "log.every=2", "--run", run).end()
    assert code == -signal.SIGKILL, errors
    saved = Run(run).record["update"]
    with (run / "updates.jsonl").open("a") as file:  # as a kill leaves it, after which the state is not written
        file.write(json.dumps(lines_of(run / "updates.jsonl")[-1] | {"update": saved + 2}) + "\n")
    (run / "manifest.json").unlink()
    done = mt("train", config, *SHORT, "log.every=5", "--run", run, "--resume")
    assert done.returncode == 0, done.stderr
    found = [line["update"] for line in lines_of(run / "updates.jsonl")]
    last = Run(run).record["update"]
    assert found == [*range(2, saved + 1, 2), *(n for n in range(saved + 1, last + 1) if n % 5 == 0)]


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        (lambda lines: [*lines[:4], lines[4][:30]], range(4, 99)),
        (lambda lines: [lines[0].replace('"epoch"', '"era"'), *lines[1:]], range(1)),
        (lambda lines: [], range(99)),
    ],
)
def test_a_resume_goes_on_without_the_damaged_lines_and_draws_the_curves_again(damage, lost, tmp_path):
    run, config = tmp_path / "run", write_numbers(tmp_path, 200)
    asked = ["train", config, *SHORT, "log.every=2", "--run", run, "--resume"]
    assert mt(*asked).returncode == 0
    lines, curves = (run / "updates.jsonl").read_text().splitlines(), (run / "curves.svg").read_text()
    weights = (run / "model.safetensors").read_bytes()
    (run / "updates.jsonl").write_text("\n".join(damage(lines)))
    (run / "curves.svg").write_text(curves[:99])
    done = mt(*asked)
    said = "updates.jsonl is damaged; training goes on with what can be read of it ("
    assert (done.returncode, done.stderr.count(said), done.stderr.count("updates.jsonl")) == (0, 1, 1), done.stderr
    kept = [line for number, line in enumerate(lines) if number not in lost]
    assert (run / "updates.jsonl").read_text().splitlines() == kept
    assert (run / "model.safetensors").read_bytes() == weights
    drawn = (run / "curves.svg").read_text()
    assert drawn.endswith("</svg>\n")
    assert (drawn == curves) == (kept == lines)


def test_a_drawing_that_fails_is_a_warning(tmp_path, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError("no room")

    monkeypatch.setattr(recorder_module, "draw", fail)
    with caplog.at_level(logging.WARNING, "mt"):
        Recorder(Run(tmp_path), TOY, 10).draw([])
    assert caplog.messages == [f"{tmp_path}/curves.svg could not be drawn, and training goes on: no room"]


def test_tensorboard_has_every_point_once_although_training_was_killed(tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run, config = tmp_path / "run", write_numbers(tmp_path, 200)
    asked = ["train", config, *SHORT, "log.every=1", "log.tensorboard=true", "--run", run, "--resume"]
    for place, count in (("update", 7), ("save", 2)):
        code, errors = Started(place, count, *asked).end()
        assert code == -signal.SIGKILL, errors
    code, errors = Started("never", 0, *asked).end()
    assert code == 0, errors
    board = events.EventAccumulator(str(run / "tensorboard")).Reload()
    wanted = {
        "loss/train": ("updates", "train_loss"),
        "learning_rate": ("updates", "learning_rate"),
        "gradient_norm": ("updates", "gradient_norm"),
        "tokens_per_second": ("updates", "tokens_per_second"),
        "loss/validation": ("metrics", "validation_loss"),
        "bleu": ("metrics", "validation_bleu"),
        "chrf": ("metrics", "validation_chrf"),
    }
    assert sorted(board.Tags()["scalars"]) == sorted(wanted)
    for curve, (file, key) in wanted.items():
        lines = lines_of(run / f"{file}.jsonl")
        points = board.Scalars(curve)
        assert [point.step for point in points] == [line["update"] for line in lines], curve
        assert [point.value for point in points] == pytest.approx([line[key] for line in lines], rel=1e-5), curve


def test_a_missing_tensorboard_is_said_before_training(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    config = write(tmp_path / "toy.yaml", "corpus: {name: toy}\nlog: {tensorboard: true}\n")
    done = mt("train", config, "--run", tmp_path / "run")
    assert done.returncode == 1
    assert "pip install 'mt[tensorboard]'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()
