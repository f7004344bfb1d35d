"""Sections of a report that show sentences, and what `mt diagnose` and `mt eval --confidence` wrote."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from mt.core.errors import DamagedError
from mt.core.files import read_lines
from mt.core.parse import parse_json
from mt.evaluation.significance import LEVEL
from mt.lab.report.blocks import Block, Chart, Heading, HeatMap, Sentence, Table
from mt.lab.report.told import Told
from mt.runs.confidence import Figure

ALIGNMENTS = "alignments.jsonl"
Weight = Annotated[float, Field(ge=0, le=1 + 1e-3)]
WORDS = TypeAdapter(tuple[list[str], list[str], list[list[Weight]]])
MARKS = {"fine": "fine", "look": "look", "broken": "BROKEN", "not applicable": "does not apply"}


def attention(told: Sequence[Told], rows: Sequence[tuple[int, str]]) -> Iterator[Block]:
    """Show what all runs looked at in some sentences."""
    if not rows:
        return
    maps = {one.name: _matrices(one, [row for row, _ in rows]) for one in told}
    says = ["Each row is a word that was written, each column a word that was read. Dark means: it looked there."]
    says += [f"{name} has no attention to show." for name, found in maps.items() if not found]
    yield Heading("What the runs look at", says)
    for row, why in rows:
        found = [HeatMap(name, *of[row]) for name, of in maps.items() if row in of]
        yield _sentence(told, row, f"{why} (number {row + 1})", "", found)


def worst(told: Sequence[Told], rows: Sequence[int], scores: Sequence[Sequence[float]]) -> Iterator[Block]:
    """Show the sentences that the runs translate worst."""
    yield Heading(
        "The worst sentences",
        ["They are those of the lowest chrF, on average over the runs. References may be at fault, too."],
    )
    for row in rows:
        note = ", ".join(f"{one.name}: chrF {scores[number][row]:.0f}" for number, one in enumerate(told))
        yield _sentence(told, row, f"Sentence {row + 1}", note)


def _sentence(told: Sequence[Told], row: int, title: str, note: str, maps: Sequence[HeatMap] = ()) -> Sentence:
    outputs = {one.name: one.texts.hypotheses[row] for one in told}
    return Sentence(title, told[0].texts.sources[row], told[0].texts.references[row], outputs, note, maps)


def _matrices(one: Told, rows: Sequence[int]) -> dict[int, tuple[list[str], list[str], list[list[float]]]]:
    """Return source words, target words and weights of some sentences; nothing for a model without attention."""
    path = one.folder / ALIGNMENTS
    if not path.exists():
        return {}
    found, remedy = {}, f"delete {one.folder}, and score the split again"
    for row, line in enumerate(read_lines(path, remedy)):
        if row in rows:
            try:
                words = _words(parse_json(line))
            except (ValueError, KeyError, TypeError) as error:
                raise DamagedError(path, remedy, error) from error
            if words[2]:
                found[row] = words
    return found


def _words(record: Any) -> tuple[list[str], list[str], list[list[float]]]:
    """Return source words, target words and weights. Raises ValueError where they do not fit."""
    sources, targets, weights = WORDS.validate_python((record["source_words"], record["target_words"], record["words"]))
    if [len(row) for row in weights] not in ([], [len(sources) + 1] * len(targets)):
        raise ValueError("its weights do not fit its words")
    return sources, targets, weights


def diagnosis(told: Sequence[Told], split: str, texts: bool = True) -> Iterator[Block]:
    """Show what `mt diagnose` found of each run, side by side; `texts`: with the sentences that show it."""
    known = {one.name: one.diagnosis for one in told if one.diagnosis}
    says = [
        f"{one.name} was not diagnosed with these weights: `mt diagnose {one.run}` does it."
        for one in told
        if not one.diagnosis
    ]
    for name, one in known.items():
        says += [f"{name}: {line}" for line in one.summary] or [f"{name}: nothing is wrong as far as was asked."]
    others = {name: one.split for name, one in known.items() if one.split != split}
    says += [f"{name} was diagnosed on {other}, not on {split}." for name, other in others.items()]
    yield Heading("What the runs suffer from", says)
    findings = {name: {str(each.get("name")): each for each in one.findings} for name, one in known.items()}
    if not any(findings.values()):
        return
    yield from _answers(findings)
    for run, found in findings.items():
        yield from _details(run, found.values(), texts)


def _answers(findings: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[Block]:
    """Tabulate the answers of all runs: in sight those that are not fine, folded all."""
    names = dict.fromkeys(name for found in findings.values() for name in found)
    rows = dict[str, list[str]]()
    for name in names:
        any_of = next(found[name] for found in findings.values() if name in found)
        cells = (_verdict(found.get(name)) for found in findings.values())
        rows[name] = [str(any_of.get("title", name)), _range(any_of), *cells]
    ill = [name for name in names if any(_is_ill(found.get(name, {})) for found in findings.values())]
    head = ["question", "healthy", *findings]
    if ill:
        yield Table("Answers that are not fine", head, [rows[name] for name in ill])
    yield Table("All questions and answers", head, [*rows.values()], folded=True)


def _is_ill(finding: Mapping[str, Any]) -> bool:
    return finding.get("verdict") in {"look", "broken"}


def _details(run: str, findings: Iterable[Mapping[str, Any]], texts: bool) -> Iterator[Block]:
    ill = [one for one in findings if _is_ill(one)]
    if ill:
        head = ["question", "what was found", "key to try", "paper"]
        rows = [[str(one.get(key) or "–") for key in ("title", "says", "try", "paper")] for one in ill]
        yield Table(f"What to do about {run}", head, rows, folded=True)
    for one in ill:
        evidence = one.get("evidence") or []
        if evidence and texts:
            keys = ("source", "reference", "hypothesis", "note")
            rows = [[str(each.get(key, "")) for key in keys] for each in evidence]
            yield Table(f"{run}, evidence: {one.get('title', '')}", keys, rows, folded=True)
        if one.get("table"):
            head, *rest = ([str(cell) for cell in row] for row in one["table"])
            yield Table(f"{run}: {one.get('title', '')}", head, rest, folded=True)


def _verdict(finding: Mapping[str, Any] | None) -> str:
    if finding is None:
        return "–"
    verdict = MARKS.get(str(finding.get("verdict")), str(finding.get("verdict")))
    value = finding.get("value")
    return verdict if value is None else f"{_round(value)} {finding.get('unit', '')} ({verdict})"


def _round(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _range(finding: Mapping[str, Any]) -> str:
    low, high, unit = finding.get("low"), finding.get("high"), finding.get("unit", "")
    if low is None and high is None:
        return "–"
    if low is None or high is None:
        return f"at most {high:g} {unit}" if low is None else f"at least {low:g} {unit}"
    return f"{low:g} to {high:g} {unit}"


def confidence(told: Sequence[Told], split: str) -> Iterator[Block]:
    """Draw how well each run knows which of its sentences are good."""
    measured = {one.name: one.confidence and one.confidence.measured.get(split) for one in told}
    says = ["A run that knows its bad sentences lets a human mend those and pass the others on untouched."]
    says += [
        f"{one.name} has no confidence measured on {split}: `mt eval {one.run} --split {split} --confidence` does it."
        for one in told
        if not measured[one.name]
    ]
    yield Heading("Which sentences can be trusted", says)
    known = {name: found for name, found in measured.items() if found}
    passed = {name: [(100 * share, ter) for share, ter in found.pass_on] for name, found in known.items()}
    if passed:
        title = "TER of the sentences that are passed on untouched"
        yield Chart(title, "share passed on, the surest first, %", "TER", passed)
    reliable = {
        name: [(100 * stated, 100 * true) for stated, true, _ in found.reliability] for name, found in known.items()
    }
    if reliable:
        title = (
            "How often a sentence is good enough that is said to be (on the thin straight line, what is said is true)"
        )
        yield Chart(title, "probability that is said, %", "good enough, %", reliable, diagonal=True)
    labels = dict.fromkeys(
        label for found in known.values() for label, one in found.figures.items() if one.value is not None
    )
    rows = [[label, *(_figure(found.figures.get(label)) for found in known.values())] for label in labels]
    if rows:
        yield Table(f"How well confidence does, with {100 * (1 - LEVEL):.0f} % intervals", ["figure", *known], rows)


def _figure(one: Figure | None) -> str:
    if one is None or one.value is None:
        return "–"
    return f"{one.value:#.3g}" if one.low is None else f"{one.value:#.3g} [{one.low:#.3g}, {one.high:#.3g}]"
