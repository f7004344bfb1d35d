"""One process writes a run, or runs a study, at a time: a lock that dies with its process."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from mt.core.errors import UserError
from mt.core.files import make_folder
from mt.core.parse import parse_json
from mt.runs.names import LOCK, OWNER


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the lock of a run, or of a study, FOLDER/.lock, for a while.

    Raises UserError that names the process which holds it. The operating system frees the lock of a process that is
    killed; that of a machine which shares the disk it frees as its file system does.
    """
    make_folder(folder)
    owner, lock = folder / OWNER, filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise UserError(
            f"{folder} is being written by {_owner(owner)}: wait for it, stop it, or choose another folder"
        ) from None
    try:
        owner.write_text(json.dumps({"process": os.getpid(), "machine": socket.gethostname(), "since": time.time()}))
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def is_written(folder: Path) -> bool:
    """Tell whether a process on this machine that holds the lock of a folder is alive."""
    try:
        held = parse_json((folder / OWNER).read_text(encoding="utf-8"))
        if held["machine"] != socket.gethostname():
            return False
        os.kill(int(held["process"]), 0)
    except PermissionError:  # another user's
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def _owner(file: Path) -> str:
    """Return who holds the lock, in words; it may have begun or ended this moment."""
    try:
        held = parse_json(file.read_text(encoding="utf-8"))
        since = time.strftime("%H:%M:%S", time.localtime(held["since"]))
        return f"process {held['process']} on {held['machine']} (since {since})"
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "another process"
