"""The table of a study: a row for each point, with means and deviations over its seeds, as Markdown and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from statistics import fmean, stdev
from typing import Any

from mt.core.files import write_text
from mt.evaluation.significance import Difference
from mt.lab.study.difference import Differences
from mt.lab.study.plan import Plan
from mt.lab.study.rows import NAMES, Entry, Row, rows_of
from mt.views.markdown import tabulate

INSIDE = " (≈)"
"""What marks a difference that is inside the noise."""
ALONE = "* Each point is judged by itself: of twenty that equal the baseline, one is called different by chance."


class Table:
    """The table of one study, written anew whenever a run has been done."""

    def __init__(self, plan: Plan):
        self.plan, self.differences = plan, Differences(plan)

    def write(self) -> str:
        """Read the runs, write FOLDER/study.json and FOLDER/study.md, and return the latter."""
        plan, rows = self.plan, rows_of(self.plan)
        found = self.differences.of(rows)
        text = describe(plan, rows, found)
        tree = {
            "study": plan.name,
            "baseline": plan.baseline,
            "split": plan.study.split,
            "metrics": plan.study.metrics,
            "points": [asdict(row) | {"difference": _tree(found.get(row.label))} for row in rows],
            "differences": {key: asdict(one) for key, one in self.differences.known.items()},
        }
        write_text(plan.folder / "study.json", json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
        write_text(plan.folder / "study.md", text)
        return text


def _tree(difference: Difference | None) -> dict[str, Any] | None:
    return asdict(difference) | {"inside_noise": difference.inside_noise} if difference else None


def describe(plan: Plan, rows: list[Row], found: dict[str, Difference]) -> str:
    """Return the points that have begun, as Markdown."""
    splits = list(dict.fromkeys(split for member in plan.members for split in member.splits))
    columns = [(split, metric) for split in splits for metric in _shown(plan, rows, split)]
    head = ["point", "seeds", "validation BLEU, greedy", "validation loss"]
    head += [f"{split} {NAMES.get(metric, metric)}" for split, metric in columns]
    head += ["parameters", "minutes", f"to {plan.baseline}"]
    lines = []
    for row in [row for row in rows if row.begun]:
        cells = [row.label, ", ".join(_seed(entry) for entry in row.begun)]
        cells += [cell([entry.greedy for entry in row.begun]), cell([entry.loss for entry in row.begun], 3)]
        cells += [cell(row.figures(split, metric)) for split, metric in columns]
        known = [entry.parameters for entry in row.begun if entry.parameters]
        cells += [f"{max(known, default=0) / 1e6:.2f}M", cell([entry.minutes for entry in row.begun], 0)]
        cells.append(say(found.get(row.label)))
        lines.append(cells)
    return "\n".join([f"# Study: {plan.name}", "", tabulate(head, lines), "", *_notes(plan, rows, found)]) + "\n"


def _shown(plan: Plan, rows: Sequence[Row], split: str) -> list[str]:
    """Return what is shown of a split: of validation BLEU where another one is scored; and AER where there is gold."""
    last = split != "validation" or plan.study.split in (None, "validation")
    metrics = [*plan.study.metrics, *NAMES] if last else [plan.study.metrics[0]]
    return [metric for metric in metrics if any(row.figures(split, metric) for row in rows)]


def _seed(entry: Entry) -> str:
    return f"{entry.seed} (unfinished)" if entry.state == "unfinished" else str(entry.seed)


def _notes(plan: Plan, rows: Sequence[Row], found: dict[str, Difference]) -> list[str]:
    """Return what the figures are, below the table."""
    signatures: dict[str, dict[str, None]] = {}
    for scores in [scores for row in rows for entry in row.entries for scores in entry.scores.values()]:
        for name in plan.study.metrics:
            if name in scores.corpus:
                signatures.setdefault(name, {})[f"`{scores.corpus[name].signature}`"] = None
    notes = [f"* {metric}: {', or '.join(known)}" for metric, known in signatures.items()]
    for row in rows:
        scored = sum(row.splits[-1] in entry.scores for entry in row.entries)
        if scored < len(row.entries) and (scored or row.label == plan.baseline):
            notes.append(
                f"* {row.label}: {scored} of {len(row.entries)} seeds are scored, and only these are compared."
            )
    several = len(plan.study.seeds) > 1
    if found:
        one = next(iter(found.values()))
        chance = "other seeds and other sentences" if several else "other sentences; nothing is said of other seeds"
        notes.append(
            f"* to {plan.baseline}: the difference in {one.metric}, with its 95 % interval over {chance}. "
            f"{'Less TER is better. ' * (one.metric == 'TER')}"
            f"{INSIDE.strip()} marks those that are inside the noise (p at least .05, {one.method})."
        )
        if len(found) > 1:
            notes.append(ALONE)
    return [*notes, *(["* ± is the standard deviation over the seeds."] if several else [])]


def say(one: Difference | None) -> str:
    """Return a difference with its interval, and its mark where it is inside the noise."""
    if one is None:
        return ""
    told = f"{one.delta:+.1f} ({one.low:+.1f} to {one.high:+.1f})"
    return told + INSIDE if one.inside_noise else told


def cell(values: Sequence[float | None], digits: int = 1) -> str:
    """Return a value, or the mean of several with their deviation; nothing where there is none."""
    known = [value for value in values if value is not None]
    if len(known) > 1:
        return f"{fmean(known):.{digits}f} ± {stdev(known):.{digits}f}"
    return f"{known[0]:.{digits}f}" if known else ""
