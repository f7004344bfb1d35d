"""`mt report`: one page about some runs."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from mt.commands.completion import complete_run
from mt.commands.options import open_run
from mt.core.files import must_be_writable

log = logging.getLogger("mt")


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="Run directories; all are held against the first.", autocompletion=complete_run
        ),
    ],
    output: Annotated[
        list[Path] | None, typer.Option("--output", "-o", help="FILE.html, FILE.md or FILE.json; may be given again.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Unset: the first run's last test split that was scored.")] = None,
    texts: Annotated[
        bool, typer.Option("--texts/--no-texts", help="Show sentences of the corpus, which may be somebody's own.")
    ] = True,
) -> None:
    """Write one page about some runs, for someone who did not train them. Nothing is translated for it."""
    asked = [open_run(run) for run in runs]
    from mt.lab.report.report import format_of, report, write_report

    paths = output or [Path("report.html")]
    for path in paths:
        format_of(path)  # a wrong name is told before the work, as is a place that cannot be written
        must_be_writable(path)
    made = report(asked, split, texts)
    for path in paths:
        write_report(made, path)
        log.info("written to %s", path)
