"""Whether a run may be written into: the Hub's cache holds what others have published, as they have published it."""

from mt.core.errors import UserError
from mt.runs.hub import is_on_hub
from mt.runs.run import Run


def is_own(run: Run) -> bool:
    """Tell whether a run is in a folder of the user's, and not in the Hub's cache (models--OWNER--NAME/snapshots/)."""
    return not is_on_hub(run.given) and run.path.absolute().parent.name != "snapshots"


def must_be_own(run: Run) -> None:
    """Raise UserError where a run that is to be written into is in the Hub's cache."""
    if not is_own(run):
        raise UserError(
            f"{run} is in the Hub's cache, where nothing is changed: `mt pack {run} --to runs/{run.name}` makes a copy "
            f"of it; give that"
        )
