"""From runs to a report, and to its file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mt.core.errors import UserError
from mt.core.files import write_text
from mt.lab.report import scores, sentences
from mt.lab.report.blocks import Block
from mt.lab.report.figures import by_length, chosen, differences, differences_of_seeds, groups, sentence_scores, worst
from mt.lab.report.markdown import to_markdown
from mt.lab.report.page import to_html
from mt.lab.report.told import Told, read_runs
from mt.runs.run import Run


@dataclass(frozen=True)
class Report:
    """What is told of some runs."""

    title: str
    summary: Sequence[str]
    blocks: Sequence[Block]


def report(runs: Sequence[Run], split: str | None = None, texts: bool = True) -> Report:
    """Gather what the runs hold, and compare all with the first. Raises UserError where no run was scored.

    `texts`: whether sentences of the corpus are shown.
    """
    split, told, left_out = read_runs(runs, split)
    apart = differences(told)
    seeds = groups(told)
    over = differences_of_seeds(seeds) if apart and len(seeds) > 1 else {}
    each = sentence_scores(told)
    blocks = [
        *scores.scores(told, apart),
        *scores.seeds(seeds, over),
        *sentences.diagnosis(told, split, texts),
        *sentences.confidence(told, split),
        *scores.lengths(told, by_length(told)),
        *(sentences.attention(told, chosen(each, told[0].texts)) if texts else ()),
        *(sentences.worst(told, worst(each), each.tolist()) if texts else ()),
        *scores.training(told),
        *scores.configs(told),
        scores.signatures(told),
    ]
    title = f"{', '.join(one.name for one in told)} on {split}"
    return Report(title, [*scores.summary(told, apart, split), *_stale(told), *left_out], blocks)


def _stale(told: Sequence[Told]) -> list[str]:
    """Say whose scores are not of the weights that the run has now."""
    return [
        f"The scores of {one.name} are of earlier weights than the run has now: `mt eval {one.run}` renews them."
        for one in told
        if one.scores.weights[:1] != [one.run.fingerprint] and one.scores.weights
    ]


def to_json(made: Report) -> str:
    """Return the same as JSON: each block with its kind."""
    blocks: list[dict[str, Any]] = [{"kind": type(block).__name__} | asdict(block) for block in made.blocks]
    tree = {"title": made.title, "summary": list(made.summary), "blocks": blocks}
    return json.dumps(tree, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


FORMATS = {
    ".html": lambda made: to_html(made.title, made.summary, made.blocks),
    ".md": lambda made: to_markdown(made.title, made.summary, made.blocks),
    ".json": to_json,
}


def format_of(path: Path) -> str:
    """Return the format that a file's name asks for. Raises UserError for any other."""
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"cannot write {path}: the name of a report ends in {', '.join(FORMATS)}")
    return path.suffix.lower()


def write_report(made: Report, path: Path) -> None:
    """Write HTML, Markdown or JSON, as the name of the file ends."""
    write_text(path, FORMATS[format_of(path)](made))
