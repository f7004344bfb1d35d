"""Whether what a training wrote last is all there: a kill may come between the state and what follows from it."""

from pathlib import Path

from mt.core.errors import DamagedError
from mt.core.files import parse_file
from mt.core.manifest import must_be_whole
from mt.core.once import say_once
from mt.runs.header import read_record
from mt.runs.names import FILM, METRICS, UPDATES, WEIGHTS
from mt.runs.record import parse_validations
from mt.runs.run import Run


def is_settled(run: Run) -> bool:
    """Tell whether metrics.jsonl and model.safetensors are whole and those of the state; say what is not."""
    remedy = "it is written again from the state"
    if not all(_is_whole(run / name) for name in (FILM, UPDATES)):
        return False  # training says so, which goes on with what can be read
    try:
        metrics = parse_file(run / METRICS, remedy, parse_validations)
        must_be_whole(run / WEIGHTS, remedy)
        written = read_record(run / WEIGHTS, remedy).get("update")
    except DamagedError as error:
        say_once(str(error))
        return False
    best = run.best_validation
    settled = metrics == run.validations and (best is None or written == best["update"])
    if not settled:
        say_once(f"{run}: training ended before it had written all: {METRICS} and {WEIGHTS} follow from the state now")
    return settled


def _is_whole(path: Path) -> bool:
    try:
        if path.exists():
            must_be_whole(path)
    except DamagedError:
        return False
    return True
