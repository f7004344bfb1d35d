"""Pairs that a user gives: two files, or a split of a run's corpus."""

from pathlib import Path

from mt.core.errors import UserError
from mt.core.text import read_sentences
from mt.corpora.pairs import Split
from mt.runs.run import Run


def read_given(run: Run, split: str | None, source: Path | None, target: Path | None) -> tuple[str | None, Split]:
    """Return two files as pairs; or the name of a split (unset: the main test split) and its pairs.

    Files are read as the run's corpus is. Raises UserError where they do not have as many lines.
    """
    if source is None or target is None:
        name = run.split_name(split)
        return name, run.splits[name]
    raw = getattr(run.config.corpus, "raw", False)
    sources, targets = ([line.strip() for line in read_sentences(side, raw=raw)] for side in (source, target))
    if len(sources) != len(targets):
        raise UserError(
            f"{source} has {len(sources):,} lines but {target} has {len(targets):,}: each line of one must be the "
            f"translation of the same line of the other"
        )
    return None, Split(sources, targets)
