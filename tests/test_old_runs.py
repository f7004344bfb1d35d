"""Runs made before this code was: they load, translate, align, are scored and are finished, as they were then.

tests/old_runs/ holds three small ones of the toy corpus, with what `mt eval` and `mt align` then wrote.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import mt

from mt.alignment.files import read_npz, read_pharaoh
from mt.evaluation.evaluate import evaluate
from mt.inference.load import load
from mt.runs.run import Run
from mt.runs.scores import read_scores

THEN = Path(__file__).parent / "old_runs"
NAMES = sorted(path.name for path in THEN.iterdir())
FLIPS = 1
"""Sentences of twelve that may differ: weights so little trained nearly tie, and processors add in other orders."""


@pytest.fixture(params=NAMES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """Return a run as it was, and a copy to work on."""
    shutil.copytree(THEN / request.param, tmp_path / request.param)
    return THEN / request.param, tmp_path / request.param


def test_there_is_a_recurrent_one_a_transformer_and_one_with_neighbours() -> None:
    assert NAMES == ["nearest", "rnn", "transformer"]


def test_it_translates_and_is_scored_as_then(old: tuple[Path, Path]) -> None:
    then, now = old
    lines = (then / "eval/test/sources.txt").read_text().splitlines()
    expected = (then / "eval/test/hypotheses.txt").read_text().splitlines()
    assert len(set(expected)) > 5
    found = [one.text for one in load(now).translate(lines)]
    assert sum(one != other for one, other in zip(found, expected, strict=True)) <= FLIPS
    before = read_scores(then / "eval/test")
    (now / "alignment.json").unlink()
    name, scores = evaluate(Run(now))
    assert before is not None
    assert name == "test"
    assert (now / "eval/test/sources.txt").read_text().splitlines() == lines
    if found == expected:
        assert replace(scores, outputs=None, seen=None, copied=None) == before
    assert scores.weights == before.weights
    assert (now / "alignment.json").exists()


def test_it_aligns_as_then(old: tuple[Path, Path]) -> None:
    then, now = old
    assert mt("align", now, "--split", "test", "--output", now / "again").returncode == 0
    for before, after in zip(read_npz(then / "align/test.npz"), read_npz(now / "again.npz"), strict=True):
        np.testing.assert_allclose(after, before, atol=2**-10)  # two roundings to float16, of numbers up to 1
    same = [
        one == other
        for one, other in zip(
            read_pharaoh(then / "align/test.pharaoh"), read_pharaoh(now / "again.pharaoh"), strict=True
        )
    ]
    assert same.count(False) <= FLIPS


def test_a_finished_training_is_known_to_be_finished(tmp_path: Path) -> None:
    shutil.copytree(THEN / "rnn", tmp_path / "rnn")
    done = mt("train", tmp_path / "rnn/config.yaml", "--run", tmp_path / "rnn", "--resume")
    assert done.returncode == 0
    assert "is already trained" in done.stderr


def test_an_old_state_is_gone_on_with(tmp_path: Path) -> None:
    """Its weights are written again from it, to the same fingerprint."""
    run = tmp_path / "rnn"
    shutil.copytree(THEN / "rnn", run)
    (run / "model.safetensors").unlink()
    assert mt("train", run / "config.yaml", "--run", run, "--resume").returncode == 0
    assert Run(run).fingerprint == Run(THEN / "rnn").fingerprint
