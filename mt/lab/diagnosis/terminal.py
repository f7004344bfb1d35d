"""A diagnosis for the terminal: the short list, then every finding in a line."""

from collections.abc import Sequence

from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.diagnose import summarise
from mt.lab.diagnosis.finding import Finding


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
