"""What a diagnosis is, and what it finds."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal

from mt.core.errors import UserError
from mt.corpora.pairs import Split
from mt.lab.diagnosis.case import Case, DoesNotApplyError

log = logging.getLogger("mt")
Verdict = Literal["fine", "look", "broken", "not applicable"]
Range = tuple[float | None, float | None]
"""Lowest and highest; None: no bound."""


@dataclass(frozen=True)
class Evidence:
    """A sentence that shows what is meant."""

    source: str
    reference: str
    hypothesis: str
    note: str
    """What is to be seen in it."""


@dataclass(frozen=True)
class Measured:
    """What a diagnosis measured of a run."""

    value: float
    says: str
    """The value in a plain sentence, for someone who did not train the run."""
    evidence: tuple[Evidence, ...] = ()
    table: tuple[tuple[str, ...], ...] | None = None
    """More numbers: a head, then rows."""


def show(pairs: Split, notes: Iterable[tuple[int, str]], hypotheses: Sequence[str] = ()) -> tuple[Evidence, ...]:
    """Return pairs, given by number, each with what is to be seen in it, and its translation where these are given."""
    return tuple(
        Evidence(pairs.sources[row], pairs.targets[row], hypotheses[row] if hypotheses else "", note)
        for row, note in notes
    )


@dataclass(frozen=True)
class Question:
    """What a diagnosis asks."""

    title: str
    """The question, in plain words."""
    unit: str
    """Of the answer, such as "BLEU" or "%"."""
    paper: str | None = None


@dataclass(frozen=True)
class Bounds:
    """What an answer means."""

    fine: Range
    """Where the healthy runs of this project lie."""
    broken: Range
    """Beyond it a run is broken; between the two ranges it is to be looked at."""
    attempt: str | None = None
    """A key of the config to change when the verdict is not fine."""

    def judge(self, value: float) -> Verdict:
        """Return the verdict on a value. NaN is broken."""
        if _within(value, self.fine):
            return "fine"
        return "look" if _within(value, self.broken) else "broken"


@dataclass(frozen=True)
class Diagnosis:
    """An entry of DIAGNOSES."""

    question: Question
    bounds: Bounds
    measure: Callable[[Case], Measured]
    """Raises DoesNotApplyError."""


@dataclass(frozen=True)
class Finding:
    """What one diagnosis says of one run."""

    name: str
    diagnosis: Diagnosis
    verdict: Verdict
    says: str
    value: float | None = None
    evidence: tuple[Evidence, ...] = ()
    table: tuple[tuple[str, ...], ...] | None = None

    @property
    def group(self) -> str:
        """The group of DIAGNOSES that it belongs to."""
        return self.name.partition(".")[0]

    def to_json(self) -> dict[str, Any]:
        """Return an entry of RUN/diagnosis.json."""
        question, (low, high) = self.diagnosis.question, self.diagnosis.bounds.fine
        return {
            "name": self.name,
            "group": self.group,
            **asdict(question),
            "value": None if self.value is None or not isfinite(self.value) else self.value,
            "low": low,
            "high": high,
            "verdict": self.verdict,
            "says": self.says,
            "try": self.diagnosis.bounds.attempt,
            "evidence": [asdict(one) for one in self.evidence],
            "table": self.table,
        }


def find(name: str, diagnosis: Diagnosis, case: Case) -> Finding:
    """Return what a diagnosis finds. One that fails does not apply, and says why: the others are asked all the same."""
    try:
        found = diagnosis.measure(case)
    except Exception as reason:
        says = str(reason)
        if not isinstance(reason, (DoesNotApplyError, UserError)):
            says = f"This could not be measured: {type(reason).__name__}: {reason}"
            log.warning("%s: %s", name, says)
        return Finding(name, diagnosis, "not applicable", says)
    verdict = diagnosis.bounds.judge(found.value)
    return Finding(name, diagnosis, verdict, found.says, found.value, found.evidence, found.table)


def _within(value: float, allowed: Range) -> bool:
    low, high = allowed
    return (low is None or value >= low) and (high is None or value <= high) and value == value
