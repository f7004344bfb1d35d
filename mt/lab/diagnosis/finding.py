"""What a diagnosis is, and what it finds."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mt.core.errors import UserError
from mt.corpora.pairs import Split
from mt.lab.diagnosis.case import Case

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


class DoesNotApplyError(Exception):
    """Raised by a diagnosis that makes no sense of a run; the message is the sentence that says why."""


@dataclass(frozen=True)
class Diagnosis:
    """An entry of DIAGNOSES: one question, and what its answers mean."""

    title: str
    """The question, in plain words."""
    unit: str
    """Of the value, such as "BLEU" or "%"."""
    fine: Range
    """Where the healthy runs of this project lie."""
    broken: Range
    """Beyond it a run is broken; between the two ranges it is to be looked at."""
    measure: Callable[[Case], Measured]
    """Raises DoesNotApplyError."""
    attempt: str | None = None
    """A key of the config to change when the verdict is not fine."""
    paper: str | None = None

    def judge(self, value: float) -> Verdict:
        """Return the verdict on a value. NaN is broken."""
        if _within(value, self.fine):
            return "fine"
        return "look" if _within(value, self.broken) else "broken"


@dataclass(frozen=True)
class Finding:
    """What one diagnosis says of one run: an entry of RUN/diagnosis.json."""

    name: str
    title: str
    unit: str
    value: float | None
    verdict: Verdict
    says: str
    fine: Range
    attempt: str | None
    paper: str | None
    evidence: tuple[Evidence, ...] = ()
    table: tuple[tuple[str, ...], ...] | None = None


def find(name: str, diagnosis: Diagnosis, case: Case) -> Finding:
    """Return what a diagnosis finds. One that fails does not apply, and says why: the others are asked all the same."""
    about = (diagnosis.fine, diagnosis.attempt, diagnosis.paper)
    try:
        measured = diagnosis.measure(case)
    except Exception as reason:
        says = str(reason)
        if not isinstance(reason, (DoesNotApplyError, UserError)):
            says = f"This could not be measured: {type(reason).__name__}: {reason}"
            log.warning("%s: %s", name, says)
        return Finding(name, diagnosis.title, diagnosis.unit, None, "not applicable", says, *about)
    verdict = diagnosis.judge(measured.value)
    value = measured.value
    return Finding(
        *(name, diagnosis.title, diagnosis.unit, value, verdict, measured.says, *about),
        evidence=measured.evidence,
        table=measured.table,
    )


def _within(value: float, allowed: Range) -> bool:
    low, high = allowed
    return (low is None or value >= low) and (high is None or value <= high) and value == value
