"""Whether memory and open files stay as they are while one process trains, scores and translates again and again.

    python scripts/reliability/soak.py --minutes 60 --output docs/experiments/reliability/soak.md

Each cycle trains a small run on the toy grammar from nothing, scores it, and translates with alignments: the commands
themselves, in this process. A table in Markdown has the first cycles, which load what is loaded once, and later ones.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from mt import cli
from mt.core.errors import UserError
from mt.core.files import write_text
from mt.views.markdown import tabulate

SMALL = ["train.epochs=2", "train.batch_tokens=400", "train.warmup=5", "corpus.pairs=600", "corpus.held_out=60"]
SMALL += ["model.hidden=32", "model.embedding=32"]
ROWS = 6
"""Of the table, after the first cycle."""


class Taken(NamedTuple):
    """What the process holds after so many cycles."""

    cycle: int
    minutes: float
    memory: float
    """In MB."""
    files: int
    threads: int


def soak(
    minutes: Annotated[float, typer.Option(min=0, help="As long as cycles begin.")] = 60,
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Cycle, measure and tabulate."""
    if not Path("/proc/self/statm").exists():
        raise UserError("this system does not tell by /proc what a process holds: run it on Linux")
    start, taken = time.monotonic(), list[Taken]()
    with tempfile.TemporaryDirectory() as folder:
        while not taken or time.monotonic() < start + 60 * minutes:
            cycle(Path(folder, "run"), Path(folder, "out"))
            taken.append(take(len(taken) + 1, (time.monotonic() - start) / 60))
            print(*taken[-1], sep="\t", file=sys.stderr, flush=True)
    page = tell(taken)
    if output:
        write_text(output, page)
    print(page, end="")


def cycle(run: Path, output: Path) -> None:
    """Train, score and translate once, and take the run away; alignments are written over those before."""
    lines = [f"Die Katze schläft {number} Mal ." for number in range(50)]
    for command in (
        ["train", "toy", *SMALL, "--run", str(run)],
        ["eval", str(run)],
        ["translate", str(run), "--alignments", str(output), *lines],
    ):
        call(command)
    shutil.rmtree(run)


def call(command: list[str]) -> None:
    """Run one command in this process, without what it prints. Raises UserError where it fails."""
    before, sys.argv = sys.argv, ["mt", *command]
    try:
        with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
            cli.main()
    except SystemExit as end:
        if end.code:
            raise UserError(f"`mt {command[0]}` ended with {end.code}") from end
    finally:
        sys.argv = before


def take(number: int, minutes: float) -> Taken:
    """Return what this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = len(os.listdir("/proc/self/fd")) - 1  # without that of the folder itself
    return Taken(number, minutes, pages * os.sysconf("SC_PAGE_SIZE") / 1e6, files, threading.active_count())


def tell(taken: list[Taken]) -> str:
    """Return the table, and how much memory grows by over the second half."""
    chosen = sorted({0, *((len(taken) - 1) * row // ROWS for row in range(1, ROWS + 1))})
    rows = [
        [f"{one.cycle:,}", f"{one.minutes:.0f}", f"{one.memory:,.0f}", str(one.files), str(one.threads)]
        for one in map(taken.__getitem__, chosen)
    ]
    half = taken[len(taken) // 2 :]
    quarter = max(1, len(half) // 2)
    grown = sum(one.memory for one in half[-quarter:]) / quarter - sum(one.memory for one in half[:quarter]) / quarter
    return (
        f"{tabulate(['cycles', 'minutes', 'memory, MB', 'open files', 'threads'], rows)}\n\n"
        f"From the third quarter to the last, memory changes by {grown:+.1f} MB on average.\n\n"
        "`python scripts/reliability/soak.py`: a cycle trains, scores and translates on the toy grammar.\n"
    )


if __name__ == "__main__":
    cli.main(soak)
