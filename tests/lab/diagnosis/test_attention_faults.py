"""The diagnoses of attention name each fault that was put into a run, and are silent on one without."""

from pathlib import Path

import pytest
from attention_runs import Late, diagnose, freeze_scores, train

from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.faithful import DIAGNOSES as FAITHFUL
from mt.lab.diagnosis.finding import find
from mt.runs.run import Run


def test_a_healthy_run_has_nothing(numbers: Path) -> None:
    found = diagnose(Run(numbers))
    assert {name: one.says for name, one in found.items() if one.verdict in {"look", "broken"}} == {}
    assert found["aligned.aer"].verdict == "not applicable"
    assert "no gold" in found["aligned.aer"].says
    assert found["use.uniform"].verdict == "fine"
    assert found["faithful.step"].verdict == "fine"


def test_rows_that_come_a_step_late_are_named(numbers: Path) -> None:
    run = Run(numbers)
    run.__dict__["model"] = Late(run.model).eval()  # where the run keeps what it has read
    step = diagnose(run)["faithful.step"]
    assert step.verdict == "broken"
    assert "a step late" in step.says


def test_attention_that_does_not_learn_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_scores(monkeypatch)
    found = diagnose(train(tmp_path, 2))
    assert found["use.loss"].verdict == "broken"
    assert found["use.loss"].value == pytest.approx(0, abs=1e-4)
    assert found["shape.entropy"].verdict == "broken"
    assert found["shape.entropy"].value == pytest.approx(100, abs=0.01)


def test_targets_of_other_sources_are_named(tmp_path: Path) -> None:
    found = diagnose(train(tmp_path, 3, shuffled=True))
    assert found["use.loss"].verdict == "broken"


def test_agreement_with_itself_is_whole(numbers: Path) -> None:
    case = Case(Run(numbers), "test", against=Run(numbers))
    found = find("faithful.agreement", FAITHFUL["agreement"], case)
    assert found.value == pytest.approx(100)
    assert find("faithful.agreement", FAITHFUL["agreement"], Case(Run(numbers), "test")).verdict == "not applicable"
