"""What a step of each search takes: operations, and the processor's time for a sentence, as a table in Markdown.

    python scripts/bench/steps.py runs/attention runs/transformer --output steps.md
    python scripts/bench/steps.py runs/attention --before ../older-checkout

The runs translate validation sentences of their own corpus, one at a time and in batches, on one thread. `--before`
names another checkout of this program, which does the same; the two take turns, and of each the smallest time counts.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, product
from pathlib import Path
from typing import Annotated
from unittest.mock import patch

import speed
import torch
import typer
from torch.profiler import ProfilerActivity, profile

from mt import cli
from mt.core.errors import UserError
from mt.core.files import write_text
from mt.corpora import load_splits
from mt.inference.load import load
from mt.inference.translator import Translator
from mt.runs.run import Run
from mt.views.markdown import tabulate

HEAD = ["run", "search", "sentences at a time", "operations a step", "CPU ms a sentence"]
BEFORE = ["operations a step before", "CPU ms before", "before / now", "other translations"]
KINDS = (("beam 5", 5, 1), ("beam 5", 5, 64), ("greedy", 1, 1), ("greedy", 1, 64))
"""What a search is called, its beam, and how many sentences it has at a time."""
HERE = Path(__file__).parents[2]
Figures = dict[str, tuple[float, float, list[str]]]
"""By run and kind: operations a step, milliseconds a sentence, the translations."""


def steps(
    runs: Annotated[list[str], typer.Argument(help="Trained runs.")],
    before: Annotated[Path | None, typer.Option(help="Another checkout, which is measured in turn.")] = None,
    alone: Annotated[int, typer.Option(min=1, help="Sentences that are translated one at a time.")] = 40,
    together: Annotated[int, typer.Option(min=1, help="Sentences that are translated in batches.")] = 192,
    rounds: Annotated[int, typer.Option(min=1, help="Of each checkout; the smallest time counts.")] = 3,
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
    answer: Annotated[bool, typer.Option(hidden=True, help="Measure at each line of the input.")] = False,
) -> None:
    """Measure and tabulate."""
    if answer:
        for figures in _measure(runs, alone, together):
            print(json.dumps(figures), flush=True)
        return
    sides = [_start(each, [*runs, f"--alone={alone}", f"--together={together}"]) for each in (HERE, before) if each]
    found: list[list[Figures]] = [[] for _ in sides]
    for _ in range(rounds * len(KINDS) * len(runs)):
        for side, figures in zip(sides, found, strict=True):
            figures.append(_ask(side))
    for side in sides:
        side.communicate()
    head = HEAD + BEFORE * (before is not None)
    page = f"{tabulate(head, _rows(found))}\n\n`python scripts/bench/steps.py`: one "
    page += f"thread, {alone} sentences one at a time, {together} in batches, the smallest of {rounds} rounds.\n"
    if output:
        write_text(output, page)
    print(page, end="")


def _start(checkout: Path, asked: Sequence[str]) -> "subprocess.Popen[str]":
    """Start a process that imports that checkout, and measures when it is asked."""
    environment = os.environ | {"PYTHONPATH": str(checkout.resolve()), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, *asked, "--answer"]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(side: "subprocess.Popen[str]") -> Figures:
    """Return the next figures of a process."""
    assert side.stdin is not None
    assert side.stdout is not None
    side.stdin.write("\n")
    side.stdin.flush()
    for line in side.stdout:
        if line.startswith("{"):  # not what a profiler tells of itself
            figures: Figures = json.loads(line)
            return figures
    raise UserError("a process ended before it had measured: see above")


def _rows(found: Sequence[Sequence[Figures]]) -> list[list[str]]:
    return [_row(name, found) for name in dict.fromkeys(name for figures in found[0] for name in figures)]


def _row(name: str, found: Sequence[Sequence[Figures]]) -> list[str]:
    sides = [[figures[name] for figures in rounds if name in figures] for rounds in found]
    times = [min(milliseconds for _, milliseconds, _ in side) for side in sides]
    cells = [cell for side, each in zip(sides, times, strict=True) for cell in (f"{side[0][0]:.0f}", f"{each:.2f}")]
    if len(sides) == 2:
        other = sum(one != another for one, another in zip(sides[0][0][2], sides[1][0][2], strict=True))
        cells += [f"{times[1] / times[0]:.2f}", str(other)]
    return [*name.split("|"), *cells]


def _measure(runs: Sequence[str], alone: int, together: int) -> Iterator[Figures]:
    """Yield figures of one run and kind at each line of the input, and again from the first of them after the last."""
    loaded = {name: load(name) for name in runs}
    texts = {name: load_splits(Run(name).config.corpus)["validation"].sources for name in runs}
    operations: dict[tuple[str, int, int], float] = {}
    for _, (name, kind) in zip(sys.stdin, cycle(product(runs, KINDS))):
        (called, beam, batch), translator = kind, loaded[name]
        chosen = texts[name][: alone if batch == 1 else together]
        if (name, beam, batch) not in operations:
            operations[name, beam, batch] = _count(translator, chosen[: max(batch, 5)], beam, batch)
        clock = time.process_time()
        _, found = speed.translate(translator, chosen, beam, batch)
        milliseconds = 1000 * (time.process_time() - clock) / len(chosen)
        yield {f"{Path(name).name}|{called}|{batch}": (operations[name, beam, batch], milliseconds, found)}


def _count(translator: Translator, lines: Sequence[str], beam: int, batch: int) -> float:
    """Return how many operations PyTorch is asked for in a step, those inside another not counted."""
    model = translator.model
    with patch.object(model, "step", wraps=model.step) as step, profile(activities=[ProfilerActivity.CPU]) as events:
        speed.translate(translator, lines, beam, batch)
    return sum(event.cpu_parent is None for event in events.events()) / step.call_count


if __name__ == "__main__":
    torch.set_num_threads(1)
    cli.main(steps)
