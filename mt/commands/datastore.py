"""`mt datastore`: what nearest neighbours are looked up in."""

from typing import Annotated, Literal

import typer

from mt.commands.options import RunPath, open_run


def datastore(
    run: RunPath,
    index: Annotated[
        Literal["exact", "faiss"] | None,
        typer.Option(help="For which search.nearest.index. Unset: that of the run's config."),
    ] = None,
) -> None:
    """Write what a run saw at each target piece of training, for search.nearest.count (Khandelwal et al. 2021)."""
    opened = open_run(run)
    from mt.neighbours.datastore import write_datastore
    from mt.runs.lock import writing
    from mt.runs.names import DATASTORE
    from mt.runs.own import must_be_own
    from mt.runs.run import Run

    must_be_own(opened)
    with writing(run):
        asked = Run(run)
        count = write_datastore(asked, index or asked.config.search.nearest.index)
    print(f"{count:,} target pieces of the training split written to {run / DATASTORE}")
