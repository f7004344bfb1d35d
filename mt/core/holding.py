"""Locks that the system frees when a process ends, on what is open."""

from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def hold(opened: BinaryIO | int, *, wait: bool) -> None:
    """Lock an open file or folder until it is closed, where the system and its disk have such locks.

    Raises BlockingIOError where another process holds it, unless this one is to wait.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(opened, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a disk without locks
        return
