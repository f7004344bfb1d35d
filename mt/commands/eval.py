"""`mt eval`: score a run."""

from pathlib import Path
from typing import Annotated

import typer

from mt.commands.completion import complete_run
from mt.commands.options import CHANGES, Others, check_given, open_run, split_first
from mt.config.overrides import change, parse_changes
from mt.core.errors import UsageError
from mt.runs.names import RUNS

Confident = Annotated[
    bool,
    typer.Option("--confidence", help="Also how well confidence tells good from bad; fits it on validation first."),
]
Drawn = Annotated[bool, typer.Option("--plot", help="Also draw: the first sentence (PNG, SVG), the first 50 (HTML).")]
Papers = Annotated[
    bool, typer.Option("--papers", help="Also the papers' BLEU: lower case, Moses normalised and tokenized.")
]


def evaluate(
    run: Annotated[
        str | None, typer.Argument(help="A run directory. Unset: the one trained last.", autocompletion=complete_run)
    ] = None,
    overrides: Annotated[list[str] | None, typer.Argument(help=CHANGES)] = None,
    split: Annotated[str | None, typer.Option(help="Unset: the corpus's main test split.")] = None,
    plot: Drawn = False,
    papers: Papers = False,
    novel: Annotated[
        bool, typer.Option("--novel", help="Also BLEU of the sources that no training source holds half of.")
    ] = False,
    confidence: Confident = False,
    others: Others = None,
    source: Annotated[Path | None, typer.Option(help="Instead of a split: a file, one sentence a line.")] = None,
    target: Annotated[
        list[Path] | None, typer.Option(help="Its translation by people, line by line; each --target is one more.")
    ] = None,
    called: Annotated[
        str | None, typer.Option("--name", help="What --source is called in the run. Unset: as its file is.")
    ] = None,
    hypotheses: Annotated[
        list[Path] | None,
        typer.Option(help="What another system made of the same, line by line: scored, and compared with the run."),
    ] = None,
) -> None:
    """Score a run: BLEU, chrF, TER with intervals; AER where gold is known; everything written to the run."""
    check_given(split, source, target)
    if called and not source:
        raise UsageError("--name says what the test set of --source is called: give that too")
    name, given = split_first(run, overrides)
    changes = parse_changes(given)
    if "sample" in changes.get("search", {}):
        raise UsageError("search.sample: a split is scored by the best translations, never by samples")
    from mt.runs.run import latest
    from mt.runs.scores import searched

    scored = latest(RUNS) if name is None else open_run(name)
    config = change(searched(scored.config), changes)
    ensemble = tuple(open_run(other) for other in others or [])
    from mt.evaluation.evaluate import Asked, evaluate
    from mt.evaluation.given import read_test
    from mt.evaluation.theirs import compare_theirs

    test = read_test(scored, source, target, called) if source and target else None
    asked = Asked(split, config, ensemble, plot, papers, novel, confidence, given=test)
    if hypotheses:
        compare_theirs(scored, asked, hypotheses)
    else:
        evaluate(scored, asked)
