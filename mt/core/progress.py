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


class Meter:
    """Counts units (pairs, lines) up to a total, with the rate and the time left."""

    def __init__(self, title: str, unit: str, total: int, done: int = 0):
        self.title, self.unit, self.total, self.done = title, unit, total, done
        silent = True if ranks.rank() else None  # None: where there is no terminal
        self.bar = tqdm(desc=title, total=total, initial=done, unit=unit, disable=silent, leave=False)
        self.tokens, self.start, self.first = 0, time.monotonic(), done
        self.spoke = self.start

    def add(self, units: int, tokens: int = 0, note: str = "") -> None:
        """Count so many units just done, with the target pieces they held and what else is to be shown."""
        self.done, self.tokens = self.done + units, self.tokens + tokens
        now = time.monotonic()
        rate = f"{self.tokens / (now - self.start):,.0f} tokens/s" if tokens else ""
        words = ", ".join(filter(None, (note, rate)))
        self.bar.set_postfix_str(words, refresh=False)
        self.bar.update(units)
        if self.bar.disable and now - self.spoke > QUIET_SECONDS:
            self.spoke = now
            left = (now - self.start) / max(self.done - self.first, 1) * (self.total - self.done)
            log.info(
                "%s: %d of %d %ss, %s left%s",
                self.title,
                self.done,
                self.total,
                self.unit,
                tqdm.format_interval(left),
                f", {words}" if words else "",
            )

    def expect(self, total: int) -> None:
        """Count up to another total, now that more is known of it."""
        self.total = self.bar.total = total

    def say(self, text: str) -> None:
        """Print a line without breaking the bar."""
        self.bar.clear()
        log.info(text)

    def close(self) -> None:
        """Remove the bar."""
        self.bar.close()
