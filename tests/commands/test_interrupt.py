"""Ctrl-C before anything is done: the program leaves with 130, without a traceback, whatever it is loading."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mt.__main__ import interrupt

SLOW = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have told its background jobs to ignore
from mt.__main__ import main
sys.argv[1:] = ["train", "toy", "--run", "never"]
main()
"""


@pytest.mark.parametrize("swallow", [True, False])
def test_while_modules_are_loaded(tmp_path: Path, swallow: bool) -> None:
    """A module in place of torch that waits, and may swallow every exception."""
    wait = "time.sleep(60)"
    lines = ["import time", 'print("loading", flush=True)']
    lines += ["try:", f"    {wait}", "except BaseException:", "    pass"] if swallow else [wait]
    (tmp_path / "torch.py").write_text("\n".join(lines))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    started = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "loading\n"
    time.sleep(0.2)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 130, errors
    assert errors == "Aborted!\n"
    assert not (tmp_path / "never").exists()


def test_otherwise_it_is_what_python_makes_of_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt(signal.SIGINT, sys._getframe())
