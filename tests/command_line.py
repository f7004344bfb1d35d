"""The commands and scripts, run inside this process (PyTorch takes seconds to import) or, where that matters, in one
of their own."""

import contextlib
import io
import logging
import os
import random
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from mt import cli

ROOT = Path(__file__).parent.parent
ENVIRONMENT = os.environ | {"PYTHONWARNINGS": "ignore"}
Done = subprocess.CompletedProcess[str]


def mt(*arguments: object, stdin: str = "", cwd: Path | None = None) -> Done:
    """Run the command line in this process, as `mt_process` does in another."""
    return _run(cli.main, ["mt", *map(_text, arguments)], stdin, cwd)


def mt_process(*arguments: object, stdin: str = "", cwd: Path | None = None) -> Done:
    """Run the command line in a new process."""
    command = [sys.executable, "-m", "mt", *(a if isinstance(a, bytes) else str(a) for a in arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, env=ENVIRONMENT, cwd=cwd, check=False)


def run_script(name: str, *arguments: object) -> Done:
    """Run scripts/NAME.py, or the folder scripts/NAME, as a program, in this process."""
    folder = ROOT / "scripts" / name
    file = folder if folder.is_dir() else folder.with_suffix(".py")
    if file.parent != ROOT / "scripts" and str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # as Python does, for what stands beside it
    return _run(lambda: runpy.run_path(str(file), run_name="__main__"), [str(file), *map(_text, arguments)])


def _text(argument: object) -> str:
    return os.fsdecode(argument) if isinstance(argument, bytes) else str(argument)


def _run(program: Callable[[], object], argv: list[str], stdin: str = "", cwd: Path | None = None) -> Done:
    """Run a program that ends by SystemExit or by itself; an error that it lets through fails the test."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n") for _ in range(2))
    code: object = 0
    with _left_as_it_was(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", argv)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.chdir(cwd or Path.cwd())
        try:
            program()
        except SystemExit as end:
            code = end.code or 0
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.detach().getvalue().decode())
    assert isinstance(code, int), code
    return subprocess.CompletedProcess(argv, code, *texts)


@contextlib.contextmanager
def _left_as_it_was() -> Iterator[None]:
    """Give a program a logger without handlers, and put back what programs change for the whole process."""
    logs = {name: logging.getLogger(name) for name in ("", "mt")}
    before = {name: (log.handlers[:], log.level) for name, log in logs.items()}
    threads, state, handler = torch.get_num_threads(), random.getstate(), signal.getsignal(signal.SIGTERM)
    logs[""].handlers[:] = []
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        for name, (handlers, level) in before.items():
            logs[name].handlers[:] = handlers
            logs[name].setLevel(level)
        torch.set_num_threads(threads)
        random.setstate(state)
        signal.signal(signal.SIGTERM, handler)
