"""The table of a study: a row for each point, with means and deviations over its seeds, as Markdown and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from mt.core.files import write_text
from mt.lab.study.plan import Member, Plan, State
from mt.lab.study.score import scores_of
from mt.runs.run import WEIGHTS
from mt.runs.scores import Scores

NAMES = {"as_it_is": "AER as it is", "shifted": "AER shifted", "posterior": "AER posterior", "chosen": "AER chosen"}


@dataclass(frozen=True)
class Entry:
    """What is known of a point with one seed."""

    seed: int
    run: str
    state: State
    parameters: int | None
    minutes: float | None
    greedy: float | None
    """BLEU of the best validation, by greedy search, and its loss."""
    loss: float | None
    scores: dict[str, Scores]
    """By the name of the split."""


@dataclass(frozen=True)
class Row:
    """What is known of a point."""

    label: str
    changes: tuple[str, ...]
    entries: list[Entry]

    @property
    def begun(self) -> list[Entry]:
        """The entries that have been validated at least once."""
        return [entry for entry in self.entries if entry.greedy is not None]

    def figures(self, split: str, metric: str) -> list[float]:
        """Return a score of each seed that has it, or a reading of AER by its name in NAMES."""
        found = []
        for scores in [entry.scores[split] for entry in self.entries if split in entry.scores]:
            if metric in scores.corpus:
                found.append(scores.corpus[metric].score)
            elif scores.alignment and metric in NAMES:
                found.append(getattr(scores.alignment, metric).aer)
        return found


def rows_of(plan: Plan) -> list[Row]:
    """Read what the runs of a study hold by now."""
    by_label: dict[str, list[Entry]] = {}
    for member in plan.members:
        by_label.setdefault(member.point.label, []).append(_entry(plan, member))
    return [Row(point.label, point.changes, by_label[point.label]) for point in plan.points]


def _entry(plan: Plan, member: Member) -> Entry:
    run = member.run
    if not run.exists:
        return Entry(member.seed, str(run), "missing", None, None, None, None, {})
    best, last = run.best_validation, run.validations[-1:]
    found = {split: scores_of(run, member.config_of(run), split) for split in member.splits} if best else {}
    return Entry(
        member.seed,
        str(run),
        plan.state(member, run),
        run.parameters if (run / WEIGHTS).exists() else None,
        last[0]["seconds"] / 60 if last else None,
        best["validation_bleu"] if best else None,
        best["validation_loss"] if best else None,
        {split: scores for split, scores in found.items() if scores},
    )


def write_table(plan: Plan, rows: list[Row]) -> str:
    """Write FOLDER/study.json and FOLDER/study.md; return the latter."""
    tree = {
        "study": plan.name,
        "baseline": plan.baseline,
        "split": plan.study.split,
        "metrics": plan.study.metrics,
        "points": [asdict(row) for row in rows],
    }
    write_text(plan.folder / "study.json", json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
    text = describe(plan, rows)
    write_text(plan.folder / "study.md", text)
    return text


def describe(plan: Plan, rows: list[Row]) -> str:
    """Return the points that have begun, as Markdown."""
    splits = list(dict.fromkeys(split for member in plan.members for split in member.splits))
    columns = [(split, metric) for split in splits for metric in _shown(plan, rows, split)]
    head = ["point", "seeds", "validation BLEU, greedy", "validation loss"]
    head += [f"{split} {NAMES.get(metric, metric)}" for split, metric in columns]
    head += ["parameters", "minutes"]
    lines = [head, ["---"] * len(head)]
    for row in [row for row in rows if row.begun]:
        cells = [row.label, ", ".join(_seed(entry) for entry in row.begun)]
        cells += [cell([entry.greedy for entry in row.begun]), cell([entry.loss for entry in row.begun], 3)]
        cells += [cell(row.figures(split, metric)) for split, metric in columns]
        known = [entry.parameters for entry in row.begun if entry.parameters]
        cells += [f"{max(known, default=0) / 1e6:.2f}M", cell([entry.minutes for entry in row.begun], 0)]
        lines.append(cells)
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([f"# Study: {plan.name}", "", body, "", *_notes(plan, rows)]) + "\n"


def _shown(plan: Plan, rows: Sequence[Row], split: str) -> list[str]:
    """Return what is shown of a split: of validation BLEU where another one is scored; and AER where there is gold."""
    last = split != "validation" or plan.study.split in (None, "validation")
    metrics = [*plan.study.metrics, *NAMES] if last else [plan.study.metrics[0]]
    return [metric for metric in metrics if any(row.figures(split, metric) for row in rows)]


def _seed(entry: Entry) -> str:
    return str(entry.seed) + " (unfinished)" * (entry.state == "unfinished")


def _notes(plan: Plan, rows: Sequence[Row]) -> list[str]:
    """Return what the figures are, below the table."""
    signatures: dict[str, Any] = {}
    for scores in [scores for row in rows for entry in row.entries for scores in entry.scores.values()]:
        signatures |= {name: one.signature for name, one in scores.corpus.items() if name in plan.study.metrics}
    notes = [f"* {metric}: `{signature}`" for metric, signature in signatures.items()]
    several = len(plan.study.seeds) > 1
    return [*notes, *(["* ± is the standard deviation over the seeds."] if several else [])]


def cell(values: Sequence[float | None], digits: int = 1) -> str:
    """Return a value, or the mean of several with their deviation; nothing where there is none."""
    known = [value for value in values if value is not None]
    if len(known) > 1:
        return f"{fmean(known):.{digits}f} ± {stdev(known):.{digits}f}"
    return f"{known[0]:.{digits}f}" if known else ""
