"""Questions to runs and splits that are not as one would wish them: none is fatal, and each says why it cannot be."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import one_thread as one_thread
from toy_runs import RNN, config, write_run

from mt.core.errors import UserError
from mt.corpora.pairs import Split
from mt.inference.scorer import Scored
from mt.lab.diagnosis import DIAGNOSES
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.diagnose import diagnose
from mt.lab.diagnosis.distributions import distributions
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Measured, Question, find
from mt.lab.diagnosis.rated import Erased, erase
from mt.runs.run import Run

LOCAL = RNN | {"attention": {"width": 8, "wiring": "luong", "score": "general", "window": "local-p"}}
NONE = RNN | {"attention": {"score": "none"}}


def test_a_question_that_fails_is_told_and_the_others_are_asked(caplog: pytest.LogCaptureFixture) -> None:
    def fail(case: Case) -> Measured:
        raise ZeroDivisionError("division by zero")

    asked = Diagnosis(Question("Does it work?", "%"), Bounds((0, None), (0, None)), fail)
    found = find("use.nothing", asked, Case(Run("nowhere"), "test"))
    assert (found.verdict, found.value) == ("not applicable", None)
    assert found.says == "This could not be measured: ZeroDivisionError: division by zero"
    assert "use.nothing: This could not be measured" in caplog.text


@pytest.mark.parametrize("model", [LOCAL, NONE])
def test_three_pairs_are_enough_for_every_question(
    model: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows of local-p do not sum to one; without attention much does not apply; every value is a number of JSON."""
    run = Run(write_run(tmp_path / "run", config(model)))
    run.splits = {name: pairs.take(range(3 if name != "train" else 30)) for name, pairs in run.splits.items()}
    diagnose(Case(run, "test"))
    assert "could not be measured" not in caplog.text

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    told = json.loads((run / "diagnosis.json").read_text(), parse_constant=refuse)
    assert [one["name"] for one in told["findings"]] == list(DIAGNOSES)
    assert told["distributions"]["mean_log_probability"]["counts"]


def test_sources_that_are_all_the_same_cannot_be_held_against_others(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "run", config(RNN)))
    run.splits = {name: pairs.take([0] * 4) for name, pairs in run.splits.items()}
    for name in ("data.misaligned", "fails.unsupported"):
        found = find(name, DIAGNOSES[name], Case(run, "test"))
        assert found.says == "All sources are the same, so none can be held against others.", name


def test_outputs_of_two_pieces_have_no_step_with_both_neighbours() -> None:
    case = Case(Run("nowhere"), "test")
    matrix = np.full((3, 3), 1 / 3, np.float32)
    nothing = np.zeros(3, np.float32)
    read = Scored([5, 6, 3], [7, 8, 3], nothing, nothing, np.zeros(3, np.int64), matrix, nothing)
    case._known[erase] = [Erased(0, read, np.eye(2), np.eye(2), [[0], [1]])]
    found = find("faithful.step", DIAGNOSES["faithful.step"], case)
    assert found.says == "No output has three pieces, so no row of attention has both neighbours."


def test_a_run_is_held_against_another_of_its_languages_or_refused_at_once(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    twin = shutil.copytree(run, tmp_path / "twin")
    turned = write_run(tmp_path / "turned", config(RNN, source="en"))
    bare = write_run(tmp_path / "bare", config(RNN))
    (bare / "model.safetensors").unlink()
    for other, says in {
        run: "has the weights of .*run itself",
        twin: "has the weights of .*run itself",
        turned: "run translates de-en and .*turned en-de",
        bare: "has no trained model yet",
        tmp_path / "nowhere": "no such folder",
    }.items():
        with pytest.raises(UserError, match=says):
            diagnose(Case(Run(run), "test", quick=True, against=Run(other)))
    assert not (run / "diagnosis.json").exists()


def test_a_model_that_cannot_be_read_is_refused_at_once(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    (run / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"model\.safetensors is damaged"):
        diagnose(Case(Run(run), "test"))


def test_a_signal_that_is_no_number_does_not_lose_the_diagnosis(tmp_path: Path) -> None:
    """Weights may be so large that what is computed of them is infinite."""
    run = Run(write_run(tmp_path / "run", config(RNN, beam=1)))
    run.splits = {name: pairs.take([0, 1]) for name, pairs in run.splits.items()}
    run.model.get_parameter("decoder.word.bias").data.fill_(float("nan"))
    told = distributions(Case(run, "test"))
    assert {"source_pieces", "target_pieces"} <= set(told)
    assert "mean_log_probability" not in told


def test_a_target_that_training_has_is_shown_as_one(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "run", config(RNN)))
    known = run.splits["train"]
    mixed = Split(["neu", known.sources[1].upper(), "auch neu"], [known.targets[0], "new", "new, too"])
    run.splits = run.splits | {"test": mixed}
    found = find("data.overlap", DIAGNOSES["data.overlap"], Case(run, "test"))
    assert found.value == pytest.approx(100 * 2 / 3)
    assert [(one.source, one.note) for one in found.evidence] == [
        ("neu", "training has this target"),
        (known.sources[1].upper(), "training has this source"),
    ]
