"""How much faster packed weights and shortlists translate, and what they change, as a table in Markdown.

    OMP_NUM_THREADS=1 python scripts/bench/weights.py RUN... --output docs/experiments/bench/weights.md

Ratios are of processor time: each way takes its turn in each round, and its smallest time counts, because other
programs only add to it. What is done once is not timed: loading, packing, and counting the list.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from mt.core.device import has_bfloat16
from mt.core.files import write_text
from mt.core.special import EOS
from mt.evaluation.metrics import Texts, bleu
from mt.evaluation.significance import compare
from mt.inference.load import load
from mt.inference.translator import Translator
from mt.runs.run import Run
from mt.views.markdown import tabulate

WAYS = [
    ("float32", 0),  # which the others are held against
    *([("bfloat16", 0)] if has_bfloat16() else []),
    *[
        ("float16", 0),
        ("int8", 0),
        ("float32", 50),
        ("float32", 100),
        ("float32", 200),
        ("float16", 100),
        ("int8", 100),
    ],
]
"""search.precision and search.shortlist."""
BATCHES = 1, 64
HEAD = ["precision", "shortlist", "one line at a time", "64 at once", "lines the same", "BLEU", "p", "pieces searched"]

FOOT = (
    "`python scripts/bench/weights.py`: beam search of each run's config, one thread. p: how often a difference "
    "of BLEU from the first row at least as large comes about by chance (paired approximate randomisation)."
)


def weights(
    runs: Annotated[list[Path], typer.Argument(help="Trained runs; those without a shortlist are given one.")],
    split: Annotated[str, typer.Option(help="Whose sentences are translated.")] = "validation",
    timed: Annotated[int, typer.Option(help="Of these, the first are timed.")] = 60,
    scored: Annotated[int | None, typer.Option(help="And so many are scored. Unset: all.")] = None,
    rounds: Annotated[int, typer.Option(help="Rounds, of which the best counts.")] = 3,
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Measure and tabulate."""
    torch.set_num_threads(1)
    parts = [_part(Run(path), split, timed, scored, rounds) for path in runs]
    page = "\n\n".join(parts) + f"\n\n{FOOT}\n"
    if output:
        write_text(output, page)
    print(page, end="")


def _part(run: Run, name: str, timed: int, scored: int | None, rounds: int) -> str:
    """Return the table of one run, below a line that says what it is."""
    split = run.splits[name]
    lines, references = split.sources[:scored], split.targets[:scored]
    ways = {way: load(run, changes=[f"search.precision={way[0]}", f"search.shortlist={way[1]}"]) for way in WAYS}
    torch.set_num_threads(1)  # which loading has set to what the run's config says
    seconds = {(way, batch): [] for way in ways for batch in BATCHES}
    for _ in range(rounds):
        for way, batch in seconds:
            seconds[way, batch].append(seconds_of(ways[way], lines[:timed], batch))
    least = {key: min(each) for key, each in seconds.items()}
    first, texts = WAYS[0], {way: [one.text for one in ways[way].translate(lines, alignments=False)] for way in ways}
    rows = []
    for way, found in texts.items():
        same = sum(one == other for one, other in zip(found, texts[first], strict=True))
        times = [f"{least[first, batch] / least[way, batch]:.2f} x" for batch in BATCHES]
        sides = [Texts(side, references, tokenize="13a") for side in (texts[first], found)]
        p = "" if way == first else f"{compare('BLEU', *sides).p:.3f}"
        sizes = " and ".join(f"{searched(ways[way], lines[:timed], batch):.0f}" for batch in BATCHES)
        rows.append(
            [way[0], str(way[1] or "none"), *times, f"{same} of {len(lines)}", f"{bleu(sides[1]):.2f}", p, sizes]
        )
    base = " and ".join(f"{least[first, batch] / len(lines[:timed]) * 1000:.1f} ms" for batch in BATCHES)
    told = (
        f"{run.name}, {name}: {run.model.summary}; {len(run.tokenizers.target):,} pieces; float32 takes {base} a line."
    )
    return f"{told}\n\n{tabulate(HEAD, rows)}"


def seconds_of(translator: Translator, lines: Sequence[str], batch: int) -> float:
    """Return the processor time of translating, so many lines at once."""
    clock = time.process_time()
    for start in range(0, len(lines), batch):
        translator.translate(lines[start : start + batch], alignments=False)
    return time.process_time() - clock


def searched(translator: Translator, lines: Sequence[str], batch: int) -> float:
    """Return how many pieces are searched, the mean over batches of so many lines."""
    encode, shortlist = translator.tokenizers.source.encode, translator.shortlist
    if shortlist is None:
        return len(translator.tokenizers.target)
    encoded = [
        [piece for line in lines[start : start + batch] for piece in [*encode(line), EOS]]
        for start in range(0, len(lines), batch)
    ]
    return sum(len(shortlist.list_of(torch.tensor(pieces))) for pieces in encoded) / len(encoded)


if __name__ == "__main__":
    typer.run(weights)
