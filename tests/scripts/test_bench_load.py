"""scripts/bench/load.py on a tiny run, and what it makes of a service that refuses and fails."""

import asyncio
import json
import math
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
from command_line import run_script
from script_loader import script
from toy_runs import RNN, config, write_run

from mt.core.files import write_text
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.diagnose import to_json
from mt.runs.run import Run

load = script("bench/load")


@pytest.fixture
def _unpinned():
    """Let this process have all its cores again, and no fewer threads."""
    cores, threads = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None, os.environ.copy()
    yield
    os.environ.clear()
    os.environ.update(threads)
    if cores:
        os.sched_setaffinity(0, cores)


@pytest.mark.usefixtures("_unpinned")
def test_a_run_is_served_without_and_with_its_diagnosis(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN, beam=1))
    write_text(run / "diagnosis.json", json.dumps(to_json(Case(Run(run), "test"), [])))
    page = tmp_path / "load.md"
    options = ["--clients", 3, "--seconds", 1.5, "--sentences", 10, "--note", "A note.", "--output", page]
    done = run_script("bench/load", run, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == page.read_text()
    rows = dict(re.findall(r"^\| (.*?) \| (.*) \|$", done.stdout, re.MULTILINE))
    assert rows["what"] == "without diagnosis.json | with diagnosis.json"
    for answered, told in zip(*(rows[name].split(" | ") for name in ("requests answered", SAME)), strict=True):
        different, same = map(int, told.split(", "))
        assert int(answered.replace(",", "")) >= different == same > 2
    assert rows["failed"] == rows["refused (429)"] == "0 | 0"
    assert "\n\nA note.\n\n" in done.stdout
    assert "3 clients, 1.5 seconds, 10 sentences of toy" in done.stdout


SAME = "different sentences, and how many of them as `mt translate` has them"
TRANSLATED = b'{"translations": [{"text": "a cat"}]}'
ANSWERS = [(200, TRANSLATED), (429, b'{"error": "full"}'), (200, b"{}"), (500, b"x"), None, (200, TRANSLATED)]
"""None: the connection is closed."""


async def until_blank(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield the lines of a request before its body; nothing where the client has gone."""
    while (line := (await reader.readline()).strip()) != b"":
        yield line


def test_what_a_service_refuses_and_where_it_fails_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PAUSE", 0)
    waiting, found = iter(ANSWERS), load.Load()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while length := [line async for line in until_blank(reader) if line.startswith(b"content-length:")]:
            await reader.readexactly(int(length[0].split()[1]))
            if (told := next(waiting)) is None:
                break
            writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (told[0], len(told[1])) + told[1])
            if told is ANSWERS[-1]:
                break
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await load.ask_for_all(f"http://127.0.0.1:{port}", iter("abcdef"), found)

    asyncio.run(ask())
    assert found.statuses == {200: 2, 429: 1, 500: 1, 0: 2}
    assert found.texts == {"a": "a cat", "f": "a cat"}
    assert len(found.seconds) == 2


def test_percentiles_and_shares_are_those_of_the_figures() -> None:
    found = load.Load([float(number) for number in range(101)], memory=[1, 2, 3], rate=load.Rate(8, 30))
    found.statuses.update({200: 101, 429: 7, 500: 1, 0: 2})
    found.texts.update(x="a", y="b")
    column = dict(load.tell(found, [load.Rate(8, 30), load.Rate(12, 50)], {"x": "a", "y": "c", "z": ""}))
    assert list(column.values()) == ["101", "7", "3", "2, 1", "50.00", "99.00", "1, 2, 3", "8.0", "10.0", "80%", "75%"]


def test_memory_and_processor_time_are_told_by_files() -> None:
    if not Path("/proc/self/statm").exists():
        assert math.isnan(load.resident(os.getpid()))
        return
    assert 20 < load.resident(os.getpid()) < 5000
    before = load.processor_seconds(os.getpid())
    sum(range(5_000_000))
    assert 0 < load.processor_seconds(os.getpid()) - before < 60


def test_a_service_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    write_text(tmp_path / "run" / "config.yaml", "corpus: {name: toy}\n")
    with pytest.raises(load.UserError, match="did not start"), load.serving(tmp_path / "run", None):
        pass
