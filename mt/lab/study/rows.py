"""What a study holds by now: an entry for each point and seed, read from the runs."""

from dataclasses import dataclass, field

from mt.lab.study.plan import Member, Plan, State
from mt.lab.study.score import folder_of, scores_of
from mt.runs.names import WEIGHTS
from mt.runs.scores import Scores

NAMES = {"as_it_is": "AER as it is", "shifted": "AER shifted", "posterior": "AER posterior", "chosen": "AER chosen"}


@dataclass(frozen=True)
class Entry:
    """What is known of a point with one seed."""

    seed: int
    run: str
    state: State
    parameters: int | None = None
    minutes: float | None = None
    greedy: float | None = None
    """BLEU of the best validation, by greedy search, and its loss."""
    loss: float | None = None
    scores: dict[str, Scores] = field(default_factory=dict)
    """By the name of the split."""
    folders: dict[str, str] = field(default_factory=dict)
    """Where these scores are, and what was scored."""


@dataclass(frozen=True)
class Row:
    """What is known of a point."""

    label: str
    changes: tuple[str, ...]
    splits: tuple[str, ...]
    """What is scored; the last is compared."""
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
    found: dict[str, Row] = {}
    for member in plan.members:
        point = member.point
        row = found.setdefault(point.label, Row(point.label, point.changes, member.splits, []))
        row.entries.append(_entry(plan, member))
    return list(found.values())


def _entry(plan: Plan, member: Member) -> Entry:
    run = member.run
    if not run.exists:
        return Entry(member.seed, str(run), "missing")
    best, last = run.best_validation, run.validations[-1:]
    config = member.config_of(run)
    found = {split: scores_of(run, config, split) for split in member.splits} if best else {}
    return Entry(
        member.seed,
        str(run),
        plan.state(member, run),
        parameters=run.parameters if (run / WEIGHTS).exists() else None,
        minutes=last[0]["seconds"] / 60 if last else None,
        greedy=best["validation_bleu"] if best else None,
        loss=best["validation_loss"] if best else None,
        scores={split: scores for split, scores in found.items() if scores},
        folders={split: str(folder_of(run, config, split)) for split, scores in found.items() if scores},
    )
