"""Run `mt`, and have this process killed by SIGKILL inside a chosen call: `killer.py PLACE COUNT ARGUMENTS...`.

Places: update (weights half renewed), validation (while translating), save (state written but not yet renamed),
results (state renamed, metrics and best weights not yet written), never.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from mt import cli, search
from mt.runs.run import STATE
from mt.training import trainer as train


def kill_at(owner: Any, name: str, count: int, after: bool = False) -> None:
    """Replace owner.name by a function that kills the process at its count-th call, before or after the work."""
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*arguments, **options) if after or calls < count else None
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, dying)


place, count = sys.argv[1], int(sys.argv[2])
sys.argv = ["mt", *sys.argv[3:]]
if place == "update":
    kill_at(torch.optim.Adam, "step", count, after=True)
elif place == "validation":
    kill_at(search, "greedy", count, after=True)
elif place == "save":
    replace = Path.replace

    def half_saved(self: Path, target: Path) -> Path:
        """Die between writing a state and renaming it."""
        global count
        count -= Path(target).name == STATE
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(self, target)

    Path.replace = half_saved
elif place == "results":
    kill_at(train.Trainer, "write_results", count + 1)  # the first call comes at the start
cli.main()
