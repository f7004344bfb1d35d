"""`mt pack`: what a stranger needs of a run."""

from pathlib import Path
from typing import Annotated

import typer

from mt.commands.options import RunPath

PACKED = Path("packed")
"""Where packed runs are that have no other place."""


def pack(
    run: RunPath,
    to: Annotated[
        Path | None,
        typer.Option(
            help="A folder, or an archive: .zip, .tar, .tar.gz, .tgz. Unset: packed/NAME, as the run is named."
        ),
    ] = None,
) -> None:
    """Write what others need of a run: it translates, and is scored where its corpus is; nothing else of you is in it.

    Config, vocabularies, weights, scores, card and manifest are; state, cache, text of the corpus and absolute paths
    are not.
    """
    from mt.runs.packed import pack
    from mt.runs.run import Run

    packed = Run(run)
    print(f"packed as {pack(packed, to or PACKED / packed.name)}")
