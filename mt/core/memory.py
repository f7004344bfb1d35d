"""What is said where there is not enough memory."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mt.core.errors import UserError

SHORTAGE = re.compile(r"can't allocate memory|not enough memory|out of memory|Cannot allocate memory", re.IGNORECASE)
ASKED = re.compile(r"tried to allocate ([\d.]+) (bytes|[KMGT]iB)", re.IGNORECASE)
BEYOND = re.compile("Storage size calculation overflowed|array is too big|Maximum allowed dimension exceeded")
"""Of what no computer has."""
TRAINING = "lower train.batch_tokens or model.hidden"
SEARCHING = "lower search.batch or search.beam"


def is_shortage(error: BaseException) -> bool:
    """Tell whether an error is that of memory which this machine, or its GPU, has not: PyTorch raises RuntimeError."""
    if isinstance(error, MemoryError):
        return True
    told = str(error)
    return isinstance(error, RuntimeError) and bool(SHORTAGE.search(told) or BEYOND.search(told))


@contextmanager
def telling_shortage(remedy: str | Callable[[], str]) -> Iterator[None]:
    """Raise UserError with this remedy, or what it returns then, where a block has not enough memory."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        raise UserError(
            f"not enough memory{_asked(error)}: {remedy if isinstance(remedy, str) else remedy()}"
        ) from error


def _asked(error: BaseException) -> str:
    """Return in words how much more was asked for, where the error tells."""
    found = ASKED.search(str(error))
    if found is None:
        return ""
    size = (
        f"{int(found[1]) / 2**30:,.1f} GiB" if found[2] == "bytes" and found[1].isdigit() else f"{found[1]} {found[2]}"
    )
    return f" for {size} more"
