"""Training programs that tell only their log how far they are: what they took between two of its lines."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from peers import Usage

from mt.core.errors import UserError


def watch(
    command: Sequence[object],
    cwd: Path,
    environment: Mapping[str, str],
    line: re.Pattern[str],
    count: Callable[..., int],
) -> Usage:
    """Run a command; return what it took from the first line of its log that matches to the last one.

    `count` gets a match and the seconds since the one before, and returns the pieces of that time. Linux only.
    """
    moments: list[tuple[int, float, float]] = []
    with subprocess.Popen(
        [*map(str, command)],
        cwd=cwd,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        for said in process.stdout:
            if match := line.search(said):
                clock = time.perf_counter()
                pieces = count(match, clock - moments[-1][2] if moments else 0.0)
                moments.append((pieces, _cpu(process.pid), clock))
    if process.returncode or len(moments) < 2:
        raise UserError(f"{command[0]} failed ({process.returncode}): {said.strip()[:300]}")
    return Usage(
        sum(pieces for pieces, _, _ in moments[1:]), moments[-1][1] - moments[0][1], moments[-1][2] - moments[0][2]
    )


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
