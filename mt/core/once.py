"""What is said once in a process, however often it is noticed."""

import functools
import logging


@functools.cache
def say_once(text: str) -> None:
    """Log a line, unless it has been logged before."""
    logging.getLogger("mt").warning("%s", text)
