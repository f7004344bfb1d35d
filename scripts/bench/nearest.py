"""What finding neighbours costs and gives, for each index, on the validation split alone, as a table in Markdown.

    python scripts/bench/nearest.py RUN --output docs/experiments/bench/nearest.md

RUN must have its datastore, for both: `mt datastore RUN --index faiss`. Each row is a process of its own.
"""

import multiprocessing
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, NamedTuple, cast

import torch
import typer
from torch import Tensor

from mt import cli
from mt.config import Nearest
from mt.core.device import set_threads
from mt.core.files import write_text
from mt.core.special import PAD
from mt.data.pieces import Pieces
from mt.evaluation.metrics import METRICS, Texts
from mt.inference.load import load
from mt.models.contract import need_readouts
from mt.neighbours.datastore import with_neighbours
from mt.neighbours.model import NearestNeighbours, key
from mt.runs.names import CACHE, CLUSTERS, DATASTORE
from mt.runs.run import Run
from mt.training.estimate import peak
from mt.views.markdown import tabulate

HEAD = (
    "index",
    "keys",
    "neighbours",
    "of the exact neighbours",
    "BLEU",
    "sentences a second of processor time, of that without neighbours",
    "times slower",
    "memory, MB",
    "on disk, MB",
)
QUERIES = 300
"""Of forced decoding, whose neighbours are compared."""
WARM = 5
"""Sentences translated before time is taken."""


class Found(NamedTuple):
    """What one process found."""

    rate: float
    bleu: float
    memory: float
    places: Tensor


def nearest(
    run: Annotated[Path, typer.Argument(help="A trained run that has its datastore.")],
    sentences: Annotated[int, typer.Option(min=1, help="Of the validation split.")] = 200,
    count: Annotated[list[int] | None, typer.Option(min=1, help="Neighbours. Unset: 256.")] = None,
    probes: Annotated[list[int] | None, typer.Option(min=1, help="Clusters looked at. Unset: 8, 16, 32, 64.")] = None,
    note: Annotated[str, typer.Option(help="A sentence below the table.")] = "",
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: the terminal.")] = None,
) -> None:
    """Measure and tabulate."""
    asked = Run(run)
    alone = [_measure(run, sentences, Nearest())]
    keys = _size(asked, Nearest(count=1))
    rows: list[Sequence[str]] = []
    for one in count or [256]:
        exact = Nearest(count=one)
        fast = [exact.model_copy(update={"index": "faiss", "probes": some}) for some in probes or [8, 16, 32, 64]]
        found = {settings: _measure(run, sentences, settings) for settings in (exact, *fast)}
        alone.append(_measure(run, sentences, Nearest()))  # around them: other programs share the machine
        rate = statistics.mean(before.rate for before in alone[-2:])
        rows += [_row(asked, keys, settings, each, found[exact].places, rate) for settings, each in found.items()]
    none = ["none", "", "0", "", f"{alone[0].bleu:.1f}", "100%", "1.0", f"{alone[0].memory:,.0f}", ""]
    page = f"{tabulate(HEAD, [none, *rows])}\n\n" + "".join(f"{one}\n\n" for one in [note] if one)
    page += f"`python scripts/bench/nearest.py RUN`: the first {sentences:,} sentences of {asked.config.corpus.name}'s "
    page += f"validation, {asked.model.summary}, beam {asked.config.search.beam}, one thread.\n"
    if output:
        write_text(output, page)
    print(page, end="")


def _row(run: Run, keys: int, settings: Nearest, found: Found, exact: Tensor, alone: float) -> list[str]:
    index = "exact" if settings.index == "exact" else f"faiss, {settings.probes} probes"
    files = [DATASTORE, *([CLUSTERS] if settings.index == "faiss" else [])]
    disk = sum((run / name).stat().st_size for name in files) / 1e6
    share, slower = found.rate / alone, alone / found.rate
    told = [index, f"{keys:,}", str(settings.count), f"{100 * recall(found.places, exact):.1f}%", f"{found.bleu:.1f}"]
    return [*told, f"{100 * share:.0f}%", f"{slower:.1f}", f"{found.memory:,.0f}", f"{disk:,.0f}"]


def recall(places_XC: Tensor, exact_XC: Tensor) -> float:
    """Return the share of the exact neighbours that were found."""
    both = zip(places_XC.tolist(), exact_XC.tolist(), strict=True)
    return sum(len({*found} & {*true}) for found, true in both) / exact_XC.numel()


def _size(run: Run, settings: Nearest) -> int:
    return len(cast(NearestNeighbours, with_neighbours(run.model, run, settings)).pieces_N)


def _measure(run: Path, sentences: int, settings: Nearest) -> Found:
    """Translate with these settings in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return Found(*pool.submit(measure, run, sentences, settings).result())


def measure(path: Path, sentences: int, settings: Nearest) -> tuple[float, float, float, Tensor]:
    """Return sentences a second, BLEU, memory in MB, and the places of the neighbours of some queries."""
    set_threads(1)
    run = Run(path)
    split = run.splits["validation"]
    sources, references = split.sources[:sentences], split.targets[:sentences]
    changes = [f"search.nearest.count={settings.count}"]
    changes += [f"search.nearest.index={settings.index}"] if settings.count else []
    changes += [f"search.nearest.probes={settings.probes}"] if settings.index == "faiss" else []
    translator = load(path, changes=changes)
    translator.translate(sources[:WARM], alignments=False)
    clock = time.process_time()
    texts = [one.text for one in translator.translate(sources, alignments=False)]
    rate = len(texts) / (time.process_time() - clock)
    memory = peak()
    bleu = METRICS["BLEU"](Texts(texts, references, sources)).score
    places = _places(run, settings) if settings.count else torch.zeros(0)
    print(
        f"{settings!r}: {rate:.2f} sentences a second, BLEU {bleu:.1f}, {memory:,.0f} MB", file=sys.stderr, flush=True
    )
    return rate, bleu, memory, places


@torch.inference_mode()
def _places(run: Run, settings: Nearest) -> Tensor:
    """Return the places of the keys nearest to some queries of validation, [X, C]."""
    bare = need_readouts(run.model)
    model = cast(NearestNeighbours, with_neighbours(run.model, run, settings))
    pieces = Pieces(run.splits["validation"], run.tokenizers, run / CACHE)
    _, batch = next(pieces.batches(5 * QUERIES))
    read = bare.read(*batch.given)
    query_XE = key(read)[batch.target_out_BT != PAD][:QUERIES]
    return model.index.find(query_XE, settings.count)[1]


if __name__ == "__main__":
    cli.main(nearest)
