"""The reference has a row for every diagnosis, with its unit and its ranges."""

import re
from pathlib import Path

import pytest

from mt.config import Config
from mt.lab.diagnosis import DIAGNOSES

PAGE = Path(__file__).parents[3] / "docs/reference/diagnosis.md"
ROW = re.compile(r"^\| `(\w+\.\w+)` \| (.+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def numbers(cell: str) -> set[float]:
    return {float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", cell)}


def test_every_diagnosis_has_its_row() -> None:
    rows = {row[0]: row[1:] for row in ROW.findall(PAGE.read_text(encoding="utf-8"))}
    assert list(rows) == list(DIAGNOSES)
    for name, (definition, unit, fine, broken) in rows.items():
        known = DIAGNOSES[name]
        assert definition.strip(), name
        assert unit == known.question.unit, name
        assert numbers(fine) == {bound for bound in known.bounds.fine if bound is not None}, name
        assert numbers(broken) == {bound for bound in known.bounds.broken if bound is not None}, name


def test_every_signal_that_is_watched_has_its_row() -> None:
    pytest.importorskip("fastapi")
    from mt.web.drift import MEANINGS

    rows = re.findall(r"^\| `(\w+)` \| .+ \| .* \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) >= set(MEANINGS)


def test_every_fine_value_is_fine_and_no_number_is_broken() -> None:
    for name, one in DIAGNOSES.items():
        assert {one.bounds.judge(bound) for bound in one.bounds.fine if bound is not None} <= {"fine"}, name
        assert one.bounds.judge(float("nan")) == "broken", name


def test_questions_and_keys_to_try() -> None:
    for name, one in DIAGNOSES.items():
        assert one.question.title.endswith("?"), name
        attempt = one.bounds.attempt
        assert attempt is None or attempt.split(".")[0] in Config.model_fields, name
