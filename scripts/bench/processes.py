"""Processes that train one run together: their losses and weights beside those of one process, and their speed.

    python scripts/bench/processes.py --output docs/experiments/bench/processes.md

The first table is of the toy task, each row a training from the start, with two batches an update. The second has the
pairs a second of one process with two threads, and of two processes with a thread each, in turn.
"""

import hashlib
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from torch.optim.optimizer import register_optimizer_step_post_hook

from mt import cli
from mt.core.files import write_text
from mt.runs import checkpoint
from mt.runs.names import METRICS, STATE
from mt.views.markdown import tabulate

SETTINGS = ["toy", "corpus.pairs=3000", "corpus.held_out=100", "train.epochs=2", "train.save_every=10"]
TOGETHER = ["torch.distributed.run", "--standalone", "--nproc-per-node=2"]
PAIRS = 4000
"""In a training whose speed is measured."""
LOSSES = ["how it was trained", "ended with", "training loss", "validation loss", "weights"]


def processes(
    config: Annotated[str, typer.Argument(help="What the speed is measured on.")] = "toy",
    rounds: Annotated[int, typer.Option(min=1, help="Of the speed.")] = 3,
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Measure and tabulate."""
    with tempfile.TemporaryDirectory() as folder:
        tables = _losses(Path(folder)), _speeds(config, rounds, Path(folder))
    page = "\n\n".join([*tables, "`python scripts/bench/processes.py`"]) + "\n"
    if output:
        write_text(output, page)
    print(page, end="")


def _losses(folder: Path) -> str:
    """Return a table of the same training by one process, by two, and with a process killed or interrupted."""
    rows = []
    for name, command in {
        "one process": ["mt"],
        "two processes": [*TOGETHER, "-m", "--", "mt"],
        "two, one killed, started anew by torchrun": [*TOGETHER, "--max-restarts=1", "--", __file__, "SIGKILL"],
        "two, interrupted, and one resumed": [*TOGETHER, "--", __file__, "SIGTERM"],
    }.items():
        run = folder / str(len(rows))
        arguments = ["train", *SETTINGS, "train.accumulate=2", "threads=1", "--run", str(run)]
        code = subprocess.run([sys.executable, "-m", *command, *arguments], capture_output=True, check=False).returncode
        if code and name.endswith("resumed"):
            code = subprocess.run([sys.executable, "-m", "mt", *arguments, "--resume"], check=False).returncode
        last = json.loads((run / METRICS).read_text().splitlines()[-1])
        losses = [f"{last[key]:.6f}" for key in ("train_loss", "validation_loss")]
        rows.append([name, f"exit code {code}", *losses, _hash(run)])
        print(*rows[-1], file=sys.stderr, flush=True)
    return tabulate(LOSSES, rows)


def _speeds(config: str, rounds: int, folder: Path) -> str:
    """Return a table of the pairs a second of two cores, used in two ways, and what the second gives over the first."""
    ways = {
        "one process, two threads": (["mt"], "threads=2"),
        "two processes, a thread each": ([*TOGETHER, "-m", "--", "mt"], "threads=1"),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, (command, threads) in ways.items():
            run = folder / f"{threads}-{number}"
            changes = [f"corpus.pairs={PAIRS}", "train.epochs=1", "train.accumulate=2", threads]
            arguments = ["train", config, *changes, "corpus.held_out=50", "--run", str(run)]
            subprocess.run([sys.executable, "-m", *command, *arguments], capture_output=True, check=True)
            rates[name].append(PAIRS / checkpoint.read_record(run / STATE)["seconds"])
            print(name, rates[name][-1], file=sys.stderr, flush=True)
    first, second = rates.values()
    ratios = sorted(two / one for one, two in zip(first, second, strict=True))
    rows = [[name, f"{statistics.median(all_of_it):,.0f}"] for name, all_of_it in rates.items()]
    rows.append(["the second over the first", f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"])
    return tabulate([f"`{config}`, default widths, {rounds} rounds", "pairs a second"], rows)


def _hash(run: Path) -> str:
    """Return the beginning of a hash of all tensors of a state."""
    tensors, _ = checkpoint.read(run / STATE)
    whole = hashlib.sha256()
    for name in sorted(tensors):
        whole.update(name.encode() + tensors[name].numpy().tobytes())
    return whole.hexdigest()[:12]


def _die(by: str, arguments: list[str]) -> None:
    """Run `mt`; at its first start process 1 is sent a signal after its 25th step."""
    steps = itertools.count(1)

    def die(*_: object) -> None:
        if next(steps) == 25 and os.environ["RANK"] == "1" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
            os.kill(os.getpid(), signal.Signals[by])

    register_optimizer_step_post_hook(die)
    sys.argv = ["mt", *arguments]
    cli.main()


if __name__ == "__main__":
    if "TORCHELASTIC_RESTART_COUNT" in os.environ:
        _die(sys.argv[1], sys.argv[2:])
    else:
        typer.run(processes)
