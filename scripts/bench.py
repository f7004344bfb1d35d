"""How fast training is, as ratios measured in one run: against JoeyNMT, in turn, and against the machine's matmul.

    python scripts/bench.py --peer scratch/joeynmt --output docs/bench.md

`--peer FOLDER` installs JoeyNMT there (once) and gives it our data, widths and batch size. Without it only our own
figures are measured.
"""

import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
import typer
from torch.utils.flop_counter import FlopCounterMode

from mt import cli, config_file, corpora, text
from mt.disk import write_text
from mt.lab.peer import Peer
from mt.train import Trainer

WARM = 10
"""Updates, ours and the peer's, that are not timed."""
SIDE, PRODUCTS = 2048, 5
"""The matmul that a machine's speed is judged by: float32, square, the best of some."""


@dataclass(frozen=True)
class Round:
    """What one round measured."""

    ours: float
    """Target pieces a second."""
    share: float
    """Our floating-point operations a second over those of a large matmul."""
    theirs: float | None
    """Target pieces a second."""


def bench(
    config: Annotated[Path, typer.Argument(help="What is trained.")] = Path("configs/bench.yaml"),
    peer: Annotated[Path | None, typer.Option(help="Folder for JoeyNMT. Unset: measure ours alone.")] = None,
    batches: Annotated[str, typer.Option(help="Batch sizes (target pieces) of which the peer's best counts.")] = "2048",
    updates: Annotated[int, typer.Option(min=2 * WARM, help="Of each round and side.")] = 40,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, ours and the peer in turn.")] = 3,
    output: Annotated[Path | None, typer.Option(help="Markdown file.")] = None,
) -> None:
    """Measure and tabulate."""
    tree = config_file.load(config)
    splits = corpora.load(tree.corpus)
    threads = tree.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    tokenizers = text.train(splits["train"].sources, splits["train"].targets, tree.vocabulary)
    measured: list[Round] = []
    other = Peer(peer, tree, splits, threads) if peer else None
    sizes = [int(size) for size in batches.split(",")]
    best = (
        max(sizes, key=lambda size: median(other.rates(2 * WARM, size)[1:])) if other and len(sizes) > 1 else sizes[0]
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(Path(folder), tree, splits, tokenizers)
        for number in range(rounds):
            ours, share = own(trainer, updates)
            theirs = median(other.rates(updates, best)[WARM // 10 :]) if other else None
            measured.append(Round(ours, share, theirs))
            print(f"round {number + 1} of {rounds}: {measured[-1]}", flush=True)
    page = table(measured, best, threads, str(config))
    if output:
        write_text(output, page)
    print(page, end="")


def own(trainer: Trainer, updates: int) -> tuple[float, float]:
    """Return our target pieces a second, and our share of the machine."""
    order = trainer.order(0)
    chosen = [order[number % len(order)] for number in range(updates)]
    for rows in chosen[:WARM]:
        trainer.update(trainer.train_pieces.batch(rows), 0.5)
    clock, tokens = time.perf_counter(), 0
    for rows in chosen[WARM:]:
        tokens += trainer.update(trainer.train_pieces.batch(rows), 0.5)[1]
    seconds = time.perf_counter() - clock
    with FlopCounterMode(display=False) as counter:
        for rows in chosen[WARM:]:
            trainer.update(trainer.train_pieces.batch(rows), 0.5)
    return tokens / seconds, counter.get_total_flops() / seconds / matmul()


def matmul() -> float:
    """Return the floating-point operations a second of the best of some large products."""
    one, other = torch.randn(2, SIDE, SIDE)
    seconds = []
    for _ in range(PRODUCTS):
        clock = time.perf_counter()
        torch.mm(one, other)
        seconds.append(time.perf_counter() - clock)
    return 2 * SIDE**3 / min(seconds)


def table(rounds: Sequence[Round], batch: int, threads: int, config: str) -> str:
    """Return the medians as Markdown, each with its range over the rounds."""
    lines = ["| what | median | range over the rounds |", "| --- | --- | --- |",
             row("our FLOPs a second, of a large matmul's", [100 * one.share for one in rounds], " %")]  # fmt: skip
    if ratios := [one.ours / one.theirs for one in rounds if one.theirs]:
        lines.append(row(f"training, target pieces a second, of JoeyNMT's (its batch: {batch} pieces)", ratios, " x"))
    return "\n".join(lines) + (
        f"\n\n`{config}`, {threads} threads, {len(rounds)} rounds, ours and the peer's in turn; {processor()}, "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}.\n"
    )


def row(name: str, values: Sequence[float], unit: str) -> str:
    """Return one line of the table."""
    return f"| {name} | {median(values):.2f}{unit} | {min(values):.2f}–{max(values):.2f} |"


def processor() -> str:
    """Return the processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    cli.main(bench)
