"""`mt datastore`: what nearest neighbours are looked up in."""

from mt.commands.options import RunPath


def datastore(run: RunPath) -> None:
    """Write what a run saw at each target piece of training, for search.nearest.count (Khandelwal et al. 2021)."""
    from mt.neighbours.datastore import write_datastore
    from mt.runs.lock import writing
    from mt.runs.run import DATASTORE, Run

    Run(run).must_exist()
    with writing(run):
        count = write_datastore(Run(run))
    print(f"{count:,} target pieces of the training split written to {run / DATASTORE}")
