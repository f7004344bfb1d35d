"""What a teacher says, against one model and one piece at a time; a student that cannot have it is told why."""

import math
import shutil
from pathlib import Path

import pytest
import torch
from conftest import mt, write_numbers
from tiny_models import batch
from tolerances import LOSS32, bound

from mt.config import Config
from mt.core.errors import UserError
from mt.core.special import BOS, PAD
from mt.runs import checkpoint
from mt.runs.run import Run
from mt.training import experiment
from mt.training.trainer import Trainer

CANDIDATES = 6
HALF = 2 * bound(1, torch.float16)
"""Once for the precision that shares are kept in, once for all of float32."""


@pytest.fixture(scope="module")
def runs(numbers: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two trained runs of one corpus: the second has blurred weights, so that the two do not agree."""
    other = tmp_path_factory.mktemp("teacher") / "other"
    shutil.copytree(numbers, other)
    weights, record = checkpoint.read(other / "model.safetensors")
    random = torch.Generator().manual_seed(1)
    blurred = {name: tensor + 0.1 * torch.randn(tensor.shape, generator=random) for name, tensor in weights.items()}
    checkpoint.save(other / "model.safetensors", blurred, record)
    return [numbers, other]


def student(runs: list[Path], folder: Path, **teacher: object) -> Trainer:
    settings = Run(runs[0]).config
    changed = settings.train.teacher.model_copy(
        update={"runs": tuple(map(str, runs)), "candidates": CANDIDATES} | teacher
    )
    train = settings.train.model_copy(update={"teacher": changed})
    return prepare(settings.model_copy(update={"train": train}), folder)


def prepare(tree: Config, folder: Path, resume: bool = False) -> Trainer:
    run = Run(folder)
    return experiment.begin(run, experiment.gather(tree, run, resume=resume))


def said(runs: list[Path], source: list[int], target: list[int]) -> list[dict[int, float]]:
    """The slow twin: each model steps by itself; the mean of their probabilities, the likeliest of it, scaled."""
    models = [Run(run).model for run in runs]
    states = [model.encode(*batch([source])) for model in models]
    rows = []
    for previous in [BOS, *target[:-1]]:
        total: dict[int, float] = {}
        for number, model in enumerate(models):
            memory, state = states[number]
            output, state = model.step(torch.tensor([[previous]]), state, memory)
            states[number] = memory, state
            logits = output.logits[0, 0].tolist()
            norm = math.fsum(math.exp(value) for value in logits)
            for piece, value in enumerate(logits):
                total[piece] = total.get(piece, 0.0) + math.exp(value) / norm / len(models)
        likeliest = sorted(total.items(), key=lambda item: -item[1])[:CANDIDATES]
        mass = math.fsum(share for _, share in likeliest)
        rows.append({piece: share / mass for piece, share in likeliest})
    return rows


@torch.inference_mode()
def test_lessons_are_what_the_models_say_one_piece_at_a_time(runs: list[Path], tmp_path: Path) -> None:
    job = student(runs, tmp_path / "student")
    rows = [3, 400, 17]
    given = job.part.pieces.batch(rows)
    candidates_BTC, shares_BTC = job.teacher.batch(rows, given.target_out_BT.shape[1], job.model.device)
    for place, row in enumerate(rows):
        pair = job.part.pieces.rows[row]
        expected = said(runs, pair["source"], pair["target"])
        for step, row_of in enumerate(expected):
            found = dict(zip(candidates_BTC[place, step].tolist(), shares_BTC[place, step].tolist(), strict=True))
            likely = {piece for piece, share in row_of.items() if share > 1e-3}
            assert likely <= found.keys()
            assert all(found[piece] == pytest.approx(row_of[piece], abs=HALF) for piece in likely)
            assert sum(found.values()) == pytest.approx(1, abs=HALF)
        assert not shares_BTC[place, len(expected) :].any()


def test_the_student_learns_from_its_lessons_and_the_corpus(runs: list[Path], tmp_path: Path) -> None:
    job = student(runs, tmp_path / "student", weight=0.7)
    checkpoint.set_weights(job.model, checkpoint.read(runs[1] / "model.safetensors")[0], runs[1])
    job.model.eval()
    rows, smoothing = job.part.batches[0], job.config.train.label_smoothing
    given = job.part.pieces.batch(rows)
    taught = job.teacher.batch(rows, given.target_out_BT.shape[1], job.model.device)
    logits = job.model(given.source_BS, given.mask_BS, given.target_in_BT).logits
    expected = 0.0
    for b, sentence in enumerate(given.target_out_BT.tolist()):
        for t, piece in enumerate(sentence):
            if piece == PAD:
                continue
            log_probs = logits[b, t].log_softmax(-1).tolist()
            own = (1 - smoothing) * log_probs[piece] + smoothing * sum(log_probs) / len(log_probs)
            theirs = sum(
                share * log_probs[candidate]
                for candidate, share in zip(taught[0][b, t].tolist(), taught[1][b, t].tolist(), strict=True)
            )
            expected -= 0.3 * own + 0.7 * theirs
    job.model.train = lambda: job.model  # no dropout
    loss = job.update([rows], 0.5).loss
    assert loss == pytest.approx(expected, rel=LOSS32)


def test_lessons_are_written_once_and_a_resumed_student_must_have_the_same(runs: list[Path], tmp_path: Path) -> None:
    file = tmp_path / "student/lessons.safetensors"
    job = student(runs, tmp_path / "student")
    job.save()
    before = file.stat().st_mtime_ns
    settings = job.config
    assert prepare(settings, tmp_path / "student", resume=True).teacher.digest == job.teacher.digest
    assert file.stat().st_mtime_ns == before
    for change in ({"runs": (str(runs[0]),)}, {"candidates": CANDIDATES + 1}):
        other = settings.train.teacher.model_copy(update=change)
        changed = settings.model_copy(update={"train": settings.train.model_copy(update={"teacher": other})})
        with pytest.raises(UserError, match="the data has changed"):
            prepare(changed, tmp_path / "student", resume=True)
    Run(tmp_path / "student").remove()
    assert not any((tmp_path / "student").iterdir())


def test_a_student_from_the_command_line(runs: list[Path], tmp_path: Path) -> None:
    config = write_numbers(tmp_path, 1200)
    short = "train", config, "train.epochs=1", "--run", tmp_path / "run"
    missing = mt(*short, "train.teacher.runs=[nowhere]")
    assert not (tmp_path / "run").exists()
    assert (missing.returncode, "nowhere is not a run directory" in missing.stderr) == (1, True)
    other = mt(*short, f"train.teacher.runs=[{runs[0]}]", "vocabulary.size=320")
    assert other.returncode == 1
    assert "has another vocabulary than its student" in other.stderr
    taught = mt(*short, f"train.teacher.runs=[{runs[0]},{runs[1]}]")
    assert taught.returncode == 0, taught.stderr
    shutil.move(tmp_path / "run", tmp_path / "moved")
    assert mt("translate", tmp_path / "moved", "eins zwei").returncode == 0
