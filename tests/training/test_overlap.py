"""At its beginning training says which splits it has seen sentences of."""

import logging
from pathlib import Path

import pytest

from mt.config import Config
from mt.runs.run import Run
from mt.training.experiment import gather


def test_a_given_split_that_training_has_seen_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.WARNING, "mt")
    lines = [f"ein Satz {number} {chr(97 + number % 26) * 3}\ta sentence {number}\n" for number in range(120)]
    Path("train.tsv").write_text("".join(lines[:100]))
    Path("test.tsv").write_text("".join([*lines[100:], "EIN  Satz 1 bbb\tanother\n", "ein anderer\tA sentence 3\n"]))
    Path("validation.tsv").write_text("".join([*lines[100:], "EIN  Satz 1 bbb\tanother\n"]))
    files = {name: f"{name}.tsv" for name in ("train", "validation", "test")}
    corpus = {"name": "files", "source": "de", "target": "en", **files}
    gather(Config.model_validate({"corpus": corpus, "vocabulary": {"size": 300}}), Run(Path("run")))
    assert "training has a sentence of 2 of the 22 pairs of test" in caplog.text
    assert "of validation" not in caplog.text  # one of 21 is not above 5 %
