"""What each peer's process runs around its translating: the same clocks for all. Only the standard library."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

Lines = list[str]
Translate = Callable[[Lines, int, int], int]
"""Lines, hypotheses of the beam and sentences at once; returns how many pieces came out, without </s>."""


def serve(start: Callable[[dict], Translate]) -> None:
    """Do what the standard input asks for, as JSON; write the figures as the last line of the standard output."""
    told = json.load(sys.stdin)
    translate, lines = start(told), told["lines"]
    translate(lines[:1], 5, 1)
    start_up, modes = cpu(), []
    for beam, batch in told["modes"]:
        chosen = lines if batch > 1 else lines[: told["alone"]]
        translate(chosen[: min(batch, 4)], beam, batch)
        before, clock = cpu(), time.perf_counter()
        pieces = translate(chosen, beam, batch)
        modes.append({"pieces": pieces, "cpu": cpu() - before, "wall": time.perf_counter() - clock})
    print(json.dumps({"start_up": start_up, "memory": largest_memory(), "modes": modes}))


def groups(lines: Lines, batch: int) -> list[Lines]:
    """Cut lines into batches."""
    return [lines[first : first + batch] for first in range(0, len(lines), batch)]


def cpu() -> float:
    """Return the seconds of CPU of this process since it began, all threads together."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def largest_memory() -> float:
    """Return the most memory that this process had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the process that started this one, too
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
