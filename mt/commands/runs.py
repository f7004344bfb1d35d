"""`mt runs`: what runs there are."""

from pathlib import Path
from typing import Annotated

import typer

from mt.runs.names import RUNS


def runs(folder: Annotated[Path, typer.Argument(help="Where runs are.")] = RUNS) -> None:
    """List runs: how far each is, how it scored, how large it is, and the command that comes next."""
    from mt.lab.overview import overview

    print(overview(folder))
