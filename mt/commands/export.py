"""`mt export`: a run for engines that need no PyTorch."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from mt.commands.options import RunPath
from mt.config.exported import Engine, Weights

log = logging.getLogger("mt")


def export(
    run: RunPath,
    to: Annotated[Engine, typer.Option("--to", help="What will run it; CTranslate2 holds Transformers only.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The new folder. Unset: beside RUN, named RUN-ENGINE.")
    ] = None,
    weights: Annotated[
        Weights, typer.Option("--weights", help="How weights are kept; all but float32 for CTranslate2 only.")
    ] = "float32",
) -> None:
    """Write a model that translates without PyTorch: `mt translate FOLDER` then starts at once."""
    from mt.export.write import export_run
    from mt.runs.run import Run

    whole = run.resolve()
    folder = output or whole.parent / f"{whole.name}-{to}"
    export_run(Run(run), to, folder, weights)
    log.info("%s: exported for %s; `mt translate %s` uses it", folder, to, folder)
