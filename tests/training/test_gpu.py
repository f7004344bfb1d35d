"""Training and translating on a GPU, a simulated one, is the same as on the processor, bit for bit."""

import logging
from pathlib import Path

import pytest
import torch
from config_files import write
from conftest import write_numbers
from simulated_device import simulated_gpu

import mt
from mt.config import Config
from mt.config.files import read_config
from mt.core import device
from mt.core.errors import UserError
from mt.inference.aligner import View, load_aligner
from mt.inference.scorer import Scorer
from mt.lab.diagnosis.gradients import gradient_times_input
from mt.lab.diagnosis.parts import mean_gradients
from mt.models.contract import Look, Site
from mt.runs import checkpoint
from mt.runs.run import Run
from mt.training import experiment

FAST = ("train.epochs=2", "train.average=0.9", "search.max_extra=1", "search.max_ratio=1", "threads=1")
KINDS: dict[str, tuple[str, ...]] = {
    "rnn": ("model.attention.coverage=true", "train.coverage_loss=0.1"),
    "lexical": ("model.lexical=true", "search.nearest.count=4"),
    "local": ("model.attention={score: general, wiring: luong, window: local-p}",),
    "transformer": ("model={kind: transformer, width: 16, layers: 2, heads: 2, feedforward: 32}",),
}


def train(folder: Path, name: str, *overrides: str) -> Run:
    config: Config = read_config(folder / "numbers.yaml", [*FAST, *overrides])
    assert experiment.train(config, folder / name, resume=True)
    return Run(folder / name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_numbers(tmp_path, 240)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_gives_what_the_processor_gives(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["eins zwei", "drei", "vier fünf sechs"]
    monkeypatch.setattr("mt.inference.load.packs", lambda precision: False)  # oneDNN's products end in other digits
    here = train(folder, "here", *KINDS[kind], "device=cpu")
    with simulated_gpu(monkeypatch) as used:
        there = train(folder, "there", *KINDS[kind])  # device: auto
        assert there.model.device.type == "cuda"
        assert there.record["made_with"]["device"] == "cuda"
        assert used() > 500
        for changes in (["search.beam=3"], ["search.sample=true", "search.top_k=3"], ["search.no_repeat=2"]):
            one, two = (mt.load(run.path, changes=changes).translate(lines, trace=True) for run in (here, there))
            assert [found.text for found in one] == [found.text for found in two]
            assert [found.log_probabilities for found in one] == [found.log_probabilities for found in two]
    mine, theirs = (checkpoint.read(run / "state.safetensors")[0] for run in (here, there))
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_what_is_read_off_given_pairs_comes_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = train(folder, "run", "device=cpu")
    pairs = run.splits["validation"]
    views = [View(Site(1)), View(Site(1), posterior=True)]
    read = load_aligner(run).forced(pairs, views)
    said = Scorer(run.model, run.tokenizers, run.config).score(pairs.sources, pairs.targets)
    slopes, gradients = gradient_times_input(run.model, said, 9), mean_gradients(run.model, [said])
    with simulated_gpu(monkeypatch):
        moved = Run(run.path)
        moved.__dict__["config"] = run.config.model_copy(update={"device": "cuda"})
        again = load_aligner(moved).forced(pairs, views)
        told = Scorer(moved.model, moved.tokenizers, moved.config).score(pairs.sources, pairs.targets, Look(Site(1)))
        slopes_there = gradient_times_input(moved.model, told, 9)
        gradients_there = {name: one.cpu() for name, one in mean_gradients(moved.model, [told]).items()}
    assert all(
        (a.matrix_TS == b.matrix_TS).all() for view in views for a, b in zip(read[view], again[view], strict=True)
    )
    assert all((a.entropies_T == b.entropies_T).all() for a, b in zip(said, told, strict=True))
    assert all((a == b).all() for a, b in zip(slopes, slopes_there, strict=True))
    assert gradients.keys() == gradients_there.keys()
    assert all(torch.equal(gradients[name], gradients_there[name]) for name in gradients)


def test_a_teacher_and_a_guide_teach_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = train(folder, "teacher", "device=cpu")
    links = write(folder / "links", "0-0\n" * len(teacher.splits["train"].sources))
    settings = [f"train.teacher.runs=[{teacher}]", f"train.guide.links={links}"]
    here = train(folder, "here", *settings, "device=cpu")
    with simulated_gpu(monkeypatch):
        there = train(folder, "there", *settings, "device=cuda")
    assert here.fingerprint == there.fingerprint


@pytest.mark.parametrize(("first", "second"), [("cuda", "cpu"), ("cpu", "cuda")])
def test_a_run_goes_on_on_another_device(
    first: str, second: str, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "mt")
    with simulated_gpu(monkeypatch):
        run = Run(folder / "half")
        started = read_config(folder / "numbers.yaml", [*FAST, f"device={first}"])
        trainer = experiment.begin(run, experiment.gather(started, run))
        trainer.update(trainer.part.batches[:1], 0.0)
        trainer.save()
        again = train(folder, "half", f"device={second}")
    assert "perhaps not bit for bit" in caplog.text
    assert again.is_finished
    assert again.config.device == second


def test_a_device_that_is_not_there_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UserError, match="device is mps, and PyTorch finds no such GPU here"):
        train(folder, "run", "device=mps")
    assert not (folder / "run").exists()
    caplog.set_level(logging.INFO, "mt")
    assert device.choose_for_run("mps").type == "cpu"
    assert "device=mps, which this machine has not" in caplog.text


def test_mixed_devices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated_gpu(monkeypatch):
        there = torch.ones(3, device="cuda")
        assert (there + torch.tensor(2.0)).device.type == "cuda"
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(3)
        with pytest.raises(TypeError, match="numpy"):
            there.numpy()
        assert there.cpu().numpy().sum() == 3
