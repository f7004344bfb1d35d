"""`mt score`: how likely a run finds given translations."""

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mt.commands.options import Files, RunPath, check_given, open_run


def score(
    run: RunPath,
    files: Files = None,
    split: Annotated[str | None, typer.Option(help="Pairs of the corpus. Unset: its main test split.")] = None,
    source: Annotated[Path | None, typer.Option(help="Instead of a split: a file, one sentence a line.")] = None,
    target: Annotated[Path | None, typer.Option(help="Its translation, line by line.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an object of JSON for each pair, with each of its pieces.")
    ] = False,
) -> None:
    """Print how likely a run finds given translations: log probability, that of a piece, the translation."""
    check_given(split, source, target, files)
    asked = open_run(run)
    from mt.evaluation.given import read_given
    from mt.evaluation.likelihood import describe, score_pairs

    _, pairs = read_given(asked, split, source, target)
    found, perplexity = score_pairs(asked, pairs)
    for one in found:
        mean = one.log_probability / len(one.pieces)
        print(
            json.dumps(asdict(one), ensure_ascii=False)
            if as_json
            else f"{one.log_probability:.4f}\t{mean:.4f}\t{one.target}"
        )
    logging.getLogger("mt").info("%s", describe(found, perplexity))
