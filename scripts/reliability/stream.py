"""How `mt translate` stands a long stream: memory and speed as the lines go by, of a process of its own.

    python scripts/reliability/stream.py runs/toy
    python scripts/reliability/stream.py runs/toy --lines 20000 --ask "--alignments a --n-best 5"

Sources of the run's training text, again and again, are piped into the command; what it writes is read line by line.
The table is Markdown: its memory is what the process has in RAM when so many lines have come out.
"""

import itertools
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Annotated

import typer

from mt import cli
from mt.core.errors import UserError
from mt.runs.run import Run
from mt.views.markdown import tabulate

MARKS = (1_000, 10_000, 50_000, 100_000, 200_000)
Row = tuple[int, float, float]
"""Lines done, megabytes in RAM, lines a second from the start."""


def stream(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, such as runs/toy.")],
    lines: Annotated[int, typer.Option(min=1, help="How many lines are piped in.")] = MARKS[-1],
    ask: Annotated[str, typer.Option(help="Options of mt translate.")] = "--beam 1",
) -> None:
    """Measure it and print a table."""
    sources = [line for line in Run(run).splits["train"].sources if line.strip()]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mt", "translate", str(run.absolute()), *shlex.split(ask)]
        rows = measure(command, sources, lines, Path(folder))
    print(f"`mt translate RUN {ask}`, {lines:,} lines:\n\n{table(rows)}")


def measure(command: Sequence[str], sources: Sequence[str], lines: int, folder: Path) -> list[Row]:
    """Run the command in a folder over so many lines; return how it stood at each mark, and at the end."""
    marks, rows, done = {mark for mark in MARKS if mark < lines} | {lines}, list[Row](), 0
    several = "--n-best" in command or "-n" in command
    start, pipe = time.monotonic(), subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, text=True, encoding="utf-8") as process:
        assert process.stdin
        assert process.stdout
        feeding = threading.Thread(target=feed, args=(process.stdin, sources, lines), daemon=True)
        feeding.start()
        for written, line in enumerate(process.stdout, 1):
            before, done = done, int(line.partition("\t")[0]) if several else written
            if done != before and done in marks:
                rows.append((done, resident(process.pid), done / (time.monotonic() - start)))
        feeding.join()
    if process.returncode or done != lines:
        raise UserError(f"mt translate ended with {process.returncode} after {done} lines")
    return rows


def feed(pipe: IO[str], sources: Sequence[str], lines: int) -> None:
    """Write so many lines into a pipe, and close it."""
    with pipe:
        pipe.writelines(f"{line}\n" for line in itertools.islice(itertools.cycle(sources), lines))


def resident(process: int) -> float:
    """Return how many megabytes of RAM a process has now, as Linux tells."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def table(rows: Sequence[Row]) -> str:
    """Return the measurements as Markdown."""
    cells = [[f"{done:,}", f"{memory:.0f}", f"{rate:.0f}"] for done, memory, rate in rows]
    return tabulate(["lines done", "resident memory (MB)", "lines a second"], cells)


if __name__ == "__main__":
    cli.main(stream)
