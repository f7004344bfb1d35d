"""Ask every question of a run, write what it says to RUN/diagnosis.json, and sum it up."""

import json
from collections.abc import Sequence
from typing import Any

from mt.core.device import set_threads
from mt.core.files import must_be_writable, write_text
from mt.core.progress import Meter
from mt.lab.diagnosis import DIAGNOSES
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.distributions import distributions, source_scripts
from mt.lab.diagnosis.finding import Finding, find
from mt.runs.names import DIAGNOSIS
from mt.runs.own import must_be_own

VERSION = 1
"""Of diagnosis.json."""
WORST = {"broken": 0, "look": 1}
LEARNED, CAUSES = "training.learned", ("training", "data")
CONSEQUENCES = (
    "What else is conspicuous ({}) may well follow from that: the model has learned too little to be asked about "
    "attention, search or translations. Train it first, and ask again."
)


def diagnose(case: Case) -> list[Finding]:
    """Return what every diagnosis finds, and write it to RUN/diagnosis.json.

    Raises UserError when the model cannot be read, or when the run that it is held against cannot be.
    """
    case.check()
    must_be_own(case.run)
    must_be_writable(case.run / DIAGNOSIS)
    set_threads(case.run.config.threads)
    meter, findings = Meter("diagnosing", "question", len(DIAGNOSES)), []
    for name, diagnosis in DIAGNOSES.items():
        findings.append(find(name, diagnosis, case))
        meter.add(1, note=name)
    meter.close()
    write_text(case.run / DIAGNOSIS, json.dumps(to_json(case, findings), indent=1, ensure_ascii=False) + "\n")
    return findings


def to_json(case: Case, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what RUN/diagnosis.json holds."""
    return {
        "version": VERSION,
        "split": case.split,
        "pairs": len(case.pairs.sources),
        "weights": case.run.fingerprint,
        "findings": [finding.to_json() for finding in findings],
        "summary": summarise(findings),
        "distributions": distributions(case),
        "source_scripts": sorted(source_scripts(case)),
    }


def summarise(findings: Sequence[Finding]) -> list[str]:
    """Return what the run suffers from, worst first; within a verdict in the order of DIAGNOSES.

    Of a model that has learned next to nothing only training and pairs are listed: the rest follows from that.
    """
    ill = sorted((one for one in findings if one.verdict in WORST), key=lambda one: WORST[one.verdict])
    left_out = 0
    if any(one.name == LEARNED and one.verdict == "broken" for one in ill):
        count, ill = len(ill), [one for one in ill if one.group in CAUSES]
        left_out = count - len(ill)
    attempts = [one.diagnosis.bounds.attempt for one in ill]
    told = [f"{one.says} Try {key}." if key else one.says for one, key in zip(ill, attempts, strict=True)]
    return told + [CONSEQUENCES.format(left_out)] * bool(left_out)


def describe(case: Case, findings: Sequence[Finding]) -> str:
    """Return all that the terminal shows of a diagnosis."""
    lines = [f"{case.run} on {case.split}, {len(case.pairs.sources)} pairs"]
    for one in findings:
        value = "" if one.value is None else f"{one.value:.4g} {one.diagnosis.question.unit}"
        lines.append(f"  {one.verdict:14} {one.name:28} {value:14} {one.says}")
    ill = summarise(findings)
    lines += ["", "What it suffers from, worst first:" if ill else "Nothing is conspicuous."]
    lines += [f"  {number}. {text}" for number, text in enumerate(ill, 1)]
    return "\n".join(lines)
