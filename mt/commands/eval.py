"""`mt eval`: score a run."""

from typing import Annotated

import typer

from mt.commands.completion import complete_run
from mt.commands.options import CHANGES, RUNS, Others, open_run, split_first
from mt.config.overrides import change, parse_changes
from mt.core.errors import UsageError


def evaluate(
    run: Annotated[
        str | None, typer.Argument(help="A run directory. Unset: the one trained last.", autocompletion=complete_run)
    ] = None,
    overrides: Annotated[list[str] | None, typer.Argument(help=CHANGES)] = None,
    split: Annotated[str | None, typer.Option(help="Unset: the corpus's main test split.")] = None,
    plot: Annotated[
        bool, typer.Option("--plot", help="Also draw: the first sentence (PNG, SVG), the first 50 (HTML).")
    ] = False,
    papers: Annotated[
        bool, typer.Option("--papers", help="Also the papers' BLEU: lower case, Moses normalised and tokenized.")
    ] = False,
    novel: Annotated[
        bool, typer.Option("--novel", help="Also BLEU of the sources that no training source holds half of.")
    ] = False,
    confidence: Annotated[
        bool,
        typer.Option("--confidence", help="Also how well confidence tells good from bad; fits it on validation first."),
    ] = False,
    others: Others = None,
) -> None:
    """Score a run: BLEU, chrF, TER with intervals; AER where gold is known; everything written to the run."""
    name, given = split_first(run, overrides)
    changes = parse_changes(given)
    if "sample" in changes.get("search", {}):
        raise UsageError("search.sample: a split is scored by the best translations, never by samples")
    from mt.runs.run import latest
    from mt.runs.scores import searched

    scored = open_run(name) if name else latest(RUNS)
    config = change(searched(scored.config), changes)
    ensemble = tuple(open_run(other) for other in others or [])
    from mt.evaluation.evaluate import Asked, evaluate

    evaluate(scored, Asked(split, config, ensemble, plot, papers, novel, confidence))
