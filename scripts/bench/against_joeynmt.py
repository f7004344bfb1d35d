"""How fast we are, as ratios measured in one run: against JoeyNMT, in turn, and against the machine's matmul.

    python scripts/bench/against_joeynmt.py --peer scratch/joeynmt --batches 1024,2048,4096 --output joeynmt.md
    python scripts/bench/against_joeynmt.py --peer scratch/joeynmt --quick

`--peer FOLDER` installs JoeyNMT there (once) and gives it our data and widths, and of some batch sizes the one that is
best for it. Without it only our own figures are measured. Both translate with the models of the time to BLEU; they stay
in FOLDER, where --quick finds them.
"""

import math
import platform
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated

import matplotlib.style
import speed
import torch
import typer
from matplotlib.figure import Figure
from peer import Peer, described

from mt import cli
from mt.config import Config
from mt.config.files import read_config
from mt.core.device import has_bfloat16, set_threads
from mt.core.files import replacing, write_text
from mt.corpora import load_splits
from mt.inference.load import load
from mt.inference.translator import Translator
from mt.runs.run import Run
from mt.text.tokenizer import train_tokenizers
from mt.training.materials import Materials
from mt.training.trainer import Trainer
from mt.views.heat_map import STYLE

PRECISIONS = ["float32", *(["bfloat16"] if has_bfloat16() else [])]
"""Of ours; on a CPU the peer has only the first."""
TRAINING = "training in {}, target pieces a second"
SHARE = "our FLOPs a second in {} training, of a large float32 matmul's"
SHARES = {SHARE.format(precision) for precision in PRECISIONS}
SENTENCES, ALONE = 1000, 100
"""How many are translated, at once and one by one."""
OUR_BATCH = 96
THEIR_BATCHES = 32, 64, 96
"""Of which the one at which the peer is faster counts."""
PATIENCE = 4
"""The peer is given up after so many times our time to a BLEU."""
PAIRS = 30_000, 300_000
"""Toy pairs that memory is measured on."""
Figures = dict[str, list[float]]
"""By what is measured, a figure of each round: ratios, ours over the peer's; where the peer has none, shares."""


def bench(
    config: Annotated[Path, typer.Argument(help="What is trained.")] = Path("configs/bench.yaml"),
    peer: Annotated[Path | None, typer.Option(help="Folder for JoeyNMT. Unset: measure ours alone.")] = None,
    batches: Annotated[str, typer.Option(help="Batch sizes (pieces) of which the peer's best counts.")] = "1024",
    updates: Annotated[int, typer.Option(min=2 * speed.WARM, help="Of each round and side.")] = 60,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, ours and the peer in turn.")] = 3,
    bleu: Annotated[float, typer.Option(help="Validation BLEU that both are timed to reach.")] = 30.0,
    toy: Annotated[Path, typer.Option(help="Config of the toy corpus, for memory.")] = Path("configs/toy.yaml"),
    quick: Annotated[bool, typer.Option("--quick", help="One round; without the time to BLEU, and memory.")] = False,
    output: Annotated[Path | None, typer.Option(help="Markdown file; a plot is put beside it.")] = None,
) -> None:
    """Measure, tabulate and draw."""
    sizes, tree = _sizes(batches), read_config(config)
    splits = load_splits(tree.corpus)
    set_threads(tree.threads)
    threads = torch.get_num_threads()
    tree = tree.model_copy(update={"threads": threads})  # the same wherever a model is trained or loaded
    tokenizers = train_tokenizers(splits["train"].sources, splits["train"].targets, tree.vocabulary)
    figures: Figures = defaultdict(list)
    other = Peer(peer, tree, splits, threads) if peer else None
    best = _best_batch(other, sizes, updates)
    *_, test = (split.sources for split in splits.values())
    with tempfile.TemporaryDirectory() as folder:
        run = other.ours if other else Path(folder, "ours")
        trainers = {
            precision: Trainer(Run(folder), Materials(in_precision(tree, precision), splits, tokenizers))
            for precision in PRECISIONS
        }
        for _ in range(1 if quick else rounds):
            training(trainers, other, updates, best, figures)
        if not quick:
            epoch = int(trainers["float32"].part.pieces.target_lengths.sum()) // best
            name, figure = reaching(speed.reach(tree, run, bleu), other, bleu, best, epoch)
            figures[name].append(figure)
        there = other.is_trained if other else not quick
        to_load = PRECISIONS if there else ()
        translators = {precision: load(run, changes=[f"search.precision={precision}"]) for precision in to_load}
    if not translators:
        print("translating needs models that are trained, by this program without --quick: not measured")
    for _ in range(1 if quick else rounds):
        if translators:
            translating(translators, other, test, figures)
    page = table(figures) + f"\n`{config}`, {threads} threads, {conditions()}."
    page += f" The peer's settings:\n\n```yaml\n{described(tree, best)}```\n" if other else "\n"
    if not quick:
        page += "\n" + footprints(toy, updates)
    if output:
        write_text(output, page)
        draw(output.with_suffix(".svg"), figures)
    print(page, end="")


def _sizes(batches: str) -> list[int]:
    try:
        return [int(size) for size in batches.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{batches!r}: write numbers, as 1024,2048", param_hint="--batches") from None


def in_precision(config: Config, precision: str) -> Config:
    """Return the same experiment, trained in this precision."""
    return config.model_copy(update={"train": config.train.model_copy(update={"precision": precision})})


def _best_batch(other: Peer | None, sizes: Sequence[int], updates: int) -> int:
    """Return the batch size at which the peer trains fastest."""
    if not other or len(sizes) == 1:
        return sizes[0]
    return max(sizes, key=lambda size: median(other.rates(updates, size)[1:]))


def training(trainers: Mapping[str, Trainer], other: Peer | None, updates: int, batch: int, figures: Figures) -> None:
    """Add the figures of one round of training, in each precision."""
    theirs = median(other.rates(updates, batch)[1:]) if other else None
    for precision, trainer in trainers.items():
        ours, share = speed.train(trainer, updates)
        figures[SHARE.format(precision)].append(100 * share)
        if theirs:
            figures[TRAINING.format(precision)].append(ours / theirs)
    print({name: round(values[-1], 2) for name, values in figures.items()}, flush=True)


def translating(
    translators: Mapping[str, Translator], other: Peer | None, lines: Sequence[str], figures: Figures
) -> None:
    """Add the figures of one round of translating, in each precision."""
    kinds = {
        "beam 5": (5, OUR_BATCH, lines[:SENTENCES]),
        "greedy": (1, OUR_BATCH, lines[:SENTENCES]),
        "beam 5, one sentence at a time": (5, 1, lines[:ALONE]),
    }
    for kind, (beam, batch, chosen) in kinds.items():
        sizes = (1,) if batch == 1 else THEIR_BATCHES
        theirs = min(other.translate(chosen, beam, size) for size in sizes) if other else None
        for precision, translator in translators.items():
            name = f"translating in {precision}, {kind}"
            seconds, texts = speed.translate(translator, chosen, beam, batch)
            ours = _words(texts) / seconds
            if theirs:
                figures[f"{name}, sentences a second"].append(theirs[0] / seconds)
                figures[f"{name}, words a second"].append(ours / (_words(theirs[1]) / theirs[0]))
            else:
                figures[f"{name}, words a second, ours"].append(ours)


def _words(texts: Sequence[str]) -> int:
    return sum(len(text.split()) for text in texts)


def reaching(seconds: float, other: Peer | None, bleu: float, batch: int, epoch: int) -> tuple[str, float]:
    """Return what is said of the time to a BLEU, and the figure; an epoch is so many updates of the peer."""
    name = f"time to {bleu:g} validation BLEU"
    if not other:
        return f"{name} in minutes, ours", seconds / 60
    ratio = other.reach(bleu, batch, epoch, PATIENCE * seconds) / seconds
    return name if ratio < math.inf else f"{name}, at least", min(ratio, PATIENCE)


def footprints(config: Path, updates: int) -> str:
    """Return a table of memory and time as the corpus grows."""
    lines = ["| toy pairs | largest memory, MB | time a target piece, of that with the fewest |", "| --- | --- | --- |"]
    found: list[tuple[float, float]] = []
    for pairs in PAIRS:
        with tempfile.TemporaryDirectory() as folder:
            found.append(speed.footprint(read_config(config, [f"corpus.pairs={pairs}"]), Path(folder), updates))
        memory, seconds = found[-1]
        lines.append(f"| {pairs:,} | {memory:,.0f} | {seconds / found[0][1]:.2f} |")
    return "\n".join(lines) + "\n"


def table(figures: Figures) -> str:
    """Return the medians as Markdown, each with its range over the rounds; a ratio is ours over the peer's."""
    lines = ["| what | median | range over the rounds |", "| --- | --- | --- |"]
    for name, values in figures.items():
        unit = "" if name.endswith("ours") else " %" if name in SHARES else " x"
        lines.append(f"| {name} | {median(values):.2f}{unit} | {min(values):.2f}–{max(values):.2f} |")
    return "\n".join(lines) + "\n"


def draw(path: Path, figures: Figures) -> None:
    """Draw the ratios as bars, each with its range."""
    ratios = {name: values for name, values in figures.items() if not name.endswith("ours") and name not in SHARES}
    if not ratios:
        return
    with matplotlib.style.context(STYLE):
        figure = _bars(ratios)
        with replacing(path) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})


def _bars(ratios: Mapping[str, list[float]]) -> Figure:
    figure = Figure(figsize=(8, 0.6 + 0.5 * len(ratios)), layout="constrained")
    axes = figure.add_subplot()
    middles = [median(values) for values in ratios.values()]
    around = [
        [middle - min(values) for middle, values in zip(middles, ratios.values(), strict=True)],
        [max(values) - middle for middle, values in zip(middles, ratios.values(), strict=True)],
    ]
    axes.barh(list(ratios), middles, xerr=around, capsize=3)
    axes.axvline(1, color="black")
    axes.invert_yaxis()
    axes.set_xlabel("times JoeyNMT's")
    return figure


def conditions() -> str:
    """Return what the figures depend on: the processor, where the system tells its name, and versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{[*names, platform.processor()][0]}, Python {platform.python_version()}, PyTorch {torch.__version__}"


if __name__ == "__main__":
    cli.main(bench)
