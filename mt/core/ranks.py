"""Which of the processes that train one run together this is, as torchrun says; one alone is the first of one."""

import os
from typing import TypeVar

T = TypeVar("T")


def rank() -> int:
    """Return this process's number: 0 is the first, which writes."""
    return int(os.environ.get("RANK", 0))


def count() -> int:
    """Return how many processes there are, on all machines."""
    return int(os.environ.get("WORLD_SIZE", 1))


def on_this_machine() -> int:
    """Return how many of them are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def restarts() -> int:
    """Return how often torchrun has started them anew, after one had failed."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))


def deal(things: list[T]) -> list[T]:
    """Return those of the things that are this process's: every count-th."""
    return things[rank() :: count()]
