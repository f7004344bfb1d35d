"""BLEU by the length of the source, as in Bahdanau et al. 2015, figure 2.

    python scripts/lengths.py runs/none runs/bahdanau --output runs/lengths

Writes OUTPUT.md and OUTPUT.svg from what the runs made of a split, which `mt eval` or `mt study` has scored.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import matplotlib.style
import typer
from matplotlib.figure import Figure

from mt import cli
from mt.core.files import replacing, write_text
from mt.lab.report.figures import BINS, Bin, by_length
from mt.lab.report.told import Told, read_runs
from mt.runs.run import Run
from mt.views.heat_map import STYLE
from mt.views.markdown import tabulate

log = logging.getLogger("mt")
MARKERS = "osD^vPX*"
"""So that curves are told apart without colours, too."""


def lengths(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run directories that were scored.")],
    split: Annotated[str | None, typer.Option(help="Unset: the first run's last test split that was scored.")] = None,
    output: Annotated[Path, typer.Option(help="OUTPUT.md and OUTPUT.svg are written.")] = Path("runs/lengths"),
    bins: Annotated[int, typer.Option(min=1, help="Bins, of about as many sentences each.")] = BINS,
) -> None:
    """Tabulate and draw BLEU by source length."""
    split, told, left_out = read_runs([Run(run) for run in runs], split)
    for why in left_out:
        log.warning("%s", why)
    found = by_length(told, bins)
    text = (
        f"{table(told, found)}\n\nBLEU on {split} by words of the source: `{told[0].scores.corpus['BLEU'].signature}`\n"
    )
    write_text(Path(f"{output}.md"), text)
    draw(Path(f"{output}.svg"), told, found)
    print(text, end="")


def table(told: Sequence[Told], bins: Sequence[Bin]) -> str:
    """Return the bins as Markdown: BLEU with its 95 % interval."""
    head = ["run", "model", *(f"{one.words[0]}–{one.words[1]} words ({one.sentences})" for one in bins)]
    columns = [["{:.1f} ({:.1f}–{:.1f})".format(*score) for score in one.scores] for one in bins]
    rows = zip(*columns, strict=True)
    return tabulate(head, [[one.name, one.run.model.summary, *row] for one, row in zip(told, rows, strict=True)])


def draw(path: Path, told: Sequence[Told], bins: Sequence[Bin]) -> None:
    """Draw a curve for each run, with the intervals as bands."""
    with matplotlib.style.context(STYLE):
        figure = _figure(told, bins)
        with replacing(path) as temporary:
            figure.savefig(temporary, format="svg", bbox_inches="tight", metadata={"Date": None})


def _figure(told: Sequence[Told], bins: Sequence[Bin]) -> Figure:
    figure = Figure(figsize=(7, 4))
    axes = figure.add_subplot()
    middles = [one.middle for one in bins]
    for number, one in enumerate(told):
        scores, low, high = zip(*(each.scores[number] for each in bins), strict=True)
        axes.plot(middles, scores, marker=MARKERS[number % len(MARKERS)], label=one.name)
        axes.fill_between(middles, low, high, alpha=0.15)
    axes.set_xlabel("words of the source (mean of the bin)")
    axes.set_ylabel("BLEU")
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


if __name__ == "__main__":
    cli.main(lengths)
