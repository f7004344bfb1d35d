"""What a stream of training pairs takes, by their number, as a table in Markdown.

    python scripts/bench/streams.py --output docs/experiments/bench/streams.md

For each number of pairs it generates a corpus, trains some updates on it, and once more, killed (SIGKILL) half-way and
resumed. The states of the two must be the same, bit for bit.
"""

import hashlib
import multiprocessing
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from mt.config import Config
from mt.core.errors import UserError
from mt.core.files import write_text
from mt.runs import checkpoint
from mt.runs.names import STATE
from mt.training import estimate, experiment
from mt.views.markdown import tabulate

SMALL = {"model": {"kind": "rnn", "embedding": 64, "hidden": 64, "encoder_hidden": 64, "attention": {"width": 64}}}
"""A model that takes little time beside the text."""
HEAD = [
    "pairs",
    "text, MB",
    "memory, MB",
    "begins after the time of so many updates",
    "the same, resumed",
    "killed and resumed",
]
SYLLABLES = [f"{one}{vowel}{other}" for one in "bdfgklmnprst" for vowel in "aeiou" for other in "bdfgklmnprst"]


def streams(
    pairs: Annotated[str, typer.Option(help="Numbers of pairs.")] = "30000,300000,3000000",
    updates: Annotated[int, typer.Option(min=2, help="Of each training.")] = 300,
    buffer: Annotated[int, typer.Option(help="corpus.shuffle_buffer")] = 100_000,
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Measure and tabulate."""
    rows = [_row(int(count), updates, buffer) for count in pairs.split(",")]
    page = (
        f"{tabulate(HEAD, rows)}\n\n`python scripts/bench/streams.py`: {updates} updates, {buffer:,} lines at a time.\n"
    )
    if output:
        write_text(output, page)
    print(page, end="")


def _row(pairs: int, updates: int, buffer: int) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_corpus(folder, pairs, buffer)
        size = sum(file.stat().st_size for file in folder.glob("train.*")) / estimate.MEGA
        whole = _train(config, folder / "whole", updates, signal.SIGINT)
        _train(config, folder / "killed", updates // 2, signal.SIGKILL)
        resumed = _train(config, folder / "killed", updates, signal.SIGINT)
        same = "the same weights" if _hash(folder / "whole") == _hash(folder / "killed") else "OTHER WEIGHTS"
    memory = max(whole["memory"], resumed["memory"])
    update = (whole["last"] - whole["first"]) / (updates - 1)
    row = [f"{pairs:,}", f"{size:,.0f}", f"{memory:,.0f}"]
    row += [*(f"{one['first'] / update:,.0f}" for one in (whole, resumed)), same]
    print(*row, flush=True)
    return row


def write_corpus(folder: Path, pairs: int, buffer: int) -> Config:
    """Write generated pairs: words in one language, spelt backwards and in the other order in the other."""
    chosen = random.Random(1)
    for split, count in {"train": pairs, "small": 200}.items():
        with open(folder / f"{split}.x", "w") as source, open(folder / f"{split}.y", "w") as target:
            for _ in range(count):
                syllables = chosen.choices(SYLLABLES, k=2 * chosen.randint(3, 20))
                words = [one + other for one, other in zip(syllables[::2], syllables[1::2], strict=True)]
                source.write(" ".join(words) + "\n")
                target.write(" ".join(word[::-1] for word in reversed(words)) + "\n")
    files = {split: (f"{folder}/{split}.x", f"{folder}/{split}.y") for split in ("train", "small")}
    corpus = {"name": "files", "source": "x", "target": "y", "train": files["train"], "validation": files["small"]}
    corpus |= {"test": files["small"], "streaming": True, "shuffle_buffer": buffer}
    return Config.model_validate(
        {"corpus": corpus, "train": {"save_every": 50, "batch_tokens": 256}, "threads": 1, **SMALL}
    )


def _train(config: Config, run: Path, updates: int, by: int) -> dict[str, float]:
    """Train in a process of its own, which is sent a signal after so many updates; return what it told."""
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(config, run, updates, by, writer))
    process.start()
    writer.close()
    told: dict[str, float] = {}
    while True:
        try:
            told |= reader.recv()
        except EOFError:
            break
    process.join()
    return told


def _run(config: Config, run: Path, updates: int, by: int, writer: Any) -> None:
    start = time.perf_counter()

    def watch(update: int, total: int) -> None:
        if update == begun:
            writer.send({"first": time.perf_counter() - start})
        if update == updates:
            writer.send({"memory": estimate.peak(), "last": time.perf_counter() - start})
            os.kill(os.getpid(), by)

    begun = int(checkpoint.read_record(run / STATE)["update"]) + 1 if (run / STATE).exists() else 1
    try:
        experiment.train(config, run, resume=run.exists(), watch=watch)
    except UserError as error:
        writer.send({"failed": 1.0})
        raise SystemExit(str(error)) from error


def _hash(run: Path) -> str:
    """Return a hash of all tensors of a state, and of where it stands."""
    tensors, record = checkpoint.read(run / STATE)
    whole = hashlib.sha256(repr([record[key] for key in ("update", "epoch", "part", "batch", "stream")]).encode())
    for name in sorted(tensors):
        whole.update(name.encode() + tensors[name].numpy().tobytes())
    return whole.hexdigest()


if __name__ == "__main__":
    typer.run(streams)
