"""What a state was made with, held against what a training goes on with."""

import logging
from typing import Any

from mt.core.errors import UserError
from mt.runs.names import CONFIG, STATE
from mt.runs.run import Run

log = logging.getLogger("mt")


def must_belong(run: Run, then: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise UserError when a state is of other data or of another config; warn where bits may differ."""
    if then["data"] != now["data"]:
        raise UserError(f"the data has changed since {run} began: restore it, or start anew (--overwrite)")
    if then.setdefault("config", now["config"]) != now["config"]:  # older runs do not say
        raise UserError(
            f"{run / STATE} belongs to another experiment than the {CONFIG} beside it: restore the pair, or "
            f"start anew (--overwrite)"
        )
    if changed := sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key)):
        before, here = (", ".join(f"{key} {told.get(key, 'unset')}" for key in changed) for told in (then, now))
        log.warning("%s was made with %s, this is %s: it continues, but perhaps not bit for bit", run, before, here)
