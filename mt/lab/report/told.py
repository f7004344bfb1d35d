"""What runs hold already: scores, outputs, curves, diagnosis, confidence. Nothing is translated here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, TypeAdapter

from mt.config import ASIDE
from mt.config.tree import flatten
from mt.core.errors import UserError
from mt.core.files import read_json
from mt.evaluation.metrics import Texts, read_texts
from mt.runs.confidence import Fitted, read_fitted
from mt.runs.names import DIAGNOSIS, SCORED, UPDATES
from mt.runs.run import Run
from mt.runs.scores import Scores, read_scores
from mt.runs.updates import Line, read_updates


class Found(BaseModel):
    """What a report counts on in a finding; whatever else it has is shown as text."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    table: list[list[Any]] | None = None
    evidence: list[dict[str, Any]] | None = None


def _must_be_found(tree: dict[str, Any]) -> dict[str, Any]:
    Found.model_validate(tree)
    return tree


@dataclass(frozen=True)
class Diagnosed:
    """What a report needs of RUN/diagnosis.json."""

    weights: str
    split: str
    summary: list[str]
    findings: list[Annotated[dict[str, Any], AfterValidator(_must_be_found)]]


@dataclass(frozen=True)
class Told:
    """What one run says of itself, scored on the split of the report."""

    name: str
    run: Run
    folder: Path
    """RUN/eval/SPLIT."""
    scores: Scores
    texts: Texts
    diagnosis: Diagnosed | None
    """As its file has it; None where there is none, or where it is of other weights."""
    confidence: Fitted | None
    updates: Sequence[Line]
    """Of updates.jsonl; none where there is no such file, as in a packed run."""

    @property
    def config(self) -> dict[str, Any]:
        """The keys of its config with their values; of the search those that it was scored with."""
        tree = self.run.config.model_dump(exclude=ASIDE)
        return flatten(tree | {"search": tree["search"] | self.scores.search})


def read_runs(runs: Sequence[Run], split: str | None) -> tuple[str, list[Told], list[str]]:
    """Return the split, the runs that can be compared on it, and a sentence for each that cannot.

    Unset, the split is the first run's last test split that was scored, else validation. Raises UserError when no run
    was scored on it.
    """
    split = split or _scored_split(runs[0])
    told: list[Told] = []
    left_out = []
    names = _names(runs)
    for run in runs:
        run.must_exist()
        one = _read(names[run], run, split)
        if one is None:
            lacks = f"was packed without its translations of {split}" if run.is_packed else f"was not scored on {split}"
            left_out.append(f"{names[run]} {lacks}: `mt eval {run} --split {split}` scores it.")
        elif why := told and _differs(told, one):
            left_out.append(f"{one.name} {why}, so it is left out.")
        else:
            told.append(one)
    if not told:
        raise UserError(f"nothing to report: {' '.join(left_out)}")
    return split, told, left_out


def _differs(told: Sequence[Told], one: Told) -> str:
    """Return why a run cannot stand beside others, in words; nothing where it can."""
    first = told[0]
    if any(one.run.path.resolve() == other.run.path.resolve() for other in told):
        return "is a run that was named before"
    for what in ("references", "sources"):
        if getattr(one.texts, what) != getattr(first.texts, what):
            return f"was scored on other {what} than {first.name}"
    if one.texts.tokenize != first.texts.tokenize:
        return f"was scored with metrics.tokenize={one.texts.tokenize}, and {first.name} with {first.texts.tokenize}"
    return ""


def _names(runs: Sequence[Run]) -> dict[Run, str]:
    """Name each run by its folder, or by its whole path where two folders have one name."""
    short = [run.path.resolve().name for run in runs]
    return {run: name if short.count(name) == 1 else str(run) for run, name in zip(runs, short, strict=True)}


def _scored_split(run: Run) -> str:
    run.must_exist()
    names = sorted(path.parent.name for path in (run / SCORED).glob("*/scores.json"))
    found = [name for name in names if not {*"+@"} & {*name}]  # neither of ensembles nor of a study's other searches
    given = {name for name in found if (scores := read_scores(run / SCORED / name)) and scores.given}
    found = [name for name in found if name not in given] or found
    if not found:
        raise UserError(f"{run} was not scored yet: `mt eval {run}` scores it")
    return next((name for name in reversed(found) if name.startswith("test")), found[-1])


def _read(name: str, run: Run, split: str) -> Told | None:
    folder = run.scored(split)
    scores = read_scores(folder)
    if scores is None or (run.is_packed and not (folder / "hypotheses.txt").exists()):
        return None
    texts, updates = read_texts(folder, scores), read_updates(run / UPDATES)
    return Told(name, run, folder, scores, texts, read_diagnosis(run), read_fitted(run), updates)


def read_diagnosis(run: Run) -> Diagnosed | None:
    """Return what `mt diagnose` found of these weights; None where it has not looked.

    Raises UserError when its file is damaged.
    """
    path = run / DIAGNOSIS
    if not path.exists():
        return None
    remedy = f"delete it, and `mt diagnose {run}` writes it again"
    tree = read_json(path, remedy, TypeAdapter(Diagnosed).validate_python)
    return tree if tree.weights == run.fingerprint else None
