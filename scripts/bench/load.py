"""What `mt serve` takes of many who ask at once, beside `mt translate` on the same core, as a table in Markdown.

    python scripts/bench/load.py RUN --output docs/experiments/bench/load.md

The service has one core and one thread, and its clients, each with one sentence of the test split at a time, another
core. What translates the same sentences at once has the core of the service, before, between and after. A run with
diagnosis.json is served once without it and once with it, because its signals of drift cost another pass.
"""

import asyncio
import itertools
import json
import multiprocessing
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import typer

from mt.core.errors import UserError
from mt.core.files import write_text
from mt.inference.load import load
from mt.runs.names import DIAGNOSIS
from mt.runs.run import Run
from mt.views.markdown import tabulate

PAUSE = 0.1
"""Seconds until a client that was refused asks again."""
LOOKS = 3
"""At the memory of the service: at the start, in the middle, at the end."""


class Rate(NamedTuple):
    """Sentences a second, and a second of processor time."""

    wall: float
    processor: float


@dataclass
class Load:
    """What clients saw, and what the service took."""

    seconds: list[float] = field(default_factory=list)
    """That each answer took."""
    statuses: Counter[int] = field(default_factory=Counter)
    """0: no answer."""
    texts: dict[str, str] = field(default_factory=dict)
    """Translations by sentence, the last of each."""
    memory: list[float] = field(default_factory=list)
    """In MB."""
    rate: Rate = field(default_factory=lambda: Rate(0, 0))


def load_test(
    run: Annotated[Path, typer.Argument(help="A trained run.")],
    clients: Annotated[int, typer.Option(min=1, help="Who ask at once.")] = 50,
    seconds: Annotated[float, typer.Option(help="Of each load.")] = 120,
    sentences: Annotated[int, typer.Option(min=1, help="Of the test split, at most.")] = 1000,
    note: Annotated[str, typer.Option(help="A sentence below the table.")] = "",
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Measure and tabulate."""
    asked = Run(run)
    lines = asked.splits[asked.split_name(None)].sources[:sentences]
    ours, theirs = _cores()
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that this one starts
    _pin(theirs)
    columns, context = {}, multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, context, initializer=_pin, initargs=(ours,)) as alone,
    ):
        rates, texts = [], dict[str, str]()
        for name, watched in {f"without {DIAGNOSIS}": False, f"with {DIAGNOSIS}": True}.items():
            if watched and not (asked / DIAGNOSIS).exists():
                continue
            if not rates:
                rates.append(Rate(*alone.submit(translate, run, lines).result()[0]))
            served = _copied(asked, Path(folder, str(watched)), watched)
            with serving(served, ours) as (process, address):
                found = asyncio.run(ask_all(address, process, lines, clients, seconds))
            rate, texts = alone.submit(translate, run, lines).result()
            rates.append(Rate(*rate))
            columns[name] = tell(found, rates[-2:], texts)
            print(name, columns[name], file=sys.stderr, flush=True)
    names = [row for row, _ in next(iter(columns.values()))]
    rows = [[name, *(dict(column)[name] for column in columns.values())] for name in names]
    page = f"{tabulate(['what', *columns], rows)}\n\n" + "".join(f"{one}\n\n" for one in [note] if one)
    page += f"`python scripts/bench/load.py RUN`: {clients} clients, {seconds:g} seconds, {len(lines):,} sentences of "
    page += f"{asked.config.corpus.name}, {asked.model.summary}, beam {asked.config.search.beam}.\n"
    if output:
        write_text(output, page)
    print(page, end="")


def tell(found: Load, around: Sequence[Rate], texts: dict[str, str]) -> list[tuple[str, str]]:
    """Return what one load gave, by what it is. `around`: what translating did before and after."""
    alone = Rate(*(statistics.mean(values) for values in zip(*around, strict=True)))
    cuts = statistics.quantiles(found.seconds, n=100, method="inclusive") if len(found.seconds) > 1 else [0.0] * 99
    failed = sum(count for status, count in found.statuses.items() if status not in (200, 429))
    same = sum(texts[source] == text for source, text in found.texts.items())
    return [
        ("requests answered", f"{found.statuses[200]:,}"),
        ("refused (429)", f"{found.statuses[429]:,}"),
        ("failed", f"{failed:,}"),
        ("different sentences, and how many of them as `mt translate` has them", f"{len(found.texts):,}, {same:,}"),
        ("latency, seconds: p50", f"{cuts[49]:.2f}"),
        ("latency, seconds: p99", f"{cuts[98]:.2f}"),
        ("memory of the service, MB: start, middle, end", ", ".join(f"{one:,.0f}" for one in found.memory)),
        ("sentences a second", f"{found.rate.wall:.1f}"),
        ("`mt translate`, the mean of before and after", f"{alone.wall:.1f}"),
        ("the service's share of that", f"{found.rate.wall / alone.wall:.0%}"),
        ("its share, by processor time", f"{found.rate.processor / alone.processor:.0%}"),
    ]


def _cores() -> tuple[int | None, int | None]:
    """Return a core for what translates, and another one for who asks; None where the system does not tell."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def _pin(core: int | None, process: int = 0) -> None:
    if core is not None:
        os.sched_setaffinity(process, {core})


def translate(run: Path, lines: Sequence[str]) -> tuple[tuple[float, float], dict[str, str]]:
    """Translate as `mt translate` does, without its start; return the two rates, and the translations."""
    translator = load(run)
    wall, processor = time.perf_counter(), time.process_time()
    found = translator.translate(lines, alignments=False)
    rate = len(lines) / (time.perf_counter() - wall), len(lines) / (time.process_time() - processor)
    return rate, {line: one.text for line, one in zip(lines, found, strict=True)}


def _copied(run: Run, folder: Path, watched: bool) -> Path:
    """Return a folder with the run's files, with or without what its sentences are held against."""
    folder.mkdir()
    for path in run.path.resolve().iterdir():
        if watched or path.name != DIAGNOSIS:
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, folder / path.name)
    return folder


@contextmanager
def serving(run: Path, core: int | None) -> Iterator[tuple[int, str]]:
    """Serve a run from a process of its own; give the process and its address."""
    command = [sys.executable, "-m", "mt", "serve", str(run), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            _pin(core, process.pid)
            assert process.stdout is not None
            told = process.stdout.readline()
            if " at http://" not in told:
                raise UserError(f"the service of {run} did not start: its message stands above")
            yield process.pid, told.partition(" at ")[2].partition(";")[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


async def ask_all(address: str, process: int, lines: Sequence[str], clients: int, seconds: float) -> Load:
    """Let so many clients ask for so long, after each has asked once; return what they saw."""
    source = itertools.cycle(lines)
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(ask_for_all(address, itertools.islice(source, 1), Load()))
    found, start, spent = Load(), time.perf_counter(), processor_seconds(process)

    def until_the_end() -> Iterator[str]:
        while time.perf_counter() < start + seconds:
            yield next(source)

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(ask_for_all(address, until_the_end(), found))
        for look in range(LOOKS):
            await asyncio.sleep(max(0, start + seconds * look / (LOOKS - 1) - time.perf_counter()))
            found.memory.append(resident(process))
    answered, took = found.statuses[200], processor_seconds(process) - spent
    found.rate = Rate(answered / (time.perf_counter() - start), answered / took if took else 0)
    return found


async def ask_for_all(address: str, lines: Iterator[str], found: Load) -> None:
    """Ask for one sentence after another, on one connection as long as it holds; note what comes of it."""
    host, connection = urlsplit(address), None
    for line in lines:
        start, text = time.perf_counter(), ""
        try:
            connection = connection or await asyncio.open_connection(host.hostname, host.port)
            asked = {"texts": [line], "alignments": False}  # as `mt translate` finds none unless they are asked for
            status, body = await _ask(*connection, host.netloc, json.dumps(asked).encode())
            text = json.loads(body)["translations"][0]["text"] if status == 200 else ""
        except (OSError, EOFError, ValueError, LookupError):
            status = 0
            if connection:
                connection[1].close()
            connection = None
        found.statuses[status] += 1
        if status == 200:
            found.seconds.append(time.perf_counter() - start)
            found.texts[line] = text
        else:
            await asyncio.sleep(PAUSE)
    if connection:
        connection[1].close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, body: bytes) -> tuple[int, bytes]:
    """Return the status and the body of an answer."""
    head = f"POST /api/translate HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    first, *headers = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").lower().split("\r\n")
    length = next(int(one.partition(":")[2]) for one in headers if one.startswith("content-length:"))
    return int(first.split()[1]), await reader.readexactly(length)


def resident(process: int) -> float:
    """Return the memory that a process has now, in MB; not a number where the system does not tell by a file."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_seconds(process: int) -> float:
    """Return the processor time of a process so far; 0 where the system does not tell by a file."""
    try:
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    typer.run(load_test)
