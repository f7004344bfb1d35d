"""Training that begins with the weights and vocabularies of another run, and needs that run no more afterwards."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from config_files import write
from conftest import mt, write_numbers
from test_ranks import alone, torchrun
from test_resume import hashes
from tiny_models import redraw
from toy_runs import RNN, TRANSFORMER

from mt.config import Config
from mt.config.files import read_config, to_yaml
from mt.core.errors import UserError
from mt.corpora import load_splits
from mt.runs import checkpoint
from mt.runs.run import Run
from mt.text.tokenizer import train_tokenizers
from mt.training import experiment
from mt.training.start import take_over

TUNING = """
train: {epochs: 1, batch_tokens: 150, learning_rate: 0.001, warmup: 5, start: %s}
search: {max_ratio: 1.0, max_extra: 2}
threads: 1
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a folder with a small corpus of number words, and tune.yaml, which trains on it from START."""
    write_numbers(tmp_path, 160)
    return tmp_path


def tuning(folder: Path, start: Path, more: str = "") -> Path:
    corpus = yaml.safe_load((folder / "numbers.yaml").read_text())["corpus"] | {"held_out": 10}
    return write(folder / "tune.yaml", yaml.safe_dump({"corpus": corpus}) + TUNING % start + more)


def make_start(folder: Path, model: dict[str, Any], vocabulary: dict[str, Any]) -> Run:
    """Write a run with weights drawn anew on the toy grammar, and none of training's files."""
    told = {"corpus": {"name": "toy", "pairs": 80, "held_out": 12}, "model": {"kind": "rnn"} | model}
    made = Config.model_validate(told | {"vocabulary": {"size": 400} | vocabulary, "threads": 1})
    train = load_splits(made.corpus)["train"]
    tokenizers = train_tokenizers(train.sources, train.targets, made.vocabulary)
    network = checkpoint.build(made, tokenizers)
    redraw(network, 3, 0.3)
    write(folder / "config.yaml", to_yaml(made))
    tokenizers.save(folder)
    checkpoint.save(folder / "model.safetensors", checkpoint.weights(network.float()), {"update": 7})
    return Run(folder)


@pytest.mark.parametrize("model", [RNN, TRANSFORMER])
@pytest.mark.parametrize("joint", [True, False])
def test_it_begins_with_the_weights_the_vocabularies_and_the_model(corpus: Path, model: Any, joint: bool) -> None:
    start = make_start(corpus / "start", model, {"joint": joint, "kind": "unigram", "normalize": "none"})
    config = take_over(read_config(tuning(corpus, start.path), ["train.average=0.9"]))
    assert (config.model, config.vocabulary) == (start.config.model, start.config.vocabulary)
    run = Run(corpus / "run")
    trainer = experiment.begin(run, experiment.gather(config, run))
    theirs, _ = checkpoint.read(start / "model.safetensors")
    for mine in (trainer.model, trainer.learned.average.module):
        weights = checkpoint.weights(mine)
        assert weights.keys() == theirs.keys()
        assert all(torch.equal(weights[name].cpu(), theirs[name]) for name in theirs)
    assert (trainer.position.update, trainer.learned.optimizer.state) == (0, {})
    files = sorted(file.name for file in start.path.glob("tokenizer*"))
    assert [(run / name).read_bytes() for name in files] == [(start / name).read_bytes() for name in files]
    assert Run(run.path).record["start"] == start.fingerprint != ""


def test_the_kept_weights_are_taken_and_not_the_last(numbers: Path, corpus: Path) -> None:
    start = corpus / "start"
    shutil.copytree(numbers, start)
    best, record = checkpoint.read(start / "model.safetensors")
    blurred = {name: tensor + 0.5 for name, tensor in best.items()}
    checkpoint.save(start / "model.safetensors", blurred, record)  # no longer those of the state
    run, config = Run(corpus / "run"), take_over(read_config(tuning(corpus, start)))
    trainer = experiment.begin(run, experiment.gather(config, run))
    assert all(torch.equal(blurred[name], one.cpu()) for name, one in checkpoint.weights(trainer.model).items())


def test_tuned_from_a_trained_run_it_knows_more_at_once_and_the_run_may_go(numbers: Path, corpus: Path) -> None:
    start = shutil.copytree(numbers, corpus / "start")
    config = tuning(corpus, start)
    done = mt("train", config, "--run", corpus / "whole")
    assert done.returncode == 0, done.stderr
    first = Run(corpus / "whole").validations[0]
    assert first["validation_bleu"] > 50  # from nothing, an epoch of these few pairs gives none
    assert "Began with the weights " in (corpus / "whole/README.md").read_text()
    shutil.rmtree(corpus / "whole" / "cache")
    run = Run(corpus / "run")
    taken = take_over(read_config(config))
    experiment.begin(run, experiment.gather(taken, run))  # as one that is killed before its first update leaves it
    shutil.rmtree(start)
    done = mt("train", config, "--run", corpus / "run", "--resume")
    assert done.returncode == 0, done.stderr
    assert hashes(corpus / "run") == hashes(corpus / "whole")
    assert mt("train", config, "--run", corpus / "run", "--resume").returncode == 0
    again = mt("train", config, "--run", corpus / "other")
    assert (again.returncode, "start is not a run directory" in again.stderr) == (1, True)


def test_killed_before_its_first_save_it_needs_the_start_with_the_same_vocabularies(corpus: Path) -> None:
    start = make_start(corpus / "start", RNN, {})
    run, config = Run(corpus / "run"), take_over(read_config(tuning(corpus, start.path)))
    experiment.begin(run, experiment.gather(config, run))
    (run / "state.safetensors").unlink()
    assert experiment.gather(config, Run(run.path), resume=True).start is not None
    make_start(corpus / "start", RNN, {"kind": "unigram"})
    with pytest.raises(UserError, match="has other vocabularies than when"):
        experiment.gather(config, Run(run.path), resume=True)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("vocabulary: {size: 330}", "vocabulary.size is 330 here and 400 there"),
        ("model: {hidden: 16}", "model.hidden is 16 here and 8 there"),
        ("model: {kind: transformer}", "model.kind is transformer here and rnn there"),
        ("model: {attention: {score: general}}", "model.attention.score is general here and additive there"),
    ],
)
def test_what_contradicts_the_start_is_refused_by_its_key(corpus: Path, said: str, told: str) -> None:
    start = make_start(corpus / "start", RNN, {})
    done = mt("train", tuning(corpus, start.path, said), "--run", corpus / "run")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"train.start: {start} has another model or vocabulary ({told}" in done.stderr
    assert not (corpus / "run").exists()


def test_what_agrees_and_what_changes_no_weight_may_be_said(corpus: Path) -> None:
    start = make_start(corpus / "start", RNN, {})
    said = "model: {hidden: 8, dropout: {readout: 0.5}}\nvocabulary: {size: 400}"
    config = take_over(read_config(tuning(corpus, start.path, said)))
    assert config.model.dropout == start.config.model.dropout.model_copy(update={"readout": 0.5})
    assert config.model.hidden == 8
    assert take_over(config) == config


def test_a_start_without_weights_is_refused_and_so_is_the_run_itself(corpus: Path) -> None:
    start = make_start(corpus / "start", RNN, {})
    config = tuning(corpus, start.path)
    itself = mt("train", config, "--run", start.path, "--overwrite")
    assert (itself.returncode, "which would be replaced" in itself.stderr) == (1, True)
    (start / "model.safetensors").unlink()
    done = mt("train", config, "--run", corpus / "run")
    assert (done.returncode, "has no trained model yet" in done.stderr) == (1, True)
    assert not (corpus / "run").exists()


def test_processes_begin_with_the_same_weights_as_one(corpus: Path) -> None:
    start = make_start(corpus / "start", RNN, {})
    config = tuning(corpus, start.path)
    alone("train", config, "train.accumulate=2", "--run", corpus / "one")
    code, said = torchrun("-m", "--", "mt", "train", config, "--run", corpus / "two")
    assert code == 0, said
    assert hashes(corpus / "two") == hashes(corpus / "one")


def test_points_of_a_study_begin_with_a_run(corpus: Path) -> None:
    start = make_start(corpus / "start", RNN, {})
    study = write(
        corpus / "s.yaml",
        f"config: {tuning(corpus, start.path)}\nseeds: [1]\n"
        "axes: {who: {tuned: [], wetter: [model.dropout.readout=0.5]}}\n",
    )
    done = mt("study", study, cwd=corpus)
    assert done.returncode == 0, done.stderr
    runs = {path.parent.name.partition("-")[0]: Run(path.parent) for path in corpus.glob("runs/studies/s/*/state.*")}
    assert {name: run.record["start"] for name, run in runs.items()} == dict.fromkeys(
        ("tuned", "wetter"), start.fingerprint
    )
    before = {run.path: (run / "state.safetensors").stat().st_mtime_ns for run in runs.values()}
    assert mt("study", study, cwd=corpus).returncode == 0
    assert {path: (path / "state.safetensors").stat().st_mtime_ns for path in before} == before


def test_a_study_trains_anew_where_the_start_has_other_weights(corpus: Path) -> None:
    start = make_start(corpus / "start", RNN, {})
    points = f"axes: {{train.start: [{start}]}}\nseeds: [1]\n"
    study = write(corpus / "s.yaml", f"config: {tuning(corpus, start.path)}\n{points}")

    def runs() -> list[Path]:
        done = mt("study", study, "--runs", corpus / "runs")
        assert done.returncode == 0, done.stderr
        return sorted((corpus / "runs/s").glob("*/"))

    (first,) = runs()
    assert runs() == [first]
    best, record = checkpoint.read(start / "model.safetensors")
    checkpoint.save(start / "model.safetensors", {name: 2 * value for name, value in best.items()}, record)
    assert len(runs()) == 2
    shutil.move(start.path, corpus / "moved")
    study.write_text(study.read_text().replace(str(start), str(corpus / "moved")))
    assert len(runs()) == 2
