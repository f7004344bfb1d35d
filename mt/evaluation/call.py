"""`mt.evaluate`: the command `mt eval`, as a function."""

from collections.abc import Sequence
from pathlib import Path

from mt.config.overrides import change, parse_changes
from mt.core.memory import SEARCHING, telling_shortage
from mt.evaluation.evaluate import Asked
from mt.evaluation.evaluate import evaluate as score
from mt.runs.run import Run
from mt.runs.scores import Scores, searched


def evaluate(run: str | Path | Run, split: str | None = None, changes: Sequence[str] = ()) -> Scores:
    """Score a split as `mt eval` does, and return its scores: `mt.evaluate("runs/toy").corpus["BLEU"].score`.

    Unset, the split is the corpus's main test split; `changes` are such as "search.beam=10". All is written to the run.
    Raises UserError, as the command tells mistakes.
    """
    scored = run if isinstance(run, Run) else Run(run)
    config = change(searched(scored.config), parse_changes(changes))
    with telling_shortage(SEARCHING):
        return score(scored, Asked(split, config))[1]
