"""`mt` in a process of its own, killed by SIGKILL inside a chosen call.

Places: update (weights half renewed), Ctrl-C (there, too, but by SIGINT), validation (while translating), save (state
written but not yet renamed), results (state renamed, metrics and best weights not yet written), never.
"""

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch

from mt import cli, search
from mt.runs.names import STATE
from mt.training.trainer import Trainer

SERVER = multiprocessing.get_context("forkserver")
"""Its processes begin where all is imported and nothing was computed: imports take longer than these trainings."""
SERVER.set_forkserver_preload(["mt.training.experiment", "torch._dynamo", "datasets"])


class Started:
    """A process that runs `mt`; no file that it writes may grow beyond `limit`, in bytes."""

    def __init__(self, place: str, count: int, *arguments: object, limit: int = resource.RLIM_INFINITY):
        number, name = tempfile.mkstemp()
        os.close(number)
        self.errors = Path(name)
        told = place, count, ["mt", *map(str, arguments)], self.errors, limit
        self.process: BaseProcess = SERVER.Process(target=_run, args=told)
        self.process.start()

    def end(self) -> tuple[int | None, str]:
        """Wait until it ends; return its exit code and what it wrote to standard error."""
        self.process.join()
        said = self.errors.read_text()
        self.errors.unlink()
        return self.process.exitcode, said


def _run(place: str, count: int, argv: list[str], errors: Path, limit: int) -> None:
    with errors.open("w") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    sys.argv = argv
    if place == "update":
        torch.optim.Adam.step = send_at(torch.optim.Adam.step, count, after=True)
    elif place == "Ctrl-C":
        torch.optim.Adam.step = send_at(torch.optim.Adam.step, count, after=True, by=signal.SIGINT)
    elif place == "validation":
        search.SEARCHES["greedy"] = send_at(search.SEARCHES["greedy"], count, after=True)
    elif place == "save":
        _kill_at_renaming(count)
    elif place == "results":
        Trainer.write_results = send_at(Trainer.write_results, count + 1)  # the first call comes at the start
    cli.main()


def send_at(original: Callable[..., Any], count: int, after: bool = False, by: int = signal.SIGKILL) -> Any:
    """Return a function that sends this process a signal at its count-th call, before or after what it does."""
    calls = 0

    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*arguments, **options) if after or calls < count else None
        if calls == count:
            os.kill(os.getpid(), by)
        return result

    return dying


def _kill_at_renaming(count: int) -> None:
    """Have the process die between writing its count-th state and renaming it."""
    replace = Path.replace

    def half_saved(self: Path, target: Path) -> Path:
        nonlocal count
        count -= Path(target).name == STATE
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(self, target)

    Path.replace = half_saved
