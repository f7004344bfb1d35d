"""Runs that strangers made: they read nothing but themselves, whatever their configs and their links say."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.font_manager  # noqa: F401 (it keeps a list of fonts, which is read once)
import pytest
import safetensors.torch
import torch
import yaml
from command_line import ROOT, mt
from toy_runs import RNN, config, write_run

import mt as library
from mt.core.errors import UserError
from mt.runs import checkpoint
from mt.runs.card import write_card
from mt.runs.run import Run

OPENED: list[str] | None = None
SYSTEM = tuple({os.path.realpath(place) for place in (sys.prefix, sys.base_prefix, ROOT, "/proc", "/sys", "/dev")})
"""Python, its packages, this package, and what the kernel tells any program."""


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    if OPENED is not None and event == "open" and isinstance(arguments[0], str | bytes):
        OPENED.append(os.path.realpath(os.fsdecode(arguments[0])))


sys.addaudithook(_notice)


@contextmanager
def watching() -> Iterator[list[str]]:
    """Give the paths that Python opens in the block."""
    global OPENED
    OPENED = found = []
    try:
        yield found
    finally:
        OPENED = None


def strangers_run(path: Path, outside: Path, source: str = "de") -> Path:
    """Write a run that translates, whose config names files outside of it wherever it can."""
    write_run(path, config(RNN, source))
    outside.mkdir(exist_ok=True)
    for name in ("secret.de", "secret.en", "links"):
        (outside / name).write_text("Geheim\n" * 50)
    tree = yaml.safe_load((path / "config.yaml").read_text())
    target = {"de": "en", "en": "de"}[source]
    sides = [f"{outside}/secret.{source}", str(path / f"../{outside.name}/secret.{target}")]
    tree["corpus"] = {"name": "files", "source": source, "target": target} | dict.fromkeys(
        ("train", "validation", "test"), sides
    )
    tree["train"]["guide"]["links"] = str(outside / "links")
    tree["train"]["teacher"]["runs"] = [str(outside), "../../.."]
    tree["train"]["start"] = str(outside)
    (path / "config.yaml").write_text(yaml.safe_dump(tree))
    return path


def test_whoever_uses_a_strangers_run_opens_nothing_else(tmp_path: Path) -> None:
    run, back = (
        strangers_run(tmp_path / name, tmp_path / "outside", side) for name, side in (("run", "de"), ("back", "en"))
    )
    twin = shutil.copytree(run, tmp_path / "twin")
    given = tmp_path / "given"
    given.mkdir()
    (given / "de").write_text("Der Hund läuft.\n")
    (given / "en").write_text("The dog runs.\n")
    align = ("align", run, "--source", given / "de", "--target", given / "en", "--output", given / "out")
    with watching() as opened:
        done = [
            mt("translate", run, "Der Hund läuft."),
            mt("translate", run, "--with", twin, "--input", given / "de", "--json"),
            mt(*align, "--reverse", back),
            mt("config", run / "config.yaml"),
        ]
        assert library.load(run, twin).translate(["Ein Hund."])
        with pytest.raises(UserError, match="was not scored"):
            _report(run)
    assert [one.stderr for one in done if one.returncode] == []
    allowed = (*SYSTEM, *(str(path) for path in (run, twin, back, given)))
    assert f"{run}/config.yaml" in opened  # the hook sees what it should
    assert [path for path in opened if not path.startswith(allowed)] == []


def test_whoever_trains_from_a_strangers_run_opens_nothing_else(tmp_path: Path) -> None:
    start, new = strangers_run(tmp_path / "start", tmp_path / "outside"), tmp_path / "new"
    new.mkdir()
    text = {"name": "files", "source": "de", "target": "en", "held_out": 2, "train": [f"{new}/de", f"{new}/en"]}
    for side in ("de", "en"):
        (new / side).write_text("".join(f"{side} {number}\n" for number in range(20)))
    told = {"corpus": text, "train": {"epochs": 1, "start": str(start)}, "threads": 1}
    (new / "config.yaml").write_text(yaml.safe_dump(told))
    with watching() as opened:
        done = mt("train", new / "config.yaml", "--run", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert f"{start}/model.safetensors" in opened
    outside = os.path.realpath(tmp_path / "outside")
    assert [path for path in opened if path.startswith(outside)] == []
    shutil.move(start / "model.safetensors", tmp_path / "outside")
    (start / "model.safetensors").symlink_to(tmp_path / "outside/model.safetensors")
    done = mt("train", new / "config.yaml", "--run", tmp_path / "other")
    assert (done.returncode, "leads out of the run" in done.stderr) == (1, True)


def _report(run: Path) -> None:
    from mt.lab.report.report import report

    report([Run(run)])


def test_a_card_names_the_runs_of_an_ensemble_and_opens_none(tmp_path: Path) -> None:
    run, other = (strangers_run(tmp_path / name, tmp_path / "outside") for name in ("run", "other"))
    one = {"score": 41.0, "low": 39.0, "high": 43.0, "signature": "nrefs:1"}
    given = {"beam": 2, "with": [str(other), "/dev/zero", "hub:nobody/none"]}
    told = {"BLEU": one, "search": given, "weights": [Run(run).fingerprint, Run(other).fingerprint, "0", "0"]}
    (run / "eval/test+other").mkdir(parents=True)
    (run / "eval/test+other/scores.json").write_text(json.dumps(told))
    with watching() as opened:
        write_card(Run(run), "a model")
    assert "| test+other, beam 2 | BLEU | 41.0 |" in (run / "README.md").read_text()
    assert f"{run}/eval/test+other/scores.json" in opened
    assert [path for path in opened if not path.startswith((*SYSTEM, str(run)))] == []
    told["weights"] = ["0", *told["weights"][1:]]
    (run / "eval/test+other/scores.json").write_text(json.dumps(told))
    write_card(Run(run), "a model")
    assert "test+other" not in (run / "README.md").read_text(), "these are scores of other weights"


def test_who_needs_the_corpus_is_told_where_it_is_read(tmp_path: Path) -> None:
    run = strangers_run(tmp_path / "run", tmp_path / "outside")
    told = mt("align", run, "--plot").stderr
    assert f"{run}: its corpus is read from {tmp_path}/outside/secret.de and " in told


def test_a_link_that_leads_out_of_a_run_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_text("{}")
    for name in (
        "metrics.jsonl",
        "config.yaml",
        "tokenizer.model",
        "model.safetensors",
        "eval",
        "eval/test/scores.json",
    ):
        theirs = shutil.copytree(run, tmp_path / f"theirs-{name.replace('/', '-')}")
        (theirs / name).unlink(missing_ok=True)
        (theirs / name).parent.mkdir(parents=True, exist_ok=True)
        original = run / name if (run / name).exists() else secret
        (theirs / name).symlink_to(os.path.relpath(original, (theirs / name).parent))
        for ask in (library.load, _report):
            with pytest.raises(UserError, match="leads out of the run"):
                ask(theirs)
        done = mt("translate", theirs, "x")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_a_link_within_a_run_and_to_a_run_is_followed(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    (run / "model.safetensors").rename(run / "weights")
    (run / "model.safetensors").symlink_to("weights")
    (tmp_path / "latest").symlink_to("run")
    assert library.load(tmp_path / "latest").translate(["Ein Hund."])


def test_a_run_in_the_cache_of_the_hub_has_its_files_beside_it(tmp_path: Path) -> None:
    made = write_run(tmp_path / "made", config(RNN))
    snapshot, blobs = tmp_path / "models--x--y" / "snapshots" / "1f", tmp_path / "models--x--y" / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for number, file in enumerate(made.iterdir()):
        shutil.copy(file, blobs / str(number))
        (snapshot / file.name).symlink_to(f"../../blobs/{number}")
    assert library.load(snapshot).translate(["Ein Hund."])


def test_a_link_to_itself_and_a_pipe_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    (run / "film.jsonl").symlink_to("film.jsonl")
    with pytest.raises(UserError, match="leads out of the run"):
        library.load(run)
    (run / "film.jsonl").unlink()
    os.mkfifo(run / "film.jsonl")
    with pytest.raises(UserError, match="neither a file nor a folder"):
        library.load(run)


def test_a_config_that_asks_for_more_than_the_weights_takes_no_memory(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    wide = config(RNN | {"hidden": 65_536, "embedding": 65_536, "encoder_hidden": 65_536, "layers": 50})
    begun = time.process_time()
    from mt.config.files import to_yaml

    (run / "config.yaml").write_text(to_yaml(wide))
    with pytest.raises(UserError, match="does not fit the config beside it"):
        library.load(run)
    assert time.process_time() - begun < 10


def test_weights_of_another_kind_of_number_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    tensors, record = checkpoint.read(run / "model.safetensors")
    whole = {name: tensor.to(torch.int32) for name, tensor in tensors.items()}
    checkpoint.save(run / "model.safetensors", whole, record)
    with pytest.raises(UserError, match="does not fit the config beside it"):
        library.load(run)


@pytest.mark.parametrize("record", ["[]", "{", "[" * 3000, "1" * 5000])
def test_a_record_that_is_none_is_refused(record: str, tmp_path: Path) -> None:
    file = tmp_path / "state.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, file, {"record": record})
    for read in (checkpoint.read, checkpoint.read_record):
        with pytest.raises(UserError, match=r"state\.safetensors is damaged"):
            read(file)
