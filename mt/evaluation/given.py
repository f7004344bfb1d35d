"""What a user gives to be scored: pairs as files, or a split of a run's corpus."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mt.core.errors import UserError
from mt.core.files import is_packed_by_name
from mt.core.text import read_sentences
from mt.corpora.pairs import Split
from mt.runs.names import SCORED
from mt.runs.run import Run
from mt.runs.scores import FILE, read_scores

log = logging.getLogger("mt")
NOT_IN_A_NAME = {*"+@/\\"}
"""The first two stand in the names of ensembles, and of the other searches of a study."""


@dataclass(frozen=True)
class Given:
    """What is translated and scored."""

    name: str
    pairs: Split
    training: Split | None
    """What the run was trained on; None where its corpus is not here."""
    more: Sequence[Sequence[str]] = ()
    """Further references."""
    files: tuple[str, ...] = ()
    """The source and its references, where it is no split."""


def split_of(run: Run, split: str | None) -> Given:
    """Return a split of the run's corpus; None is its main test split."""
    name = run.split_name(split)
    return Given(name, run.splits[name], run.splits["train"])


def read_test(run: Run, source: Path, targets: Sequence[Path], name: str | None = None) -> Given:
    """Return files as a test set: a source, and a reference or several, line by line.

    It is called as the source is, without the ending, where no name is given. Raises UserError where files do not have
    as many lines, where there are none, or where the name is that of a split.
    """
    raw, training, taken = is_raw(run), None, {"train", "validation", "test"}
    try:
        training, taken = run.splits["train"], taken | run.splits.keys()
    except UserError as error:
        log.warning("%s: what it was trained on is not here, so none of it is looked for in the test: %s", run, error)
    name = name or (source.with_suffix("") if is_packed_by_name(source) else source).stem
    _check_name(run, name, taken)
    sources, *references = (_read(file, raw) for file in (source, *targets))
    for target, lines in zip(targets, references, strict=True):
        must_be_as_many(str(source), sources, target, lines)
    for file, lines in zip((source, *targets), (sources, *references), strict=True):
        if not any(lines):
            raise UserError(f"{file} has {'only empty' if lines else 'no'} lines, so there is nothing to score")
    return Given(name, Split(sources, references[0]), training, references[1:], (str(source), *map(str, targets)))


def _check_name(run: Run, name: str, taken: set[str]) -> None:
    """Raise UserError where scores by this name would be taken for those of a split, or stand elsewhere."""
    if not name or name.startswith(".") or NOT_IN_A_NAME & {*name}:
        raise UserError(f"{name!r} cannot name a test set: give --name, of letters, digits and hyphens")
    scores = read_scores(run / SCORED / name)
    if name in taken or (scores and not scores.given):
        raise UserError(
            f"{name} is a split of the run's corpus, whose scores are in {run / SCORED / name / FILE}: give another "
            f"name, by --name"
        )


def read_given(run: Run, split: str | None, source: Path | None, target: Path | None) -> tuple[str | None, Split]:
    """Return two files as pairs; or the name of a split (unset: the main test split) and its pairs.

    Files are read as the run's corpus is. Raises UserError where they do not have as many lines.
    """
    if source is None or target is None:
        name = run.split_name(split)
        return name, run.splits[name]
    sources, targets = (_read(side, is_raw(run)) for side in (source, target))
    must_be_as_many(str(source), sources, target, targets)
    return None, Split(sources, targets)


def read_hypotheses(run: Run, file: Path, test: Given) -> list[str]:
    """Return what another system made of a test set. Raises UserError where that has not as many lines."""
    lines = _read(file, is_raw(run))
    must_be_as_many(test.files[0] if test.files else f"the split {test.name}", test.pairs.sources, file, lines)
    return lines


def must_be_as_many(source: str, sources: Sequence[str], target: Path, targets: Sequence[str]) -> None:
    """Raise UserError where two sides have not as many lines."""
    if len(sources) != len(targets):
        raise UserError(
            f"{source} has {len(sources):,} lines but {target} has {len(targets):,}: each line of one must be the "
            f"translation of the same line of the other"
        )


def is_raw(run: Run) -> bool:
    """Tell whether the run's corpus is read as it stands, markup or not."""
    return bool(getattr(run.config.corpus, "raw", False))


def _read(file: Path, raw: bool) -> list[str]:
    return [line.strip() for line in read_sentences(file, raw=raw)]
