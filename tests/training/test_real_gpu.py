"""Where this machine has a GPU: what it trains and says comes close to the processor's. Skipped elsewhere."""

from pathlib import Path

import numpy as np
import pytest
import torch
from config_files import write
from conftest import write_numbers

from mt.config.files import read_config
from mt.inference.aligner import View, load_aligner
from mt.inference.scorer import Scorer
from mt.inference.translator import Translator
from mt.models.contract import Site
from mt.runs.run import Run
from mt.training import experiment

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU of NVIDIA or AMD")
LINES = ["eins zwei", "drei", "vier fünf sechs", "zwölf null eins acht"]
KINDS: dict[str, tuple[str, ...]] = {
    "bahdanau": ("model.attention.coverage=true", "train.coverage_loss=0.1"),
    "lexical": ("model.lexical=true", "search.nearest.count=4"),
    "local-p": ("model.attention={score: general, wiring: luong, window: local-p}",),
    "transformer": ("model={kind: transformer, width: 32, layers: 2, heads: 2, feedforward: 64}",),
}


def train(folder: Path, name: str, *overrides: str) -> Run:
    config = read_config(folder / "numbers.yaml", ["train.epochs=6", "threads=1", *overrides])
    assert experiment.train(config, folder / name)
    return Run(folder / name)


def moved(run: Run, device: str) -> Run:
    """Return the run as one that another device computes."""
    other = Run(run.path)
    other.__dict__["config"] = run.config.model_copy(update={"device": device})
    return other


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_numbers(tmp_path, 600)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_says_what_the_processor_says(kind: str, folder: Path) -> None:
    run = train(folder, "run", *KINDS[kind], "device=cuda")
    assert run.record["made_with"]["device"] == "cuda"
    pairs, view = run.splits["validation"], View(Site(1))
    read = {}
    for where in ("cpu", "cuda"):
        there = moved(run, where)
        assert there.model.device.type == where
        said = Scorer(there.model, there.tokenizers, there.config).score(pairs.sources, pairs.targets)
        read[where] = load_aligner(there).forced(pairs, [view])[view], [one.log_probabilities_T for one in said]
    for mine, theirs in zip(*(matrices for matrices, _ in read.values()), strict=True):
        np.testing.assert_allclose(mine.matrix_TS, theirs.matrix_TS, atol=1e-4)
    for mine, theirs in zip(*(logs for _, logs in read.values()), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-3)
    for beam in (1, 5):
        texts = [translate(moved(run, where), beam) for where in ("cpu", "cuda")]
        assert texts[0] == texts[1]


def translate(run: Run, beam: int) -> list[str]:
    settings = run.config.search.model_copy(update={"beam": beam})
    return [found.text for found in Translator(run.model.eval(), run.tokenizers, run.config).translate(LINES, settings)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_gpu_learns_what_the_processor_learns(kind: str, precision: str, folder: Path) -> None:
    here = train(folder, "here", *KINDS[kind], "device=cpu")
    there = train(folder, "there", *KINDS[kind], "device=cuda", f"train.precision={precision}")
    mine, theirs = (mean_loss(moved(run, "cpu")) for run in (here, there))
    assert mine < 2  # nats a piece: something was learned
    assert abs(theirs - mine) < 0.2 * mine + 0.05


def mean_loss(run: Run) -> float:
    """Return what a piece of the validation pairs costs, in nats."""
    pairs = run.splits["validation"]
    said = Scorer(run.model, run.tokenizers, run.config).score(pairs.sources, pairs.targets)
    return float(-np.concatenate([one.log_probabilities_T for one in said]).mean())


def test_a_run_goes_on_from_one_device_to_the_other(folder: Path) -> None:
    for first, second in (("cuda", "cpu"), ("cpu", "cuda")):
        run = Run(folder / first)
        started = read_config(folder / "numbers.yaml", ["train.epochs=2", f"device={first}"])
        trainer = experiment.begin(run, experiment.gather(started, run))
        trainer.update(trainer.part.batches[:1], 0.0)
        trainer.save()
        config = read_config(folder / "numbers.yaml", ["train.epochs=2", f"device={second}"])
        assert experiment.train(config, run.path, resume=True)
        assert Run(run.path).is_finished


def test_a_teacher_and_a_guide_teach_there(folder: Path) -> None:
    teacher = train(folder, "teacher", "device=cuda")
    links = write(folder / "links", "0-0\n" * len(teacher.splits["train"].sources))
    run = train(folder, "run", f"train.teacher.runs=[{teacher}]", f"train.guide.links={links}", "device=cuda")
    assert run.is_finished
