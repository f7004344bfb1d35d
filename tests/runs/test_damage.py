"""Files of a run that are damaged: each is named, with what to do; or it is written again."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import mt
from toy_runs import RNN, config, write_run

from mt.core import manifest
from mt.core.errors import DamagedError, UserError
from mt.core.files import write_lines, write_text
from mt.core.once import say_once
from mt.evaluation.choice import of_run
from mt.inference.load import load
from mt.lab.diagnosis.distributions import read_expected
from mt.runs import checkpoint
from mt.runs.config_file import write_config
from mt.runs.run import Run
from mt.runs.scores import read_scores
from mt.training import experiment
from mt.web.served import Served


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a manifest."""
    monkeypatch.setattr(manifest, "PAUSE", 0)
    say_once.cache_clear()
    (tmp_path / "run").mkdir()
    manifest.begin(tmp_path / "run")
    path = write_run(tmp_path / "run", config(RNN))
    write_config(path / "config.yaml", config(RNN))
    return path


def flip(path: Path, place: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "remedy"), [("model.safetensors", "restore it"), ("tokenizer.model", "restore it, or train again")]
)
def test_what_a_model_is_read_from_is_named_by_who_loads_and_who_serves(run: Path, name: str, remedy: str) -> None:
    assert load(run).translate(["Ball"])
    flip(run / name)
    said = rf"run/{name} is damaged; {remedy} \(its checksum is not that of manifest\.json"
    for read in (load, lambda path: Served(path).load()):
        with pytest.raises(DamagedError, match=said):
            read(run)


def test_an_edited_config_is_said_and_one_that_was_cut_short_is_refused(
    run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = run / "config.yaml"
    text = file.read_text()
    file.write_text(text.replace("beam: 2", "beam: 3"))
    assert [Run(run).config.search.beam for _ in range(2)] == [3, 3]
    assert caplog.text.count("config.yaml is not as it was written: it was edited, or is damaged") == 1
    lines = text.splitlines(keepends=True)
    for kept in (len(lines) // 3, len(lines) - 1):
        file.write_text("".join(lines[:kept]))
        with pytest.raises(DamagedError, match=r"config\.yaml is damaged; restore it.*it is cut short"):
            _ = Run(run).config


def test_a_run_without_a_manifest_says_once_that_it_is_unchecked(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    load(run)
    assert "manifest" not in caplog.text
    (run / manifest.NAME).unlink()
    load(run)
    load(run)
    assert caplog.text.count("model.safetensors is not listed in a manifest.json") == 1


def test_a_copy_without_the_state_loads(run: Path, tmp_path: Path) -> None:
    checkpoint.save(run / "state.safetensors", {}, {"finished": True})
    shutil.copytree(run, tmp_path / "copy", ignore=shutil.ignore_patterns("state*", "metrics*"))
    assert load(tmp_path / "copy").translate(["Ball"])


STATE = {"finished": True, "records": [], "made_with": {"data": "abc"}}


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"finished": 1},
        {"update": -3},
        {"update": "seven"},
        {"made_with": {}},
        {"made_with": [1]},
        {"records": [{"update": 1}]},
        {"records": {"update": 1}},
        {"format": "1"},
        {"first_loss": float("nan")},
    ],
)
def test_a_record_of_the_state_that_cannot_be_is_named(tmp_path: Path, record: Any) -> None:
    """There is no manifest: a state made by hand."""
    told = STATE | record if isinstance(record, dict) else record
    checkpoint.save(tmp_path / "state.safetensors", {"a": torch.zeros(1)}, told)
    with pytest.raises(DamagedError, match=r"state\.safetensors is damaged; restore it, or start anew"):
        _ = Run(tmp_path).is_finished


@pytest.mark.parametrize(
    "line", ["{}", "[]", "7", '{"update": 1, "epoch": 1}', '{"update": 1, "epoch": 1, "validation_bleu": NaN}']
)
def test_a_line_of_metrics_that_cannot_be_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "metrics.jsonl").write_text(line + "\n")
    with pytest.raises(DamagedError, match=r"metrics\.jsonl is damaged; restore it, or delete it"):
        _ = Run(tmp_path).validations


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.pop("choice"),
        lambda tree: tree["choice"].pop("layer"),
        lambda tree: tree["choice"].update(layer=7),
        lambda tree: tree["choice"].update(head=0.5),
        lambda tree: tree["choice"].update(threshold=float("nan")),
        lambda tree: tree["choice"].update(reading="upside down"),
    ],
)
def test_a_choice_that_the_model_has_not_is_named(run: Path, change: Callable[[Any], object]) -> None:
    tree = {"weights": Run(run).fingerprint, "choice": {"layer": 1, "head": None, "reading": "as-is"}}
    write_text(run / "alignment.json", json.dumps(tree))
    assert of_run(Run(run)) is not None
    change(tree)
    write_text(run / "alignment.json", json.dumps(tree))
    with pytest.raises(DamagedError, match=r"alignment\.json is damaged; delete it, and `mt eval"):
        of_run(Run(run))


@pytest.mark.parametrize("text", ["[]", "{}", '{"search": {}, "weights": [], "BLEU": {"score": NaN}}', '{"search": 1}'])
def test_scores_that_cannot_be_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "scores.json").write_text(text)
    with pytest.raises(DamagedError, match=r"scores\.json is damaged; delete it, and `mt eval` writes it again"):
        read_scores(tmp_path)
    (tmp_path / "diagnosis.json").write_text(text)
    with pytest.raises(DamagedError, match=r"diagnosis\.json is damaged; delete it, and `mt diagnose"):
        read_expected(Run(tmp_path))


def test_weights_of_other_numbers_are_named(run: Path) -> None:
    tensors, record = checkpoint.read(run / "model.safetensors")
    name = min(tensors)
    checkpoint.save(run / "model.safetensors", tensors | {name: tensors[name].double()}, record)
    with pytest.raises(UserError, match=rf"model\.safetensors does not fit the config beside it .*{name}"):
        load(run)


def test_what_a_kill_leaves_in_the_cache_does_not_refuse_the_folder(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    (run / "cache/.abc.arrow.x1y2z3w4").mkdir(parents=True)
    (run / "cache/tmp12345678").mkdir()
    for name in ("cache/.abc.arrow.x1y2z3w4/half", "cache/.survey.json.abc.json", "cache/survey.json", "manifest.json"):
        (run / name).write_text("")
    (run / "tokenizer.model").write_text("")
    assert run.may_begin()
    run.clear()
    assert sorted(path.name for path in run.path.rglob("*")) == ["cache", "manifest.json", "survey.json"]
    (run / "cache/mine.txt").write_text("")
    assert not run.may_begin()


def test_a_finished_run_gets_back_what_follows_from_its_state(tmp_path: Path) -> None:
    """As after a kill between the state and metrics.jsonl, and after damage to what can be made again."""
    settings = "corpus.pairs=60", "corpus.held_out=6", "vocabulary.size=400", "train.epochs=1", "threads=1"
    small = "model.embedding=4", "model.hidden=4", "model.encoder_hidden=4", "model.attention.width=4"
    nearest = "search.nearest.count=2", "search.max_extra=2", "search.max_ratio=1"
    teacher, run = tmp_path / "teacher", tmp_path / "run"
    assert mt("train", "toy", *settings, *small, "--run", teacher).returncode == 0
    taught = f"train.teacher.runs=[{teacher}]"
    assert mt("train", "toy", *settings, *small, *nearest, taught, "--run", run).returncode == 0
    names = ["metrics.jsonl", "model.safetensors", "lessons.safetensors", "datastore.safetensors"]
    arrows = [str(path.relative_to(run)) for path in run.glob("cache/*.arrow")]
    before = {name: (run / name).read_bytes() for name in [*names, *arrows]}
    write_lines(run / "metrics.jsonl", [])
    for name in (*names[1:], *arrows):
        flip(run / name)
    resumed = Run(run).config
    assert [one["update"] for one in Run(run).validations] == [json.loads(before["metrics.jsonl"])["update"]]
    assert experiment.train(resumed, run, resume=True)
    assert {name: name for name in before if (run / name).read_bytes() != before[name]} == {}
    assert experiment.train(resumed, run, resume=True)
    flip(run / "datastore.safetensors")
    assert load(run).translate(["Ball"])
    assert (run / "datastore.safetensors").read_bytes() == before["datastore.safetensors"]
