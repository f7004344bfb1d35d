"""Progress of long work: a bar on a terminal, plain lines now and then in a log."""

import logging
import time
from collections.abc import Callable

from tqdm import tqdm

from mt.core import ranks

log = logging.getLogger("mt")
QUIET_SECONDS = 30  # between lines where there is no terminal
Progress = Callable[[int], object]
"""What is called with the number of things just done."""
OF_MORE = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{rate_fmt}{postfix}]"
"""A bar without the time left of itself, as that of more is told."""


class Pace:
    """The time left of work that has several meters, from the mean pace since this began at a fraction of it."""

    def __init__(self, fraction: float):
        self.first, self.start = fraction, time.monotonic()

    def left(self, fraction: float, *, sooner: bool = False) -> str:
        """Return the time left once a fraction is done, in words; `sooner`: it may end before all is done."""
        seconds = (time.monotonic() - self.start) / max(fraction - self.first, 1e-9) * (1 - fraction)
        return f"{'at most ' * sooner}{say_time(seconds)} left"


def say_time(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


class Meter:
    """Counts units (pairs, lines) with the rate, and up to a total, where that is known, with the time left."""

    def __init__(self, title: str, unit: str, total: int | None, done: int = 0):
        self.title, self.unit, self.total, self.done = title, unit, total, done
        silent = True if ranks.rank() else None  # None: where there is no terminal
        self.bar = tqdm(desc=title, total=total, initial=done, unit=unit, disable=silent, leave=False)
        self.tokens, self.start, self.first = 0, time.monotonic(), done
        self.spoke = self.start

    def add(self, units: int, tokens: int = 0, note: str = "", left: str = "") -> None:
        """Count so many units just done, with the target pieces they held and what else is to be shown.

        `left` is the time left of more than this meter counts, which is then told in place of its own.
        """
        self.done, self.tokens = self.done + units, self.tokens + tokens
        now = time.monotonic()
        rate = f"{self.tokens / (now - self.start):,.0f} tokens/s" if tokens else ""
        words = ", ".join(filter(None, (note, rate)))
        if left:
            self.bar.bar_format = OF_MORE
        self.bar.set_postfix_str(", ".join(filter(None, (words, left))), refresh=False)
        self.bar.update(units)
        if self.bar.disable and now - self.spoke > QUIET_SECONDS:
            self.spoke = now
            log.info("%s: %s%s", self.title, self._reached(now - self.start, left), f", {words}" if words else "")

    def _reached(self, seconds: float, left: str) -> str:
        """Return how many are done, and the time left or, where no total is known, the rate."""
        new = self.done - self.first
        if self.total is None:
            return f"{self.done} {self.unit}s, {new / seconds:.1f} {self.unit}s/s"
        left = left or f"{tqdm.format_interval(seconds / max(new, 1) * (self.total - self.done))} left"
        return f"{self.done} of {self.total} {self.unit}s, {left}"

    def clear(self) -> None:
        """Take the bar away until units are counted again, so that something can be printed."""
        self.bar.clear()

    def expect(self, total: int) -> None:
        """Count up to another total, now that more is known of it."""
        self.total = self.bar.total = total

    def say(self, text: str) -> None:
        """Print a line without breaking the bar."""
        self.clear()
        log.info(text)

    def close(self) -> None:
        """Remove the bar."""
        self.bar.close()
