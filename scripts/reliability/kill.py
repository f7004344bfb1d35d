"""A lab of kills: do trainings that are killed at random moments, and resumed, end as those that nobody disturbed.

    python scripts/reliability/kill.py --kills 50 --output docs/experiments/reliability/kill.md

Each toy run is trained once in peace, and again and again with SIGKILL after a random part of that time. What it ends
with is held against the other, bit for bit: weights, optimiser, film, curves, card, but for what is of seconds.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import datasets  # noqa: F401 (imported once, before the processes that train)
import torch._dynamo  # noqa: F401
import typer
from toys import TOYS, command, mt

from mt.core.files import write_text
from mt.runs import checkpoint
from mt.runs.names import CARD, CURVES, DATASTORE, FILM, METRICS, STATE, TENSORBOARD, UPDATES, WEIGHTS
from mt.training import experiment  # noqa: F401
from mt.views.curves import PANELS
from mt.views.markdown import tabulate

SHARE = 0.8
"""Of the time that a training takes in peace: the latest moment of a kill."""


def kill_lab(
    kills: Annotated[int, typer.Option(min=1, help="In all.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 0,
    only: Annotated[str, typer.Option(help="Toys, with commas. Unset: all.")] = "",
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Kill, resume, compare, and tabulate."""
    names, rng, rows = only.split(",") if only else [*TOYS], random.Random(seed), []
    with tempfile.TemporaryDirectory() as folder:
        teacher = Path(folder, "teacher")
        _train([*command("plain", teacher), "--run", str(teacher)])
        for number, name in enumerate(names):
            mine = kills // len(names) + (number < kills % len(names))
            rows.append([name, *try_toy(command(name, teacher), Path(folder, name.replace(" ", "-")), mine, rng)])
            print(*rows[-1], file=sys.stderr, flush=True)
    head = ["toy", "kills", "in", "times trained to the end", "of these as in peace", "what else was said"]
    page = f"{tabulate(head, rows)}\n\n`python scripts/reliability/kill.py --kills {kills} --seed {seed}`\n"
    if output:
        write_text(output, page)
    print(page, end="")


def try_toy(arguments: list[str], folder: Path, kills: int, rng: random.Random) -> list[str]:
    """Return the cells of a toy: how often it was killed, when, how often it ended, and how often as in peace."""
    peace, killed = folder / "peace", folder / "killed"
    start = time.monotonic()
    code, said = _train([*arguments, "--run", str(peace)])
    took, expected = time.monotonic() - start, tell(peace) if code == 0 else {}
    count, ended, same, wrong = 0, 0, 0, [said] if code else []
    while count < kills or killed.exists():
        limit = rng.uniform(0, SHARE * took) if count < kills else None
        code, said = _train([*arguments, "--run", str(killed), "--resume"], limit)
        if code == -signal.SIGKILL:
            count += 1
            continue
        ended += 1
        found = tell(killed) if code == 0 else {}
        same += found == expected != {}
        wrong += [said.strip().splitlines()[-1]] if code else []
        wrong += [f"another {key}" for key in expected if found and found[key] != expected[key]]
        shutil.rmtree(killed, ignore_errors=True)
        if code:
            break
    return [str(count), f"{took:.1f} s", str(ended), str(same), "; ".join(wrong) or "nothing"]


def tell(run: Path) -> dict[str, str]:
    """Return, by file, a hash of what it holds besides seconds."""
    tensors, record = checkpoint.read(run / STATE)
    found = {STATE: "".join(f"{name}{tensor.tolist()}" for name, tensor in sorted(tensors.items()))}
    found["position"] = json.dumps({key: record[key] for key in ("update", "epoch", "batch", "stale", "finished")})
    for name in (METRICS, UPDATES):
        lines = (run / name).read_text().splitlines()
        found[name] = json.dumps([json.loads(line) | {"seconds": 0, "tokens_per_second": 0} for line in lines])
    found[CURVES] = (run / CURVES).read_text().partition(PANELS[-1].title)[0]
    card = (run / CARD).read_text().splitlines()
    found[CARD] = "\n".join(line for line in card if " minutes" not in line).replace(run.name, "RUN")
    found[TENSORBOARD] = str(_points(run / TENSORBOARD))
    for name in (WEIGHTS, FILM, DATASTORE):
        found[name] = (run / name).read_bytes().hex() if (run / name).exists() else ""
    left = [path.name for path in run.rglob(".*") if path.name != ".lock"]
    return {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in (found | {"leftovers": str(left)}).items()
    }


def _points(folder: Path) -> list[tuple[str, int, float]]:
    """Return what TensorBoard shows of a folder but for speed; nothing where there is none."""
    if not folder.exists():
        return []
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(folder)).Reload()
    names = sorted({*shown.Tags()["scalars"]} - {"tokens_per_second"})
    return [(name, one.step, one.value) for name in names for one in shown.Scalars(name)]


def _train(arguments: list[str], limit: float | None = None) -> tuple[int, str]:
    """Run `mt` in a process of its own, killed after so many seconds; return its exit code and what it said."""
    with tempfile.NamedTemporaryFile("w+", suffix=".txt") as told:
        process = os.fork()
        if process == 0:
            done = mt(*arguments)
            told.write(done.said)
            told.flush()
            os._exit(1 if done.code < 0 else done.code)
        end = time.monotonic() + limit if limit is not None else None
        while True:
            ended, status = os.waitpid(process, 0 if end is None else os.WNOHANG)
            if ended:
                told.seek(0)
                return os.waitstatus_to_exitcode(status), told.read()
            if end is not None and time.monotonic() > end:
                os.kill(process, signal.SIGKILL)
                end = None
            time.sleep(0.005)


if __name__ == "__main__":
    typer.run(kill_lab)
