"""The three standard streams: in UTF-8 whatever the locale, there even where the shell has closed them."""

import errno
import io
import os
import sys
from typing import Literal, TextIO

UNWRITABLE = {errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC}
"""What says that standard output takes no more, where no name of a file stands beside it: other files have one."""


def open_streams() -> None:
    """Let standard output be UTF-8, and open what is closed (`<&-`, `>&-`), so that using it fails as such.

    A closed stream is none to Python: what is printed would go nowhere, with success, and errors to standard output.
    """
    sys.stdin = sys.stdin or _opened("r", os.O_WRONLY)
    sys.stdout = sys.stdout or _opened("w", os.O_RDONLY)
    sys.stderr = sys.stderr or _opened("w", os.O_WRONLY)  # into which anything vanishes
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")  # as names of files have any bytes
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


def drop(stream: TextIO) -> None:
    """Forget what waits to be written to a stream that cannot be written."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _opened(mode: Literal["r", "w"], access: int) -> TextIO:
    return open(os.open(os.devnull, access), mode, encoding="utf-8")
